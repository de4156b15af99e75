"""What agents do with a case beside writing: assign it, change its state."""

from datetime import datetime

from caseweave.domain.case import Case, CaseState
from caseweave.domain.clocks import Clock, ClockKind, pause_clock, resume_clock, stop_clock
from caseweave.domain.desk import Desk
from caseweave.domain.event import Actor, CaseChange, EventKind, begin_change
from caseweave.domain.message import Purpose
from caseweave.domain.outbound import make_outbound
from caseweave.domain.state_change import change_state
from caseweave.domain.wording import Wording, fill_text
from caseweave.errors import InvalidRequestError

# From each state, the states a person may choose. NEW is where a case starts, never where it goes.
_ALLOWED = {
    CaseState.NEW: (CaseState.OPEN, CaseState.PENDING, CaseState.RESOLVED, CaseState.CLOSED),
    CaseState.OPEN: (CaseState.PENDING, CaseState.RESOLVED, CaseState.CLOSED),
    CaseState.PENDING: (CaseState.OPEN, CaseState.RESOLVED, CaseState.CLOSED),
    CaseState.RESOLVED: (CaseState.OPEN, CaseState.CLOSED),
    CaseState.CLOSED: (),
}


def assign_case(
    case: Case, team: str | None, agent: str | None, desk: Desk, actor: Actor, now: datetime
) -> CaseChange:
    """Give the case to a team, an agent, or both; a new team without an agent clears the agent.

    The same again is no change. Raises InvalidRequestError for a closed case, for a team the desk
    does not have, or when neither is given.
    """
    if not case.is_active:
        raise InvalidRequestError(
            "This case is closed.", (("state", "assign the customer's open case"),)
        )
    if team is None and agent is None:
        raise InvalidRequestError("Nobody to assign to.", (("team", "give a team or an agent"),))
    if team is not None and team not in desk.teams:
        known = ", ".join(sorted(desk.teams))
        raise InvalidRequestError(
            f"There is no team {team!r}.", (("team", f"use one of: {known}"),)
        )
    assignee = agent if agent is not None else ""
    if (team or case.team, assignee) == (case.team, case.assignee):
        return begin_change(case)
    return begin_change(case).record(
        EventKind.CASE_ASSIGNED,
        actor,
        now,
        {
            "team": team or case.team,
            "agent": assignee,
            "before": {"team": case.team, "agent": case.assignee},
        },
        team=team or case.team,
        assignee=assignee,
    )


def set_state(
    case: Case,
    state: CaseState,
    reason: str,
    desk: Desk,
    actor: Actor,
    now: datetime,
    message_id: str,
) -> CaseChange:
    """Move the case to *state*, its clocks with it.

    Resolving asks the customer whether it is solved (in the message with *message_id*): only
    their silence, or an agent, closes the case. Raises InvalidRequestError for a move that is not
    allowed; the same state again is no change.
    """
    change = begin_change(case)
    if state is case.state:
        return change
    if state not in _ALLOWED[case.state]:
        allowed = ", ".join(_ALLOWED[case.state]) or "none: a closed case stays closed"
        raise InvalidRequestError(
            f"A case that is {case.state} cannot become {state}.",
            (("state", f"use one of: {allowed}"),),
        )
    clocks = clocks_in_state(case, state, desk, now)
    change = change_state(change, state, reason, actor, now, clocks)
    if state is CaseState.RESOLVED and case.last_channel is not None:
        body = fill_text(desk.text("resolved", case.language), case, Wording())
        question = make_outbound(
            change.after, case.last_channel, body, Purpose.NOTICE, str(actor), now, message_id
        )
        change = change.add_message(EventKind.MESSAGE_QUEUED, actor, question)
    return change


def clocks_in_state(case: Case, state: CaseState, desk: Desk, now: datetime) -> tuple[Clock, ...]:
    """Waiting stops the reply clocks and pauses the outcome; working again resumes it."""
    if state is CaseState.CLOSED:
        return tuple(stop_clock(clock, now) for clock in case.clocks)
    if state is CaseState.OPEN:
        return tuple(
            stop_clock(clock, now)
            if clock.kind is ClockKind.FOLLOW_UP
            else resume_clock(clock, desk.calendar(clock.calendar), now)
            for clock in case.clocks
        )
    clocks = [rest_clock(clock, state, now) for clock in case.clocks]
    follow_up = desk.start_clock(ClockKind.FOLLOW_UP, f"waiting_{state}", now)
    return (*clocks, follow_up) if follow_up is not None else tuple(clocks)


def rest_clock(clock: Clock, state: CaseState, now: datetime) -> Clock:
    """A clock of a case that waits for the customer in *state*."""
    if clock.kind is ClockKind.OUTCOME:
        return pause_clock(clock, now, f"the case was {state}")
    return stop_clock(clock, now)
