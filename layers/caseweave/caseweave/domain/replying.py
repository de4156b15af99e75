"""What an agent says and notes in a case; each reply is queued in the outbox by being written."""

from dataclasses import replace
from datetime import datetime

from caseweave.domain.case import Case, CaseState
from caseweave.domain.clocks import ClockKind, stop_clock
from caseweave.domain.event import Actor, CaseChange, EventKind, begin_change
from caseweave.domain.message import (
    Channel,
    Delivery,
    DeliveryState,
    Direction,
    Message,
    Purpose,
)
from caseweave.errors import InvalidRequestError

MAX_REPLY = 10_000


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
    change = begin_change(case).add_message(
        EventKind.MESSAGE_QUEUED,
        actor,
        message,
        state=CaseState.OPEN if case.state is CaseState.NEW else case.state,
        clocks=tuple(
            stop_clock(clock, now)
            if clock.kind in (ClockKind.FIRST_REPLY, ClockKind.NEXT_REPLY)
            else clock
            for clock in case.clocks
        ),
    )
    return replace(change, after=replace(change.after, replied_seq=change.after.seq))


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


def make_outbound(
    case: Case,
    channel: Channel,
    body: str,
    purpose: Purpose,
    author: str,
    now: datetime,
    message_id: str,
) -> Message:
    """A queued message to the customer; *channel* must be one of the case's contacts."""
    contact = case.contacts[channel]
    return Message(
        id=message_id,
        case_id=case.id,
        customer_id=case.customer_id,
        direction=Direction.OUTBOUND,
        channel=channel,
        provider=contact.provider,
        author=author,
        body=body,
        subject=case.subject,
        occurred_at=now,
        received_at=now,
        purpose=purpose,
        contact=contact,
        fields={"reference": case.ref},
        delivery=Delivery(DeliveryState.QUEUED, now),
    )


def _require_body(body: str) -> None:
    if not body.strip():
        raise InvalidRequestError("The text is empty.", (("body", "write at least one character"),))
    if len(body) > MAX_REPLY:
        raise InvalidRequestError(
            "The text is too long.", (("body", f"write at most {MAX_REPLY} characters"),)
        )
