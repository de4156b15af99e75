"""What an agent says and notes in a case; each reply is queued in the outbox by being written."""

from dataclasses import replace
from datetime import datetime

from caseweave.domain.case import Case, CaseState
from caseweave.domain.clocks import ClockKind, stop_clock
from caseweave.domain.event import Actor, CaseChange, EventKind, begin_change
from caseweave.domain.handling import change_state
from caseweave.domain.message import Channel, Direction, Message, Purpose
from caseweave.domain.outbound import make_outbound
from caseweave.errors import InvalidRequestError

MAX_REPLY = 10_000
_REPLY_CLOCKS = (ClockKind.FIRST_REPLY, ClockKind.NEXT_REPLY)


def reply_to_customer(
    case: Case, body: str, channel: Channel | None, actor: Actor, now: datetime, message_id: str
) -> CaseChange:
    """An agent's reply on *channel*, or on the one the customer used last.

    It stops the reply clocks. Raises InvalidRequestError for an empty or overlong body, a closed
    case, or a channel on which the customer never wrote.
    """
    _require_body(body)
    if not case.is_active:
        raise InvalidRequestError(
            "This case is closed.", (("state", "open the case again before you reply"),)
        )
    chosen = channel or case.last_channel
    if chosen is None or chosen not in case.contacts:
        known = ", ".join(case.contacts) or "none"
        raise InvalidRequestError(
            f"The customer cannot be reached by {chosen}.", (("channel", f"use one of: {known}"),)
        )
    message = make_outbound(case, chosen, body, Purpose.REPLY, str(actor), now, message_id)
    clocks = tuple(
        stop_clock(clock, now) if clock.kind in _REPLY_CLOCKS else clock for clock in case.clocks
    )
    change = begin_change(case).add_message(EventKind.MESSAGE_QUEUED, actor, message, clocks=clocks)
    change = replace(change, after=replace(change.after, replied_seq=change.after.seq))
    if case.state is not CaseState.NEW:
        return change
    return change_state(change, CaseState.OPEN, "answered", actor, now, clocks)


def add_note(case: Case, body: str, actor: Actor, now: datetime, message_id: str) -> CaseChange:
    """A note that only agents see."""
    _require_body(body)
    note = Message(
        id=message_id,
        case_id=case.id,
        customer_id=case.customer_id,
        direction=Direction.NOTE,
        channel=case.last_channel or Channel.WEB,
        provider="caseweave",
        author=str(actor),
        body=body,
        occurred_at=now,
        received_at=now,
    )
    return begin_change(case).add_message(EventKind.NOTE_ADDED, actor, note)


def _require_body(body: str) -> None:
    if not body.strip():
        raise InvalidRequestError("The text is empty.", (("body", "write at least one character"),))
    if len(body) > MAX_REPLY:
        raise InvalidRequestError(
            "The text is too long.", (("body", f"write at most {MAX_REPLY} characters"),)
        )
