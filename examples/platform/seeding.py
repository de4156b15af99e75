"""The sample platform's data: the customers of `data.json`, and a history of many more.

Drawn from one seed, so it is the same on every machine. All that is not settled yet belongs to the
customers of `data.json`: who waits for something today is for the scripted day to say.
"""

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from examples.platform import catalogue
from examples.platform.catalogue import Offer
from examples.platform.customers import OPEN_STATES, OrderState

CUSTOMERS, MERCHANTS = 300, 12
DAYS = 90
# The scripted day; the drawn history ends the evening before.
TODAY = datetime(2026, 11, 23, tzinfo=UTC)
Row = dict[str, Any]
# A letter or digit more than once: nobody mistakes one of these for another.
_CODE = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(slots=True)
class Rows:
    """What goes into each table."""

    users: list[Row] = field(default_factory=list)
    wallets: list[Row] = field(default_factory=list)
    orders: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)
    cards: list[Row] = field(default_factory=list)
    settlements: list[Row] = field(default_factory=list)
    disputes: list[Row] = field(default_factory=list)


def digest_card(secret: str) -> str:
    """Of a card we keep the digest alone: `sha256-…` of its letters and digits, in upper case."""
    kept = "".join(c for c in secret.upper() if c.isascii() and c.isalnum())
    return f"sha256-{sha256(kept.encode()).hexdigest()}"


def make_rows(data: Path, seed: int = 20261123) -> Rows:
    draw, rows = random.Random(seed), Rows()  # noqa: S311 - a sample
    for user in json.loads(data.read_text(encoding="utf-8"))["users"]:
        _add_known(rows, draw, user)
    merchants = [_add_merchant(rows, draw, number) for number in range(MERCHANTS)]
    for number in range(CUSTOMERS):
        _add_customer(rows, draw, number)
    _add_history(rows, draw, merchants)
    _add_settlements(rows, draw)
    return rows


def _add_known(rows: Rows, draw: random.Random, known: Row) -> None:
    """A customer as `data.json` tells of them; what it leaves open is drawn."""
    user = {name: value for name, value in known.items() if name != "orders"}
    currency = known["orders"][0]["currency"] if known["orders"] else "USD"
    rows.users.append(user | {"frozen_reason": None, "registered_at": _at(TODAY, days=-400)})
    rows.wallets.append(_make_wallet(draw, user["id"], currency))
    for order in known["orders"]:
        day = datetime.strptime(order["number"][1:9], "%Y%m%d").replace(tzinfo=UTC)
        placed_at = day + timedelta(hours=2, minutes=int(order["number"][-4:]) % 180)
        _add_order(rows, draw, {**order, "user_id": user["id"]}, placed_at)


def _add_merchant(rows: Rows, draw: random.Random, number: int) -> Row:
    region, locale, currency = draw.choice(catalogue.MARKETS)
    shop = f"{catalogue.SHOPS[number % len(catalogue.SHOPS)]} {number + 1}"
    merchant = _make_user(draw, f"u-{3001 + number}", shop, region, locale, "merchant")
    rows.users.append(merchant)
    rows.wallets.append(_make_wallet(draw, merchant["id"], currency))
    return merchant


def _add_customer(rows: Rows, draw: random.Random, number: int) -> None:
    region, locale, currency = draw.choice(catalogue.MARKETS)
    is_chinese = locale == "zh-CN"
    names = (
        (catalogue.SURNAMES, catalogue.GIVEN) if is_chinese else (catalogue.FIRST, catalogue.LAST)
    )
    name = ("" if is_chinese else " ").join(map(draw.choice, names))
    user = _make_user(draw, f"u-{5001 + number}", name, region, locale, "consumer")
    is_frozen = draw.random() < 0.04
    if is_frozen:
        user["frozen_reason"] = draw.choice(catalogue.FROZEN_REASONS)
    rows.users.append(user)
    for extra in [currency, *(["USD"] if draw.random() < 0.1 and currency != "USD" else [])]:
        rows.wallets.append(_make_wallet(draw, user["id"], extra, is_frozen=is_frozen))


def _make_user(
    draw: random.Random, user_id: str, name: str, region: str, locale: str, role: str
) -> Row:
    return {
        "id": user_id,
        "name": name,
        "locale": locale,
        "region": region,
        "tier": draw.choices(("standard", "gold", "vip"), (80, 14, 6))[0],
        "role": role,
        "email": f"{user_id}@customers.example",
        "email_verified": draw.random() < 0.8,
        "phone_number": None,
        "phone_number_verified": False,
        "frozen_reason": None,
        "registered_at": _at(TODAY, days=-draw.randint(DAYS, 2000)),
    }


def _make_wallet(
    draw: random.Random, user_id: str, currency: str, *, is_frozen: bool = False
) -> Row:
    return {
        "id": f"w-{user_id.removeprefix('u-')}-{currency.lower()}",
        "user_id": user_id,
        "currency": currency,
        "balance": _money(draw.choice((0, 0, draw.randint(1, 99999)))),
        "frozen": is_frozen,
    }


