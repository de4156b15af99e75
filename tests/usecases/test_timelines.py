"""A customer's timeline: every channel, every case, in order, and no page loses or repeats."""

from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caseweave.agents.caller import Caller, Moment
from caseweave.agents.cases import change_state
from caseweave.agents.timelines import LONGEST_SHOWN, show_timeline
from caseweave.domain.message import Channel, Direction, Message, timeline_place
from caseweave.domain.ulid import derive_ulid
from caseweave.errors import ForbiddenError, InvalidRequestError, NotFoundError
from caseweave.storage.cases import read_head
from caseweave.storage.items import table_connection
from caseweave.storage.rows import message_item
from caseweave.storage.timelines import read_timeline
from tests.usecases.test_router import route
from tests.usecases.world import (
    NOON,
    email,
    message,
    phone,
    platform,
    proven,
    receive,
    sms,
    telegram,
)

MEI = Caller("mei", ("agent",))
NAMES = count()


def customer_of(landed):
    return read_head(landed.case_id).customer_id


def walk(customer_id, limit, order):
    """Every item, page after page."""
    query = {"limit": str(limit), "order": order}
    while True:
        page = show_timeline(customer_id, query, MEI)
        assert len(page["items"]) <= limit
        yield from page["items"]
        if page["next"] is None:
            return
        query["cursor"] = page["next"]


@pytest.fixture
def ling(table, door, desk):
    """A customer with a closed case and a new one, who wrote on three channels."""
    user, number = platform("u-1"), phone("+8613800138000")
    both = proven(user, number)
    first = receive(message(Channel.WEB, "web", both, "充值没到账", "W1"), door)
    route(first, desk)
    receive(sms("+8613800138000", "还没到账", "SM1"), door, NOON + timedelta(minutes=5))
    now = NOON + timedelta(hours=1)
    said = {"state": "closed", "reason": "refunded"}
    change_state(first.case_id, said, None, MEI, desk, Moment(now, bytes))
    mail = message(
        Channel.EMAIL,
        "ses",
        proven(user, email("ling@shop.example")),
        "Where is my invoice?",
        "M1",
        subject="Invoice",
    )
    second = receive(mail, door, NOON + timedelta(hours=2))
    return first, second


