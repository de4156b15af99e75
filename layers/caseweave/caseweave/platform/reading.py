"""The platform's JSON to records. Any part of it may be missing, odd or hostile.

What the contract does not name is passed over; what it requires must be there in the right form.
Raises UnparseableError, which says what is wrong.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from caseweave.domain.times import from_rfc3339
from caseweave.errors import UnparseableError
from caseweave.platform.records import Account, Card, Order, Payment, Wallet

T = TypeVar("T")
_LONGEST_TEXT = 500
_MOST_WALLETS = 50
_AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,8})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z0-9]{3,8}", re.ASCII)


def read_json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnparseableError("the answer is not JSON") from error
    if not isinstance(value, dict):
        raise UnparseableError("the answer is JSON, but not an object")
    return value


def read_account(said: Mapping[str, Any], user: str) -> Account:
    return Account(
        user=_same(said, "user", user),
        name=_text(said, "name"),
        tier=_text(said, "tier"),
        role=_text(said, "role"),
        locale=_text(said, "locale"),
        region=_text(said, "region"),
        is_frozen=_flag(said, "frozen"),
        frozen_reason=_text(said, "frozen_reason"),
        wallets=_list(said, "wallets", _read_wallet, _MOST_WALLETS),
    )


def _read_wallet(said: Mapping[str, Any]) -> Wallet:
    return Wallet(
        id=_needed(said, "id"),
        currency=_matching(said, "currency", _CURRENCY),
        balance=_matching(said, "balance", _AMOUNT),
        is_frozen=_flag(said, "frozen"),
    )


def read_orders(said: Mapping[str, Any], user: str, limit: int) -> tuple[Order, ...]:
    """The account's last orders, the newest first; not one of anybody else."""
    if "orders" not in said:
        raise UnparseableError("orders is missing")
    found = _list(said, "orders", _read_order, limit)
    for order in found:
        if order.user != user:
            raise UnparseableError("orders has an order of another user")
    return found


def read_order(said: Mapping[str, Any], order_no: str) -> Order:
    _same(said, "order_no", order_no)
    return _read_order(said)


def _read_order(said: Mapping[str, Any]) -> Order:
    return Order(
        order_no=_needed(said, "order_no"),
        user=_needed(said, "user"),
        product=_text(said, "product"),
        title=_text(said, "title"),
        amount=_matching(said, "amount", _AMOUNT),
        currency=_matching(said, "currency", _CURRENCY),
        state=_needed(said, "state"),
        placed_at=_time(said, "placed_at"),
        payment_id=_text(said, "payment_id"),
        dispute=_text(said, "dispute"),
    )


def read_payment(said: Mapping[str, Any], payment_id: str) -> Payment:
    return Payment(
        id=_same(said, "id", payment_id),
        order_no=_needed(said, "order_no"),
        method=_text(said, "method"),
        amount=_matching(said, "amount", _AMOUNT),
        currency=_matching(said, "currency", _CURRENCY),
        state=_needed(said, "state"),
        paid_at=_optional_time(said, "paid_at"),
    )


def read_card(said: Mapping[str, Any], name: str) -> Card:
    """The card asked for as *name*: its digest or its reference."""
    if name not in (said.get("digest"), said.get("reference")):
        raise UnparseableError("this is not the card that was asked for")
    return Card(
        reference=_needed(said, "reference"),
        product=_text(said, "product"),
        state=_needed(said, "state"),
        order_no=_text(said, "order_no"),
        sold_at=_optional_time(said, "sold_at"),
        redeemed_at=_optional_time(said, "redeemed_at"),
    )


def check_snapshot(said: Mapping[str, Any], order_no: str) -> None:
    """That it is about the order asked for; the rest is evidence, whatever it says."""
    order = said.get("order")
    if not isinstance(order, dict):
        raise UnparseableError("order is missing")
    _same(order, "order_no", order_no)


def _text(said: Mapping[str, Any], name: str) -> str:
    """A text, "" where there is none."""
    value = said.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UnparseableError(f"{name} is not a text")
    if len(value) > _LONGEST_TEXT:
        raise UnparseableError(f"{name} is longer than {_LONGEST_TEXT} characters")
    # Half a surrogate pair could neither be stored nor sent on.
    return value.encode("utf-8", "replace").decode()


def _needed(said: Mapping[str, Any], name: str) -> str:
    value = _text(said, name)
    if not value:
        raise UnparseableError(f"{name} is missing")
    return value


def _same(said: Mapping[str, Any], name: str, asked: str) -> str:
    value = _needed(said, name)
    if value != asked:
        raise UnparseableError(f"{name} is not the one that was asked for")
    return value


def _matching(said: Mapping[str, Any], name: str, form: re.Pattern[str]) -> str:
    value = _needed(said, name)
    if not form.fullmatch(value):
        raise UnparseableError(f"{name} is not of the form {form.pattern}")
    return value


def _flag(said: Mapping[str, Any], name: str) -> bool:
    value = said.get(name)
    if value is not None and not isinstance(value, bool):
        raise UnparseableError(f"{name} is neither true nor false")
    return bool(value)


def _time(said: Mapping[str, Any], name: str) -> datetime:
    try:
        return from_rfc3339(_needed(said, name))
    except ValueError as error:
        raise UnparseableError(f"{name} is not an RFC 3339 time with its offset") from error


def _optional_time(said: Mapping[str, Any], name: str) -> datetime | None:
    return _time(said, name) if said.get(name) is not None else None


def _list(
    said: Mapping[str, Any], name: str, read: Callable[[Mapping[str, Any]], T], most: int
) -> tuple[T, ...]:
    """The first *most* of a list of objects; nothing where there is none."""
    value = said.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise UnparseableError(f"{name} is not a list of objects")
    return tuple(read(one) for one in value[:most])
