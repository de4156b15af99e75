"""Every name of a merged case leads on to the last case that it was merged into."""

from dataclasses import replace

import pytest

from caseweave.domain.event import Actor, EventKind, begin_change
from caseweave.errors import NotFoundError
from caseweave.storage import cases
from tests.usecases.world import NOON, receive, sms


def open_cases(door, count):
    landed = [receive(sms(f"+861380013800{n}", "hello", f"SM{n}"), door) for n in range(count)]
    return [cases.read_head(one.case_id) for one in landed]


def lead_on(case, into):
    """The bare redirect; what else a merge does is tested where it is done."""
    noted = begin_change(case).record(EventKind.CASE_FOLLOWS, Actor("agent", "mei"), NOON, {})
    change = replace(noted, after=replace(noted.after, merged_into=into.id, merged_seq=7))
    return cases.commit_change(change)


def test_a_case_that_was_not_merged_is_itself(table, door):
    (case,) = open_cases(door, 1)

    assert cases.read_current(case.id) == case
    assert cases.follow_merges(case) is case
    assert cases.find_case_id(case.ref) == cases.find_named_id(case.ref) == case.id


def test_ids_and_references_lead_through_every_merge(table, door):
    first, second, third = open_cases(door, 3)
    lead_on(second, third)
    merged = lead_on(first, second)

    assert (merged.merged_into, merged.merged_seq) == (second.id, 7)
    assert cases.read_current(first.id) == third
    assert cases.follow_merges(merged) == third
    assert cases.find_case_id(first.ref) == cases.find_case_id(first.id) == third.id
    assert cases.find_named_id(first.ref) == first.id
    assert cases.read_head(first.id) == merged


def test_what_is_no_case_is_not_found(table):
    for name in ("nothing", "C-0000-0000"):
        with pytest.raises(NotFoundError):
            cases.find_case_id(name)
