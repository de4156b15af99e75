"""What the SLA schedule does with a case whose time has come: warn, breach, escalate one level."""

from dataclasses import replace
from datetime import datetime

from caseweave.domain.case import Case, CaseState, Priority
from caseweave.domain.clocks import Clock, ClockKind, explain_clock
from caseweave.domain.desk import Desk
from caseweave.domain.event import Actor, CaseChange, EventKind, begin_change
from caseweave.domain.handling import clocks_in_state
from caseweave.domain.state_change import change_state, describe_due
from caseweave.domain.times import to_rfc3339

SLA = Actor("system", "sla")
_RAISED = {
    Priority.LOW: Priority.NORMAL,
    Priority.NORMAL: Priority.HIGH,
    Priority.HIGH: Priority.URGENT,
    Priority.URGENT: Priority.URGENT,
}


def tick_case(case: Case, desk: Desk, now: datetime) -> CaseChange:
    """Everything that is due for *case* at *now*. Ticked again at once, nothing is left to do."""
    change = begin_change(case)
    if not case.is_active:
        return change
    follow_up = case.clock(ClockKind.FOLLOW_UP)
    if follow_up is not None and _is_time(follow_up, now):
        # First, since clocks that go on after it may be due at once.
        change = _follow_up(change, desk, now)
    for position, clock in enumerate(change.after.clocks):
        if not _is_time(clock, now):
            continue
        if clock.due_at is not None and clock.due_at <= now:
            change = _breach(change, position, desk, now)
        else:
            change = _warn(change, position, now)
    return change


def _is_time(clock: Clock, now: datetime) -> bool:
    return clock.next_at is not None and clock.next_at <= now


def _warn(change: CaseChange, position: int, now: datetime) -> CaseChange:
    clock = change.after.clocks[position]
    return change.record(
        EventKind.SLA_WARNED,
        SLA,
        now,
        {"clock": str(clock.kind), "policy": clock.policy, "due": describe_due(clock)},
        clocks=_with(change.after, position, replace(clock, warned_at=now)),
    )


def _breach(change: CaseChange, position: int, desk: Desk, now: datetime) -> CaseChange:
    clock = change.after.clocks[position]
    due_at = clock.due_at or now
    spans = explain_clock(clock, desk.calendar(clock.calendar), due_at)
    change = change.record(
        EventKind.SLA_BREACHED,
        SLA,
        now,
        {
            "clock": str(clock.kind),
            "policy": clock.policy,
            "calendar": clock.calendar,
            "started": to_rfc3339(clock.started_at),
            "due": describe_due(clock),
            "budget_seconds": int(clock.budget.total_seconds()),
            "segments": [
                {
                    "from": to_rfc3339(span.start),
                    "to": to_rfc3339(span.end),
                    "counted": span.is_counted,
                    "reason": span.reason,
                }
                for span in spans
            ],
        },
        clocks=_with(change.after, position, replace(clock, breached_at=now)),
    )
    return _escalate(change, clock, desk, now)


def _escalate(change: CaseChange, clock: Clock, desk: Desk, now: datetime) -> CaseChange:
    """One level up: to the team above where there is one, and one priority higher."""
    case = change.after
    team = desk.teams.get(case.team, "") or case.team
    priority = _RAISED[case.priority]
    return change.record(
        EventKind.CASE_ESCALATED,
        SLA,
        now,
        {
            "clock": str(clock.kind),
            "before": {"level": case.level, "team": case.team, "priority": str(case.priority)},
            "after": {"level": case.level + 1, "team": team, "priority": str(priority)},
        },
        level=case.level + 1,
        team=team,
        assignee=case.assignee if team == case.team else "",
        priority=priority,
    )


def _follow_up(change: CaseChange, desk: Desk, now: datetime) -> CaseChange:
    """Silence ends the wait: a resolved case is closed, a pending one is an agent's again."""
    case = change.after
    if case.state is CaseState.RESOLVED:
        state, reason = CaseState.CLOSED, "resolved, and the customer did not write again"
    else:
        state, reason = CaseState.OPEN, "waited long enough for the customer"
    clocks = clocks_in_state(case, state, desk, now)
    return change_state(change, state, reason, SLA, now, clocks)


def _with(case: Case, position: int, clock: Clock) -> tuple[Clock, ...]:
    return (*case.clocks[:position], clock, *case.clocks[position + 1 :])
