"""What agents write, on stored cases: nothing that was due vanishes because they came first."""

from datetime import timedelta

import pytest

from caseweave.agents.caller import Caller, Moment
from caseweave.agents.cases import change_state, note, reply
from caseweave.domain.event import EventKind, event_record
from caseweave.domain.evidence import find_broken_link
from caseweave.errors import StaleVersionError
from caseweave.storage import cases
from tests.usecases.test_router import route
from tests.usecases.world import NOON, receive, sms

MEI = Caller("mei", ("agent",))


def moment(at, entropy=bytes):
    return Moment(at, entropy)


@pytest.fixture
def case(table, door, desk):
    landed = receive(sms("+8613800138000", "充值没到账"), door)
    route(landed, desk)
    return cases.read_head(landed.case_id)


def kinds(case):
    return [e.kind for e in cases.read_file(case.id).events]


def test_a_reply_in_time_is_only_a_reply(case, desk):
    reply(case.id, {"body": "on it"}, None, MEI, desk, moment(NOON + timedelta(minutes=2)))

    assert EventKind.SLA_BREACHED not in kinds(case)


def test_a_reply_after_the_deadline_records_the_breach_that_no_sweep_saw(case, desk):
    late = NOON + timedelta(minutes=30)

    shown = reply(case.id, {"body": "sorry"}, case.version, MEI, desk, moment(late))

    new = kinds(case)[case.seq :]
    assert new == [
        EventKind.SLA_BREACHED,
        EventKind.CASE_ESCALATED,
        EventKind.MESSAGE_QUEUED,
        EventKind.STATE_CHANGED,
    ]
    assert shown["case"]["version"] == case.version + 1
    assert shown["case"]["level"] == 2


def test_resolving_does_not_hide_a_missed_deadline(case, desk):
    late = NOON + timedelta(minutes=30)

    change_state(case.id, {"state": "resolved"}, None, MEI, desk, moment(late))

    assert EventKind.SLA_BREACHED in kinds(case)


def test_the_chain_holds_across_what_was_due_and_what_was_written(case, desk):
    note(case.id, {"body": "called her"}, None, MEI, desk, moment(NOON + timedelta(hours=5)))

    file = cases.read_file(case.id)
    links = [
        (e.previous, e.digest, event_record(e.case_id, e.seq, e.at, e.actor, e.kind, e.data))
        for e in file.events
    ]
    assert find_broken_link(links) is None
    assert file.case.chain == file.events[-1].digest


def test_a_stale_version_writes_nothing_not_even_what_was_due(case, desk):
    before = kinds(case)
    late = moment(NOON + timedelta(hours=5))
    with pytest.raises(StaleVersionError):
        note(case.id, {"body": "x"}, case.version - 1, MEI, desk, late)

    assert kinds(case) == before
