"""Who else looks at a case: shown while it is believed, and no change of the case."""

from datetime import timedelta

import pytest

from caseweave.agents.caller import Caller, Moment
from caseweave.agents.cases import read_case
from caseweave.agents.presence import be_present
from caseweave.domain.media import Links
from caseweave.errors import ForbiddenError, InvalidRequestError, NotFoundError
from caseweave.storage import cases
from tests.audit import audit
from tests.usecases.cases_apart import merge_into, open_case, split_off
from tests.usecases.world import NOON, crash_at_call

MEI, WEI, EVE = (Caller(name, ("agent",)) for name in ("mei", "wei", "eve"))


@pytest.fixture
def case(table, door, desk):
    return open_case(door, desk)


def at(seconds):
    return NOON + timedelta(minutes=5, seconds=seconds)


def say(case, caller, doing, seconds):
    return be_present(case.ref, {"doing": doing}, caller, Moment(at(seconds), bytes))


def present(case, viewer, seconds):
    shown = read_case(case.id, viewer, lambda _: Links(), at(seconds))["present"]
    return [(one["agent"], one["doing"], one["since"][-10:-5]) for one in shown]


def test_agents_see_who_else_looks_and_since_when_but_not_themselves(case):
    say(case, WEI, "viewing", 0)
    say(case, MEI, "viewing", 10)
    say(case, MEI, "typing", 20)

    assert present(case, EVE, 21) == [("wei", "viewing", "05:00"), ("mei", "typing", "05:20")]
    assert present(case, MEI, 21) == [("wei", "viewing", "05:00")]


def test_whoever_goes_on_looking_has_looked_since_the_beginning(case):
    for seconds in (0, 40, 80):
        say(case, WEI, "viewing", seconds)

    assert present(case, MEI, 100) == [("wei", "viewing", "05:00")]


def test_past_its_time_it_is_not_shown_though_the_record_is_still_there(case, dump):
    say(case, WEI, "viewing", 0)
    say(case, MEI, "typing", 0)

    assert present(case, EVE, 15) == [("wei", "viewing", "05:00")]
    assert present(case, EVE, 60) == []
    assert len([i for i in dump() if i["kind"]["S"] == "seen"]) == 2


def test_whoever_comes_back_looks_since_then(case):
    say(case, WEI, "viewing", 0)
    say(case, WEI, "viewing", 90)

    assert present(case, MEI, 91) == [("wei", "viewing", "06:30")]


def test_it_is_no_change_of_the_case_and_the_case_is_still_one_query(case, dump):
    before = cases.read_file(case.id)

    say(case, WEI, "viewing", 0)

    after = cases.read_file(case.id)
    assert (after.case, after.events, after.messages) == (
        before.case, before.events, before.messages,
    )  # fmt: skip
    assert cases.list_messages(case.id)[0] == list(before.messages)
    assert audit(dump()) == []
    with crash_at_call(0, after=False) as calls:
        read_case(case.id, MEI, lambda _: Links(), at(1))
    assert calls == ["Query"]


def test_it_costs_one_small_write(case):
    say(case, WEI, "typing", 0)

    with crash_at_call(0, after=False) as calls:
        be_present(case.id, {"doing": "typing"}, WEI, Moment(at(5), bytes))

    assert calls == ["GetItem", "UpdateItem"]


def test_the_record_removes_itself(case, dump):
    say(case, WEI, "typing", 0)

    (seen,) = [item for item in dump() if item["kind"]["S"] == "seen"]
    assert int(seen["expires_at"]["N"]) == int(at(15).timestamp())


def test_who_looks_at_a_merged_case_looks_at_the_other(case, desk):
    moment = Moment(at(0), lambda size: b"\1" * size)
    other = split_off(case, desk, moment)
    merge_into(other, case, desk, moment)

    say(other, WEI, "viewing", 1)

    assert present(case, MEI, 2) == [("wei", "viewing", "05:01")]


@pytest.mark.parametrize("said", [{}, {"doing": "sleeping"}, {"doing": 1}])
def test_nobody_does_anything_else(case, said):
    with pytest.raises(InvalidRequestError):
        be_present(case.id, said, WEI, Moment(NOON, bytes))


def test_nobody_looks_at_what_is_not_there_or_without_a_role(case):
    with pytest.raises(NotFoundError):
        be_present("nothing", {"doing": "viewing"}, WEI, Moment(NOON, bytes))
    with pytest.raises(ForbiddenError):
        be_present(case.id, {"doing": "viewing"}, Caller("x", ()), Moment(NOON, bytes))
