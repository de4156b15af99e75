"""The record of a customer's open cases: what is noted, what is kept, and for how long."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.domain.case import Case, CaseState
from caseweave.domain.open_cases import (
    CLOSED_FOR,
    MOST_CASES,
    MOST_CLOSED,
    MOST_ENTITIES,
    ListedCase,
    OpenCases,
    concerns_list,
    follow_case,
    join_entities,
)
from tests.domain.samples import CASE_ID, CUSTOMER_ID, at

NOON = at("2026-11-23 12:00")
EMPTY = OpenCases(CUSTOMER_ID)
CASE = Case(CASE_ID, "R", CUSTOMER_ID, CaseState.NEW, "frontline", "zh-CN", NOON, NOON)
CLOSED = replace(CASE, state=CaseState.CLOSED, updated_at=NOON + timedelta(hours=1))
LISTED = ListedCase(CASE_ID, CUSTOMER_ID, NOON, NOON)


def minute(number):
    return NOON + timedelta(minutes=number)


def listed(number, **more):
    return ListedCase(f"C{number:02}", CUSTOMER_ID, minute(number), minute(number), **more)


def test_a_case_is_listed_when_it_is_opened():
    assert follow_case(EMPTY, None, CASE) == replace(EMPTY, cases=(LISTED,))


def test_triage_gives_it_its_topic_and_closing_the_time():
    opened = replace(EMPTY, cases=(replace(LISTED, topic="dispute", follows="C0"),))
    triaged = replace(CASE, category="topup_fault")

    noted = follow_case(opened, CASE, triaged)
    closed = follow_case(noted, triaged, replace(CLOSED, category="topup_fault"))

    assert noted.cases == (replace(LISTED, topic="topup_fault", follows="C0"),)
    assert closed.cases == (replace(noted.cases[0], closed_at=NOON + timedelta(hours=1)),)
    assert closed.open == ()


def test_a_case_that_is_opened_again_is_listed_as_open():
    closed = replace(EMPTY, cases=(replace(LISTED, closed_at=NOON),))

    assert follow_case(closed, CLOSED, CASE).open == (LISTED,)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, CLOSED),
        (CASE, replace(CASE, state=CaseState.RESOLVED)),
        (CASE, replace(CASE, team="disputes", assignee="ling")),
        (CLOSED, replace(CLOSED, seq=9)),
    ],
    ids=["a notice", "resolved", "assigned", "an addition to a closed one"],
)
def test_what_changes_nothing_for_choosing_is_not_noted(before, after):
    assert not concerns_list(before, after)
    assert follow_case(EMPTY, before, after) is None


def test_the_topic_that_the_first_message_declared_needs_no_second_note():
    known = replace(EMPTY, cases=(replace(LISTED, topic="dispute"),))

    assert follow_case(known, CASE, replace(CASE, category="dispute")) is None


def test_a_case_that_found_no_room_is_noted_when_it_is_closed():
    noted = follow_case(EMPTY, CASE, CLOSED)

    assert [case.closed_at for case in noted.cases] == [CLOSED.updated_at]


def test_a_merged_case_is_found_as_the_other_from_then_on():
    other = replace(listed(3), entities=("b", "a"))
    known = replace(EMPTY, cases=(replace(LISTED, entities=("a", "c"), active_at=minute(9)), other))

    noted = follow_case(known, CASE, replace(CLOSED, merged_into=other.id))

    assert noted.cases == (replace(other, entities=("b", "a", "c"), active_at=minute(9)),)


def test_entities_are_bounded_and_the_new_ones_stay():
    many = tuple(str(number) for number in range(MOST_ENTITIES))

    assert join_entities(many, ("5", "new")) == (*many[1:5], *many[6:], "5", "new")


def test_the_open_cases_come_with_the_latest_active_first():
    early, late = listed(1, topic="a"), listed(2, topic="b")
    awake = replace(early, active_at=minute(9))

    assert EMPTY.note(early, late, at=minute(9)).open == (late, early)
    assert EMPTY.note(early, late, at=minute(9)).note(awake, at=minute(9)).open == (awake, late)


def test_a_closed_case_is_kept_for_the_longest_time_in_which_it_may_be_opened_again():
    closed = listed(0, closed_at=NOON)

    assert EMPTY.note(closed, at=NOON + CLOSED_FOR).cases == (closed,)
    assert EMPTY.note(closed, at=NOON + CLOSED_FOR + timedelta(seconds=1)).cases == ()


def test_only_the_lately_closed_are_kept():
    closed = [listed(n, closed_at=minute(100 + n)) for n in range(MOST_CLOSED + 5)]

    assert EMPTY.note(*reversed(closed), at=minute(200)).cases == tuple(closed[5:])


def test_when_there_are_too_many_the_closed_go_first_and_then_the_longest_silent():
    cases = [listed(0, closed_at=minute(99)), *(listed(n) for n in range(1, MOST_CASES + 2))]

    assert EMPTY.note(*cases, at=minute(99)).cases == tuple(cases[2:])


CASES = st.lists(
    st.builds(
        lambda number, closed: listed(number, closed_at=minute(closed) if closed else None),
        st.integers(0, 90),
        st.one_of(st.none(), st.integers(100, 200)),
    ),
    unique_by=lambda case: case.id,
    max_size=80,
)


@given(cases=CASES, data=st.data())
def test_what_is_kept_does_not_depend_on_the_order_and_is_bounded(cases, data):
    shuffled = data.draw(st.permutations(cases))

    kept = EMPTY.note(*cases, at=minute(200)).cases

    assert EMPTY.note(*shuffled, at=minute(200)).cases == kept
    assert len(kept) <= MOST_CASES
    assert sum(not case.is_open for case in kept) <= MOST_CLOSED
    assert sum(case.is_open for case in kept) == min(MOST_CASES, sum(c.is_open for c in cases))
