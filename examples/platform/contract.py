"""What the support desk may ask (docs/platform-connector.openapi.yaml), from the database."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, unquote

from examples.platform.database import Database
from examples.platform.seeding import Row

MOST_ORDERS = 50
_ORDER = """
  select number as order_no, user_id as user, product, title, amount, currency, orders.state,
    placed_at, payment_id, disputes.state as dispute
  from orders left join disputes on disputes.order_no = orders.number
"""
_CARD = "select reference, digest, product, order_no, state, sold_at, redeemed_at from cards"
_PAYMENT = "select * from payments"


class RefusedError(Exception):
    """The question cannot be answered; becomes a problem document."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def find_answer(target: str) -> Callable[[Database], Row] | None:
    """What answers GET *target* (path and query); None where the contract has no such path."""
    path, _, query = target.partition("?")
    for pattern, answer in _PATHS:
        found = pattern.fullmatch(path)
        if found:
            return lambda database: answer(database, unquote(found[1]), query)
    return None


def _read_account(database: Database, user_id: str, _query: str) -> Row:
    user = _known(database.find("select * from users where id = ?", user_id), "account")
    wallets = database.list("select * from wallets where user_id = ? order by id", user_id)
    names = ("name", "tier", "role", "locale", "region", "frozen_reason")
    return {
        "user": user["id"],
        **{name: user[name] for name in names},
        "frozen": user["frozen_reason"] is not None,
        "wallets": [
            {name: wallet[name] for name in ("id", "currency", "balance")}
            | {"frozen": bool(wallet["frozen"])}
            for wallet in wallets
        ],
    }


def _list_orders(database: Database, user_id: str, query: str) -> Row:
    _known(database.find("select id from users where id = ?", user_id), "account")
    asked = parse_qs(query).get("limit", ["10"])[-1]
    if not asked.isascii() or not asked.isdecimal() or not 1 <= int(asked) <= MOST_ORDERS:
        raise RefusedError(400, f"limit must be a number from 1 to {MOST_ORDERS}")
    ordered = f"{_ORDER} where user_id = ? order by placed_at desc, number limit ?"
    return {"orders": database.list(ordered, user_id, int(asked))}


def _read_order(database: Database, order_no: str, _query: str = "") -> Row:
    return _known(database.find(f"{_ORDER} where number = ?", order_no), "order")


def _take_snapshot(database: Database, order_no: str, _query: str) -> Row:
    order = _read_order(database, order_no)
    return {
        "order": order,
        "payment": database.find(f"{_PAYMENT} where order_no = ?", order_no),
        "cards": database.list(f"{_CARD} where order_no = ?", order_no),
        "delivery": _describe_delivery(database, order),
    }


def _describe_delivery(database: Database, order: Row) -> Row:
    query = (
        "select delivered_at, email from orders join users on users.id = user_id where number = ?"
    )
    row = _known(database.find(query, order["order_no"]), "order")
    mailbox, _, domain = row["email"].partition("@")
    return {
        "state": "delivered" if row["delivered_at"] else "not_delivered",
        "to": f"{mailbox[:1]}***@{domain}",
        "delivered_at": row["delivered_at"],
    }


def _read_card(database: Database, name: str, _query: str) -> Row:
    return _known(database.find(f"{_CARD} where digest = ? or reference = ?", name, name), "card")


def _read_payment(database: Database, payment_id: str, _query: str) -> Row:
    return _known(database.find(f"{_PAYMENT} where id = ?", payment_id), "payment")


def _known(row: Row | None, what: str) -> Row:
    if row is None:
        raise RefusedError(404, f"there is no such {what}")
    return row


_PATHS: tuple[tuple[re.Pattern[str], Callable[[Database, str, str], Row]], ...] = (
    (re.compile(r"/accounts/([^/]+)"), _read_account),
    (re.compile(r"/accounts/([^/]+)/orders"), _list_orders),
    (re.compile(r"/orders/([^/]+)"), _read_order),
    (re.compile(r"/orders/([^/]+)/snapshot"), _take_snapshot),
    (re.compile(r"/cards/([^/]+)"), _read_card),
    (re.compile(r"/payments/([^/]+)"), _read_payment),
)
