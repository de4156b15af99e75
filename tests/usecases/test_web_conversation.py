"""A customer's page goes on showing its conversation where agents merged or split the case."""

from datetime import timedelta

import pytest

from caseweave.agents.cases import reply
from caseweave.agents.relations import merge, split, unmerge
from caseweave.domain.identity import Address, AddressKind
from caseweave.domain.media import Links
from caseweave.domain.message import Channel
from caseweave.domain.tokens import issue_session_token
from caseweave.storage import cases
from caseweave.web_answers import list_web_messages
from tests.usecases.cases_apart import EXCERPT, MEI, Time
from tests.usecases.conftest import KEYS
from tests.usecases.test_router import route
from tests.usecases.world import NOON, message, proven, receive, unproven

VISITOR = Address(AddressKind.PLATFORM, "u-1")


def write(door, body, event, minutes=0, sender=VISITOR, **more):
    inbound = message(Channel.WEB, "web", proven(sender), body, event, **more)
    return receive(inbound, door, NOON + timedelta(minutes=minutes))


@pytest.fixture
def landed(table, door, desk):
    first = write(door, f"在吗, {EXCERPT}", "W1")
    route(first, desk)
    return first


@pytest.fixture
def tick():
    return Time()


def poll(landed, after=""):
    token = issue_session_token(landed.case_id, NOON + timedelta(days=1), KEYS)
    body = list_web_messages(token, after, KEYS, lambda _: Links(), NOON).body
    # The acknowledgement says nothing here.
    said = [one["body"] for one in body["items"] if "C-" not in one["body"]]
    return said, body["next"]


def answer(case_id, body, desk, moment):
    reply(case_id, {"body": body}, None, MEI, desk, moment, lambda *_: None)


def split_off(landed, desk, moment, **said):
    said = said or {"message": landed.message_id, "excerpt": EXCERPT}
    return split(landed.case_id, said, None, MEI, desk, moment)["new"]["id"]


def test_answers_written_in_the_other_case_after_a_merge_reach_the_page(landed, desk, tick):
    other = split_off(landed, desk, tick())
    answer(other, "before", desk, tick())
    before, cursor = poll(landed)
    merge(landed.case_id, {"into": other}, None, MEI, desk, tick())

    answer(other, "after", desk, tick())

    new, later = poll(landed, cursor)
    assert (before, new) == ([f"在吗, {EXCERPT}", "before"], ["after"])
    assert poll(landed, later) == ([], later)
    assert poll(landed)[0] == [f"在吗, {EXCERPT}", "before", "after"]


def test_what_another_session_of_the_customer_was_told_before_is_not_shown(
    landed, door, desk, tick
):
    other = split_off(landed, desk, tick(minutes=1))
    theirs = write(door, "another page", "W2", 2, unproven("page"), session_case_id=other)
    merge(other, {"into": landed.case_id}, None, MEI, desk, tick(minutes=3))

    assert poll(theirs)[0] == ["another page"]


def test_messages_that_moved_and_the_answers_to_them_stay_on_the_page(landed, door, desk, tick):
    second = write(door, "something else", "W2", 1, session_case_id=landed.case_id)
    before, cursor = poll(landed)
    other = split_off(landed, desk, tick(minutes=2), messages=[second.message_id])

    assert poll(landed, cursor)[0] == []
    answer(other, "about that", desk, tick(minutes=3))

    new, later = poll(landed, cursor)
    assert new == ["about that"]
    assert poll(landed)[0] == [*before, "about that"]
    assert poll(landed, later) == ([], later)


def test_a_page_of_a_case_that_was_given_back_shows_its_own_again(landed, desk, tick):
    other = split_off(landed, desk, tick())
    merge(other, {"into": landed.case_id}, None, MEI, desk, tick())
    answer(landed.case_id, "meanwhile", desk, tick())
    unmerge(other, {}, None, MEI, tick())

    assert cases.read_head(other).merged_into == ""
    assert poll(landed)[0][-1] == "meanwhile"


@pytest.mark.parametrize("cursor", ["~", "x~y:z", "1~:", "~9", "1~a:-1", "²"])
def test_no_cursor_is_too_strange(landed, cursor):
    poll(landed, cursor)