def _add_history(rows: Rows, draw: random.Random, merchants: list[Row]) -> None:
    """What was bought in the days before; some customers buy often, most now and then."""
    buyers = [user for user in rows.users if user["id"].startswith("u-5")]
    weights = [draw.paretovariate(1.5) for _ in buyers]
    currencies = {wallet["user_id"]: wallet["currency"] for wallet in reversed(rows.wallets)}
    for day in range(DAYS, 0, -1):
        start = TODAY - timedelta(days=day)
        moments = sorted(draw.randrange(24 * 3600) for _ in range(draw.randint(35, 60)))
        for number, second in enumerate(moments):
            offer = draw.choices(catalogue.OFFERS, (55, 28, 9, 8))[0]
            buyer = draw.choices(buyers, weights)[0]
            order = _draw_order(draw, offer, buyer, currencies[buyer["id"]])
            order["number"] = f"{offer.prefix}{start:%Y%m%d}-{2000 + number:04d}"
            order["merchant_id"] = draw.choice(merchants)["id"]
            _add_order(rows, draw, order, start + timedelta(seconds=second))


def _draw_order(draw: random.Random, offer: Offer, buyer: Row, currency: str) -> Row:
    chinese, english = draw.choice(offer.titles)
    state = draw.choices((OrderState.COMPLETED, OrderState.REFUNDED, OrderState.FAILED), (93, 5, 2))
    return {
        "user_id": buyer["id"],
        "product": offer.product,
        "title": chinese if buyer["locale"] == "zh-CN" else english,
        "amount": _money(draw.choice(offer.prices)),
        "currency": currency,
        "state": state[0],
    }


def _add_order(rows: Rows, draw: random.Random, order: Row, placed_at: datetime) -> None:
    """The order with its payment, the card that was sold, and a dispute where there is one."""
    state, number = order["state"], order["number"]
    is_failed = state == OrderState.FAILED
    paid_at = placed_at + timedelta(seconds=draw.randint(8, 240))
    is_delivered = state in (OrderState.COMPLETED, OrderState.DISPUTED)
    delivered_at = paid_at + timedelta(seconds=draw.randint(2, 600))
    method = draw.choice(catalogue.METHODS.get(order["currency"], catalogue.METHODS[""]))
    payment_id = f"P{number[1:]}-{number[0]}"
    rows.orders.append(
        {"merchant_id": None, **order}
        | {
            "placed_at": _at(placed_at),
            "payment_id": payment_id,
            "delivered_at": _at(delivered_at) if is_delivered else None,
        }
    )
    refunded = "refunded" if state == OrderState.REFUNDED else "paid"
    rows.payments.append(
        {
            "id": payment_id,
            "order_no": number,
            "method": method,
            "amount": order["amount"],
            "currency": order["currency"],
            "state": "failed" if is_failed else refunded,
            "paid_at": None if is_failed else _at(paid_at),
        }
    )
    if order["product"] == "card-secret" and not is_failed:
        rows.cards.append(_make_card(draw, number, paid_at, is_redeemed=is_delivered))
    may_be_disputed = state in (OrderState.COMPLETED, OrderState.REFUNDED)
    if state == OrderState.DISPUTED or (may_be_disputed and draw.random() < 0.02):
        rows.disputes.append(_make_dispute(draw, number, placed_at, is_open=state in OPEN_STATES))


def _make_card(draw: random.Random, number: str, sold_at: datetime, *, is_redeemed: bool) -> Row:
    """Of the orders of `data.json` the secret can be told from the number, since demos need one:
    XK20-2611-2204-5788 was sold with K20261122-0457.
    """
    is_known = int(number[-4:]) < 2000
    code = f"XK{number[1:9]}{number[-4:]}88" if is_known else "".join(draw.choices(_CODE, k=16))
    return {
        "reference": f"V-{number[1:]}",
        "digest": digest_card(code),
        "product": "card-secret",
        "order_no": number,
        "state": "redeemed" if is_redeemed else "sold",
        "sold_at": _at(sold_at),
        "redeemed_at": _at(sold_at, minutes=draw.randint(1, 4000)) if is_redeemed else None,
    }


def _make_dispute(draw: random.Random, number: str, placed_at: datetime, *, is_open: bool) -> Row:
    decided = draw.choice(("won", "lost"))
    return {
        "id": f"D{number[1:]}",
        "order_no": number,
        "state": "open" if is_open else decided,
        "reason": draw.choice(catalogue.DISPUTE_REASONS),
        "opened_at": _at(placed_at, hours=draw.randint(1, 12)),
    }


def _add_settlements(rows: Rows, draw: random.Random) -> None:
    """What each merchant's sales came to, less our share, week by week; this week's is pending."""
    totals: dict[tuple[str, int, str], int] = {}
    for order in rows.orders:
        if order["merchant_id"] and order["state"] == OrderState.COMPLETED:
            week = (TODAY - datetime.fromisoformat(order["placed_at"])).days // 7
            place = (order["merchant_id"], week, order["currency"])
            share = int(order["amount"].replace(".", "")) * 97 // 100
            totals[place] = totals.get(place, 0) + share
    for (merchant_id, week, currency), total in sorted(totals.items()):
        until, shop = TODAY - timedelta(weeks=week), merchant_id.removeprefix("u-")
        rows.settlements.append(
            {
                "batch_no": f"{catalogue.SETTLEMENT_PREFIX}{until:%Y%m%d}-{shop}-{currency}",
                "merchant_id": merchant_id,
                "amount": _money(total),
                "currency": currency,
                "state": "pending" if week == 0 else draw.choices(("paid", "held"), (97, 3))[0],
                "until": _at(until),
            }
        )


def _money(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def _at(moment: datetime, **later: float) -> str:
    return (moment + timedelta(**later)).isoformat(timespec="seconds").replace("+00:00", "Z")
