"""Rebuilding into an empty table: the same cases, customers and messages, between the same ends."""

from datetime import timedelta
from itertools import count

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caseweave.domain.case import CaseState
from caseweave.domain.clocks import stop_clock
from caseweave.domain.event import Actor, begin_change
from caseweave.domain.handling import change_state
from caseweave.errors import InvalidRequestError
from caseweave.parts import sweep_parts
from caseweave.rebuild import Rebuilder
from caseweave.replay import Replayer
from caseweave.storage.cases import commit_change, read_head
from caseweave.storage.ledger import LedgerName
from caseweave.storage.ledger_pages import LedgerFilter, list_all
from caseweave.storage.table import use_table
from tests.usecases.test_replay import SMS, STEPS, as_request, deliver, take
from tests.usecases.world import NOON, YEAR

_numbers = count(500)
# What the desk's own work leaves in a table, and what a table is for a time only.
COMPARED = (
    "address",
    "case",
    "customer",
    "event",
    "ledger",
    "link",
    "message",
    "open_case",
    "pointer",
)


def dump_table(name):
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=name)
    items = [item for page in pages for item in page["Items"]]
    kept = [item for item in items if item["kind"]["S"] in COMPARED]
    return sorted(kept, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def close_all(at):
    """As an agent closes what is open."""
    for case_id in {line.case_id for line in list_all(LedgerFilter()) if line.case_id}:
        case = read_head(case_id)
        if case.is_active:
            change = begin_change(case)
            agent = Actor("agent", "a")
            clocks = tuple(stop_clock(clock, at) for clock in case.clocks)
            commit_change(change_state(change, CaseState.CLOSED, "done", agent, at, clocks))


def rebuild(source, target, door, wanted=None):
    deviations = []
    replayer = Replayer("files", SMS.__getitem__, door, YEAR)
    wanted = wanted or LedgerFilter()
    try:
        Rebuilder(source, target, replayer).rebuild(wanted, deviations.append)
    finally:
        use_table(source)
    return deviations


HISTORIES = st.lists(
    st.one_of(STEPS.map(tuple), st.just(("close",)), st.just(("sweep",))), max_size=6
)


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(history=HISTORIES)
def test_any_history_is_rebuilt_record_by_record(table, make_empty, door, history):
    source = make_empty()
    use_table(source)
    base, minute = next(_numbers) * 1000, 0
    for chapter in history:
        minute += 5
        at = NOON + timedelta(minutes=minute)
        if chapter == ("close",):
            close_all(at)
        elif chapter == ("sweep",):
            sweep_parts(door, YEAR, at)
        else:
            for step in chapter:
                minute += 1
                request = as_request(*step, minute, base)
                deliver(request, door, NOON + timedelta(minutes=minute))
    target = make_empty()

    assert rebuild(source, target, door) == []
    assert dump_table(target) == dump_table(source)


def test_a_case_that_was_closed_between_two_messages_makes_two_cases_again(table, make_empty, door):
    take(door, 1, 1, NOON)
    close_all(NOON + timedelta(hours=1))
    take(door, 1, 2, NOON + timedelta(hours=2))
    target = make_empty()

    assert rebuild(table, target, door) == []

    rebuilt = dump_table(target)
    states = [item["state"]["S"] for item in rebuilt if item["kind"]["S"] == "case"]
    assert sorted(states) == ["closed", "new"]
    assert rebuilt == dump_table(table)


def test_a_table_that_has_records_is_left_alone(table, make_empty, door):
    take(door, 1, 1, NOON)
    target = make_empty()
    use_table(target)
    take(door, 2, 2, NOON)
    before = dump_table(target)

    with pytest.raises(InvalidRequestError, match="has records"):
        rebuild(table, target, door)

    assert dump_table(target) == before


def test_what_cannot_land_where_it_had_is_told(table, make_empty, door):
    take(door, 1, 1, NOON)
    take(door, 1, 2, NOON + timedelta(hours=1))
    target = make_empty()

    # Without the first message, the second opens a case of its own.
    (told,) = rebuild(table, target, door, LedgerFilter(since=NOON + timedelta(minutes=1)))

    assert (told.name, told.reason[:11]) == (LedgerName("telegram", "7", "2"), "it was in c")
