"""Search and timelines over customers and cases that were merged: one history, and back again."""

from datetime import timedelta

import pytest

from caseweave.agents import identities, relations
from caseweave.agents.caller import Caller, Moment
from caseweave.agents.search import Searching, search
from caseweave.agents.timelines import show_timeline
from caseweave.storage.cases import read_head
from caseweave.text_search import find_in_table
from tests.usecases.conftest import KEYS
from tests.usecases.test_search import settle
from tests.usecases.world import NOON, receive, sms

MEI = Caller("mei", ("agent",))
LEAD = Caller("lin", ("lead",))
LATER = NOON + timedelta(hours=5)
FIRST, SECOND = "+8613800138000", "+8613900139000"


def moment(number):
    at = LATER + timedelta(minutes=number)
    return Moment(at, lambda size: bytes([number]) * size)


@pytest.fixture
def pair(table, door, desk):
    """The cases of two numbers, which turn out to be one person's, about one matter."""
    landed = []
    for number, (phone, body) in enumerate(((FIRST, "充值没到账"), (SECOND, "还是没到账 100元"))):
        at = NOON + timedelta(hours=number)
        landed.append(settle(receive(sms(phone, body, f"SM{number}"), door, at), desk))
    return [read_head(one.case_id) for one in landed]


def find(desk, q, **query):
    searching = Searching(desk, KEYS, find_in_table, "table", LATER)
    return search({"q": q, **query}, MEI, searching)["items"]


def refs(items):
    return [item["case"]["ref"] for item in items]


def bodies(customer, **query):
    items = show_timeline(customer, query, MEI)["items"]
    return [i["message"]["body"] for i in items if i["message"] and i["kind"] == "message"]


def test_the_history_of_merged_customers_is_one_whoever_is_asked(pair, desk):
    first, second = pair
    identities.merge(
        first.customer_id,
        {"customer_id": second.customer_id, "reason": "same person"},
        LEAD,
        moment(1),
    )

    for asked in (first.customer_id, second.customer_id):
        shown = show_timeline(asked, {}, MEI)
        assert shown["customer_id"] == first.customer_id
        assert shown["members"] == [first.customer_id, second.customer_id]
        said = [i["message"]["body"] for i in shown["items"] if i["message"]]
        assert [one for one in said if "没到账" in one] == ["充值没到账", "还是没到账 100元"]
    assert refs(find(desk, SECOND)) == refs(find(desk, FIRST)) == [second.ref, first.ref]


def test_pages_over_merged_customers_overlap_nowhere(pair, desk):
    first, second = pair
    whole = bodies(first.customer_id) + bodies(second.customer_id)
    said = {"customer_id": second.customer_id, "reason": "same person"}
    identities.merge(first.customer_id, said, LEAD, moment(1))
    paged, cursor = [], {}
    while True:
        page = show_timeline(first.customer_id, {"limit": "1", **cursor}, MEI)
        paged += [i["message"]["body"] for i in page["items"] if i["message"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}

    assert sorted(paged) == sorted(whole)


def test_a_merged_case_is_found_as_the_one_it_was_merged_into(pair, desk):
    first, second = pair
    said = {"customer_id": second.customer_id, "reason": "same person"}
    identities.merge(first.customer_id, said, LEAD, moment(1))
    relations.merge(second.ref, {"into": first.ref}, None, MEI, desk, moment(2))

    assert refs(find(desk, "100元")) == [first.ref]
    assert refs(find(desk, second.ref)) == [first.ref]
    (both,) = find(desk, "没到账", kind="text")
    assert both["case"]["ref"] == first.ref
    assert [one["excerpt"] for one in both["matches"]] == ["还是没到账 100元", "充值没到账"]
    items = show_timeline(first.customer_id, {}, MEI)["items"]
    closed = [item for item in items if item["kind"] == "case_closed"]
    assert [(one["case"]["ref"], one["case"]["merged_into"]) for one in closed] == [
        (second.ref, first.id)
    ]
