"""Answers that no good platform gives: each is understood or refused with a reason, never worse."""

import json
import string
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.errors import UnparseableError
from caseweave.platform.reading import (
    check_snapshot,
    read_account,
    read_card,
    read_json,
    read_order,
    read_orders,
    read_payment,
)

READERS = [
    lambda said: read_account(said, "u-1"),
    lambda said: read_orders(said, "u-1", 10),
    lambda said: read_order(said, "T1"),
    lambda said: read_payment(said, "pay-1"),
    lambda said: read_card(said, "V-1"),
    lambda said: check_snapshot(said, "T1"),
]
ORDER = {
    "order_no": "T1",
    "user": "u-1",
    "product": "game-topup",
    "title": "…",
    "amount": "648.00",
    "currency": "CNY",
    "state": "paid",
    "placed_at": "2026-11-23T11:02:11Z",
    "payment_id": "pay-1",
    "dispute": "open",
}
GOOD = [
    {
        "user": "u-1", "name": "林", "tier": "vip", "role": "consumer", "locale": "zh-CN",
        "region": "CN", "frozen": False, "frozen_reason": None,
        "wallets": [{"id": "w-1", "currency": "CNY", "balance": "-1.5", "frozen": True}],
    },
    {"orders": [ORDER, {**ORDER, "order_no": "T2"}]},
    ORDER,
    {"id": "pay-1", "order_no": "T1", "amount": "1", "currency": "CNY", "state": "paid",
     "method": "card", "paid_at": "2026-11-23T11:02:11Z"},
    {"reference": "V-1", "digest": None, "product": "card", "state": "sold", "order_no": "T1",
     "sold_at": "2026-11-23T11:02:11Z", "redeemed_at": None},
    {"order": ORDER},
]  # fmt: skip

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["u-1", "T1", "pay-1", "V-1", "1.5", "CNY", "2026-11-23T11:02:11Z"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(string.ascii_lowercase, max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def understand(read, said):
    """Whatever comes up besides UnparseableError fails the test."""
    with suppress(UnparseableError):
        read(said)


@pytest.mark.parametrize("number", range(len(READERS)))
def test_what_the_contract_says_is_understood(number):
    READERS[number](GOOD[number])


@pytest.mark.parametrize("number", range(len(READERS)))
@given(data=st.data())
def test_one_odd_field_is_passed_over_or_refused(number, data):
    said = json.loads(json.dumps(GOOD[number]))
    places = [said, *(one for one in said.values() if isinstance(one, dict))]
    places += [one for many in said.values() if isinstance(many, list) for one in many]
    place = data.draw(st.sampled_from(places))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(values)

    understand(READERS[number], said)


@pytest.mark.parametrize("number", range(len(READERS)))
@given(said=st.dictionaries(st.text(max_size=10), values, max_size=5))
def test_nonsense_is_passed_over_or_refused(number, said):
    understand(READERS[number], said)


@given(st.binary(max_size=200))
def test_bytes_are_an_object_or_refused(body):
    understand(read_json, body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"1" * 10_000,
        b'"text"',
        b"null",
        b"<!doctype html>",
    ],
)
def test_what_is_no_object_is_refused(body):
    with pytest.raises(UnparseableError):
        read_json(body)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("amount", 648.0, "amount is not a text"),
        ("amount", "1e3", "amount is not of the form"),
        ("amount", "٣", "amount is not of the form"),
        ("amount", "9" * 16, "amount is not of the form"),
        ("amount", None, "amount is missing"),
        ("currency", "yuan", "currency is not of the form"),
        ("state", "", "state is missing"),
        ("placed_at", "yesterday", "placed_at is not an RFC 3339 time with its offset"),
        ("placed_at", "2026-11-23T11:02:11", "placed_at is not an RFC 3339 time with its offset"),
        ("placed_at", "0001-01-01T00:00:00+14:00", "placed_at is not an RFC 3339 time"),
        ("title", "x" * 501, "title is longer than 500 characters"),
        ("title", ["x"], "title is not a text"),
        ("order_no", "T2", "order_no is not the one that was asked for"),
    ],
)
def test_the_reason_names_the_field(field, value, reason):
    with pytest.raises(UnparseableError, match=reason):
        read_order({**ORDER, field: value}, "T1")


def test_half_a_surrogate_pair_can_be_sent_on():
    said = read_json(rb'{"user": "u-1", "name": "\ud800"}')

    assert read_account(said, "u-1").name.encode() == b"?"


def test_words_we_do_not_know_are_the_platforms_own():
    order = read_order({**ORDER, "state": "on_hold", "dispute": "in_arbitration"}, "T1")

    assert (order.state, order.dispute) == ("on_hold", "in_arbitration")
