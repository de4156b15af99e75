"""The SLA sweep on stored cases: everything due is done once; the cost is what is due."""

from contextlib import suppress
from datetime import timedelta

import pytest

from caseweave.domain.event import EventKind
from caseweave.domain.ulid import make_ulid
from caseweave.sla import sweep_due_cases
from caseweave.storage import cases
from caseweave.storage.table import due_partition, due_partitions
from caseweave.sweeping import SweepError
from tests.usecases.test_router import route
from tests.usecases.world import NOON, CrashError, crash_at_call, receive, sms

MINUTE = timedelta(minutes=1)


def open_routed(door, desk, number, body="充值没到账"):
    landed = receive(sms(number, body, f"SM{number}"), door)
    route(landed, desk)
    return landed


def kinds(case_id):
    return [e.kind for e in cases.read_file(case_id).events if e.actor.name == "sla"]


def test_a_case_is_warned_then_breached_then_left_alone(table, door, desk):
    landed = open_routed(door, desk, "+8613800138000")

    changed = [sweep_due_cases(desk, NOON + n * MINUTE) for n in range(15)]

    assert changed == [0] * 7 + [1, 0, 0, 1, 0, 0, 0, 0]
    assert kinds(landed.case_id) == [
        EventKind.SLA_WARNED,
        EventKind.SLA_BREACHED,
        EventKind.CASE_ESCALATED,
    ]
    case = cases.read_head(landed.case_id)
    assert (case.level, case.team, case.priority) == (2, "seniors", "urgent")


def test_a_breach_stores_how_its_time_was_counted(table, door, desk):
    landed = open_routed(door, desk, "+8613800138000")

    sweep_due_cases(desk, NOON + timedelta(hours=1))

    (breach,) = [
        e.data for e in cases.read_file(landed.case_id).events if e.kind is EventKind.SLA_BREACHED
    ]
    assert breach["segments"] == [
        {
            "from": "2026-11-23T12:00:00.000Z",
            "to": "2026-11-23T12:10:00.000Z",
            "counted": True,
            "reason": "working time of always",
        }
    ]


def test_an_untriaged_case_has_a_deadline_too(table, door, desk):
    """A router that never ran must not make a case timeless (P7)."""
    landed = receive(sms("+8613800138000"), door)

    sweep_due_cases(desk, NOON + timedelta(hours=1))

    assert EventKind.SLA_BREACHED in kinds(landed.case_id)


def test_a_sweep_reads_what_is_due_not_what_is_open(table, door, desk):
    for number in range(8):
        open_routed(door, desk, f"+86138001380{number:02}")
    with crash_at_call(0, after=False) as calls:
        assert sweep_due_cases(desk, NOON) == 0

    assert calls == ["Query"] * 4


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 9))
def test_dying_in_a_sweep_neither_skips_nor_repeats_an_escalation(table, door, desk, number, after):
    landed = open_routed(door, desk, "+8613800138000")
    late = NOON + timedelta(minutes=11)
    with crash_at_call(number, after=after), suppress(CrashError, SweepError):
        sweep_due_cases(desk, late)

    sweep_due_cases(desk, late)
    sweep_due_cases(desk, late)

    assert kinds(landed.case_id).count(EventKind.SLA_BREACHED) == 1
    assert cases.read_head(landed.case_id).level == 2


def test_case_ids_spread_over_all_shards(table):
    ids = [make_ulid(NOON, n.to_bytes(10)) for n in range(200)]

    assert {due_partition(one) for one in ids} == set(due_partitions())