def test_all_channels_and_cases_of_a_customer_are_one_history(ling):
    first, second = ling
    customer = customer_of(first)

    told = [
        (item["kind"], item["channel"], item["case"]["ref"], item["case"]["state"])
        for item in walk(customer, 50, "asc")
    ]

    assert told == [
        ("case_opened", None, first.ref, "closed"),
        ("message", "web", first.ref, "closed"),
        ("message", "web", first.ref, "closed"),
        ("message", "sms", first.ref, "closed"),
        ("case_closed", None, first.ref, "closed"),
        ("case_opened", None, second.ref, "new"),
        ("message", "email", second.ref, "new"),
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_the_pages_together_are_the_whole_in_both_orders(ling, limit):
    customer = customer_of(ling[0])
    whole = list(walk(customer, 50, "asc"))

    assert list(walk(customer, limit, "asc")) == whole
    assert list(walk(customer, limit, "desc")) == whole[::-1]


def test_a_closing_says_by_whom_and_why(ling):
    items = walk(customer_of(ling[0]), 50, "asc")

    (closing,) = [item for item in items if item["kind"] == "case_closed"]

    assert (closing["by"], closing["reason"]) == ("agent:mei", "refunded")


def test_a_late_mail_stands_where_it_was_written(ling, door):
    customer = customer_of(ling[0])
    late = NOON - timedelta(days=1)
    receive(
        sms("+8613800138000", "sent yesterday", "SM9", occurred_at=late),
        door,
        NOON + timedelta(hours=3),
    )

    oldest = next(walk(customer, 1, "asc"))

    assert oldest["message"]["body"] == "sent yesterday"


def test_a_long_message_is_cut_and_says_so(table, door):
    long = "没到账" * 1000
    landed = receive(sms("+8613800138000", long), door)

    shown = list(walk(customer_of(landed), 50, "asc"))[-1]["message"]

    assert (shown["body"], shown["is_cut"]) == (long[:LONGEST_SHOWN], True)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"order": "newest"}, "order"),
        ({"cursor": "%%%"}, "cursor"),
        ({"cursor": "WzEsMl0"}, "cursor"),
        ({"cursor": "bnVsbA"}, "cursor"),
        ({"cursor": "WyJhc2MiLCAiQ0FTRSMiXQ"}, "cursor"),
        ({"cursor": "\ud800"}, "cursor"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_to_write(ling, query, field):
    with pytest.raises(InvalidRequestError) as refused:
        show_timeline(customer_of(ling[0]), query, MEI)

    assert [name for name, _ in refused.value.errors] == [field]


def test_a_cursor_of_the_other_order_is_refused(ling):
    customer = customer_of(ling[0])
    cursor = show_timeline(customer, {"limit": "1"}, MEI)["next"]

    with pytest.raises(InvalidRequestError):
        show_timeline(customer, {"order": "desc", "cursor": cursor}, MEI)


def test_nobody_without_a_role_sees_it_and_nobody_unknown_has_one(ling):
    with pytest.raises(ForbiddenError):
        show_timeline(customer_of(ling[0]), {}, Caller("stranger", ()))
    with pytest.raises(NotFoundError):
        show_timeline("01ARZ3NDEKTSV4RRFFQ69G5FAV", {}, MEI)


# ---------------------------------------------------------------- the cursor


# Whole seconds collide, and mail and messengers tell nothing finer.
MOMENTS = st.integers(0, 20_000).map(lambda ms: NOON + timedelta(milliseconds=ms // 500 * 500))
ARRIVALS = st.lists(st.tuples(st.integers(0, 2), MOMENTS), max_size=6)


def store(member, at):
    """One message of a customer, as if it had just arrived."""
    name = derive_ulid(NOON, str(next(NAMES)))
    kept = Message(
        id=name,
        case_id="01ARZ3NDEKTSV4RRFFQ69G5FAV",
        customer_id=member,
        direction=Direction.INBOUND,
        channel=Channel.SMS,
        provider="twilio",
        author="phone:+8613800138000",
        body="还没到账",
        occurred_at=at,
        received_at=NOON + timedelta(hours=1),
    )
    item = message_item(kept)
    table_connection().put_item(item["pk"]["S"], item["sk"]["S"], attributes=item)
    return name


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    members=st.integers(1, 3),
    first=ARRIVALS,
    between=st.lists(ARRIVALS, max_size=4),
    limit=st.integers(1, 9),
    is_newest_first=st.booleans(),
)
def test_whatever_arrives_between_two_pages_nothing_is_lost_or_repeated(
    table, members, first, between, limit, is_newest_first
):
    """Property: what was there at the first page is shown once, in order; new things at most."""
    example = next(NAMES)
    family = [f"CUSTOMER{example}.{number}" for number in range(members)]
    known = {store(family[who % members], at) for who, at in first}
    arrivals, shown, after = list(between), [], ""
    while True:
        page = read_timeline(family, limit, after, is_newest_first=is_newest_first)
        shown += page.entries
        after = page.next
        if not after:
            break
        for who, at in arrivals.pop() if arrivals else ():
            store(family[who % members], at)

    names = [entry.id for entry in shown]
    assert len(names) == len(set(names))
    assert known <= set(names)
    places = [(timeline_place(entry)[0], entry.id) for entry in shown]
    assert places == sorted(places, reverse=is_newest_first)


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_telegram_and_a_phone_of_one_customer_interleave(table, door, order):
    both = proven(platform("u-7"), telegram("7"), phone("+8613900139000"))
    landed = receive(message(Channel.WEB, "web", both, "0", "W0"), door)
    for minute in range(1, 6):
        at = NOON + timedelta(minutes=minute)
        if minute % 2:
            receive(sms("+8613900139000", str(minute), f"S{minute}"), door, at)
        else:
            said = message(
                Channel.MESSENGER, "telegram", proven(telegram("7")), str(minute), f"T{minute}"
            )
            receive(said, door, at)

    items = walk(customer_of(landed), 2, order)
    bodies = [item["message"]["body"] for item in items if item["kind"] == "message"]

    assert bodies == sorted("012345", reverse=order == "desc")
