"""What an agent says and notes in a case; each reply is queued in the outbox by being written."""

from dataclasses import dataclass, replace
from datetime import datetime

from caseweave.domain.case import Case, CaseState
from caseweave.domain.clocks import ClockKind, stop_clock
from caseweave.domain.event import Actor, CaseChange, EventKind, begin_change
from caseweave.domain.message import Attachment, Channel, Direction, Message, Purpose
from caseweave.domain.outbound import make_outbound
from caseweave.domain.state_change import change_state
from caseweave.errors import InvalidRequestError

MAX_REPLY = 10_000
MOST_CHOICES = 10
LONGEST_CHOICE = 40
_REPLY_CLOCKS = (ClockKind.FIRST_REPLY, ClockKind.NEXT_REPLY)


@dataclass(frozen=True, slots=True)
class Enclosure:
    """What goes with the words of a reply: files that are stored, what the customer can answer by
    one tap, and the customer's message that it answers, if any.
    """

    attachments: tuple[Attachment, ...] = ()
    quick_replies: tuple[str, ...] = ()
    answered: Message | None = None


def reply_to_customer(
    case: Case,
    body: str,
    channel: Channel | None,
    actor: Actor,
    now: datetime,
    message_id: str,
    enclosure: Enclosure | None = None,
) -> CaseChange:
    """An agent's reply on *channel*, or on the one the customer used last.

    The answer to one message leaves where that came in. It stops the reply clocks. Raises
    InvalidRequestError for an empty or overlong body, a closed case, a channel on which the
    customer never wrote, or what cannot be enclosed.
    """
    enclosure = enclosure or Enclosure()
    if body.strip() or not enclosure.attachments or enclosure.quick_replies:
        _require_body(body)
    _require_quick_replies(enclosure.quick_replies)
    if not case.is_active:
        raise InvalidRequestError(
            "This case is closed.", (("state", "open the case again before you reply"),)
        )
    answered = enclosure.answered
    chosen = _choose_channel(case, channel, answered)
    message = make_outbound(
        case,
        chosen,
        body,
        Purpose.REPLY,
        str(actor),
        now,
        message_id,
        answered.contact if answered else None,
    )
    message = replace(
        message,
        attachments=enclosure.attachments,
        quick_replies=enclosure.quick_replies,
        reply_to=answered.id if answered else "",
        reply_to_provider_id=answered.provider_id if answered else "",
    )
    clocks = tuple(
        stop_clock(clock, now) if clock.kind in _REPLY_CLOCKS else clock for clock in case.clocks
    )
    change = begin_change(case).add_message(EventKind.MESSAGE_QUEUED, actor, message, clocks=clocks)
    change = replace(change, after=replace(change.after, replied_seq=change.after.seq))
    if case.state is not CaseState.NEW:
        return change
    return change_state(change, CaseState.OPEN, "answered", actor, now, clocks)


def _choose_channel(case: Case, channel: Channel | None, answered: Message | None) -> Channel:
    if answered is not None:
        if answered.direction is not Direction.INBOUND or answered.contact is None:
            raise InvalidRequestError(
                "Only a message of the customer can be answered.",
                (("reply_to", "name a message with direction inbound"),),
            )
        if channel not in (None, answered.channel):
            raise InvalidRequestError(
                "An answer to one message leaves on its channel.",
                (("channel", f"leave it out, or write {answered.channel}"),),
            )
        channel = answered.channel
    chosen = channel or case.last_channel
    if chosen is None or chosen not in case.contacts:
        known = ", ".join(case.contacts) or "none"
        raise InvalidRequestError(
            f"The customer cannot be reached by {chosen}.", (("channel", f"use one of: {known}"),)
        )
    return chosen


def _require_quick_replies(choices: tuple[str, ...]) -> None:
    is_short = all(choice.strip() and len(choice) <= LONGEST_CHOICE for choice in choices)
    if len(choices) > MOST_CHOICES or not is_short or len(set(choices)) < len(choices):
        advice = f"write at most {MOST_CHOICES} different texts of 1 to {LONGEST_CHOICE} characters"
        raise InvalidRequestError(
            "The quick replies cannot be offered.", (("quick_replies", advice),)
        )


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
