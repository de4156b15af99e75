"""The event of a change of state, whoever makes it."""

from dataclasses import replace
from datetime import datetime

from caseweave.domain.case import CaseState
from caseweave.domain.clocks import Clock
from caseweave.domain.event import Actor, CaseChange, EventKind
from caseweave.domain.times import to_rfc3339


def change_state(
    change: CaseChange,
    state: CaseState,
    reason: str,
    actor: Actor,
    now: datetime,
    clocks: tuple[Clock, ...],
) -> CaseChange:
    """The event of a change of state, and the clocks as they are from then on."""
    change = change.record(
        EventKind.STATE_CHANGED,
        actor,
        now,
        {
            "before": str(change.after.state),
            "after": str(state),
            "due": {str(clock.kind): describe_due(clock) for clock in clocks if clock.is_running},
        },
        {"reason": reason},
        state=state,
        clocks=clocks,
    )
    return replace(change, after=replace(change.after, state_seq=change.after.seq))


def describe_due(clock: Clock) -> str | None:
    return None if clock.due_at is None else to_rfc3339(clock.due_at)
