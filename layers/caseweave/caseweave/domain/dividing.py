"""One case that turns out to be two: a new one opens beside it, of the same customer.

Either one message holds two problems, and the new case quotes what is about the other one; or
whole messages belong to the other problem, and move.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from caseweave.domain.calendars import ALWAYS
from caseweave.domain.case import Case, CaseState
from caseweave.domain.clocks import start_clock
from caseweave.domain.desk import Desk
from caseweave.domain.disputes import want_evidence
from caseweave.domain.event import (
    Actor,
    CaseChange,
    EventKind,
    begin_change,
    describe_message,
)
from caseweave.domain.language import CHINESE
from caseweave.domain.message import Channel, Contact, Direction, Message
from caseweave.domain.opening import UNTRIAGED, NewCase, summarise
from caseweave.domain.replying import MAX_REPLY
from caseweave.domain.routing import record_triage
from caseweave.domain.times import to_rfc3339
from caseweave.domain.triage import Finding, triage_message
from caseweave.errors import InvalidRequestError

MOST_MOVED = 40
# In a message that was moved: the reference of the case that it came to first.
MOVED_FROM = "moved_from"
_QUOTE = {
    True: "客户在工单 {ref} 的消息 {id}({at})中还提到:\n\n{excerpt}",
    False: "In message {id} of case {ref} ({at}) the customer also wrote:\n\n{excerpt}",
}


def choose_playbook(message: Message, category: str | None, desk: Desk) -> Finding:
    """What the new case is about: as the agent says, or as *message* shows.

    Raises InvalidRequestError for a category that the desk does not have.
    """
    if category is None:
        return triage_message(message, desk)
    playbook = desk.playbook(category)
    if playbook.category != category:
        known = ", ".join(one.category for one in (*desk.playbooks, desk.fallback))
        raise InvalidRequestError(
            f"There is no category {category!r}.", (("category", f"use one of: {known}"),)
        )
    return Finding(playbook, ("chosen by an agent",))


def quote_message(message: Message, excerpt: str) -> Message:
    """The message as if only the excerpt had been written.

    Raises InvalidRequestError for an excerpt that is empty, too long, or not in the message.
    """
    said = "".join(f"{message.subject}\n{message.body}\n{message.quoted}".split())
    if not excerpt.strip() or len(excerpt) > MAX_REPLY // 2:
        advice = f"copy 1 to {MAX_REPLY // 2} characters of the message"
        raise InvalidRequestError("The excerpt is empty or too long.", (("excerpt", advice),))
    if "".join(excerpt.split()) not in said:
        advice = "copy it from the message as it stands there"
        raise InvalidRequestError("The message does not say that.", (("excerpt", advice),))
    return replace(message, subject="", body=excerpt.strip(), fields={}, quoted="")


def split_message(
    case: Case,
    message: Message,
    quoted: Message,
    new: NewCase,
    finding: Finding,
    desk: Desk,
    actor: Actor,
    now: datetime,
    note_id: str,
) -> tuple[CaseChange, CaseChange]:
    """The changes of *case* and of the new one, which begins with a note of what was *quoted* of
    *message*; the message stays where it is.
    """
    channel = message.channel if message.channel in case.contacts else case.last_channel
    opened = _open_beside(case, new, summarise(quoted), case.contacts, channel, actor, now)
    text = _QUOTE[case.language == CHINESE].format(
        ref=case.ref, id=message.id, at=to_rfc3339(message.occurred_at), excerpt=quoted.body
    )
    note = Message(
        id=note_id,
        case_id=new.id,
        customer_id=case.customer_id,
        direction=Direction.NOTE,
        channel=message.channel,
        provider="caseweave",
        author=str(actor),
        body=text,
        occurred_at=now,
        received_at=now,
    )
    opened = opened.add_message(EventKind.NOTE_ADDED, actor, note)
    opened = record_triage(opened, finding, desk, actor, now)
    opened = want_evidence(opened, quoted, desk, now, actor)
    told = {"case_id": new.id, "ref": new.ref, "message_id": message.id}
    return begin_change(case).record(EventKind.CASE_SPLIT, actor, now, told), opened


def move_messages(
    case: Case,
    messages: Sequence[Message],
    new: NewCase,
    finding: Finding,
    desk: Desk,
    actor: Actor,
    now: datetime,
) -> tuple[CaseChange, CaseChange]:
    """The changes of *case* and of the new one, to which *messages* move; the chains of both say
    so, and from then on the new one vouches for their content.
    """
    inbound = [one for one in messages if one.direction is Direction.INBOUND]
    contacts, last_channel = _choose_contacts(case, inbound)
    first = inbound[0] if inbound else messages[0]
    opened = _open_beside(case, new, summarise(first), contacts, last_channel, actor, now)
    moved = [
        replace(one, case_id=new.id, fields={**one.fields, MOVED_FROM: case.ref})
        for one in messages
    ]
    opened = opened.record(
        EventKind.MESSAGES_MOVED_IN,
        actor,
        now,
        {
            "case_id": case.id,
            "ref": case.ref,
            "messages": [describe_message(one, opened.after.seal) for one in moved],
        },
    )
    seq = opened.after.seq
    kept = tuple(replace(one, seq=seq) for one in moved)
    opened = replace(opened, messages=(*opened.messages, *kept))
    opened = record_triage(opened, finding, desk, actor, now)
    # Of the others the router asks for it, which sees each where it is now.
    opened = want_evidence(opened, first, desk, now, actor)
    left = begin_change(case).record(
        EventKind.MESSAGES_MOVED_OUT,
        actor,
        now,
        {
            "case_id": new.id,
            "ref": new.ref,
            "messages": [describe_message(one, case.seal) for one in messages],
        },
    )
    return left, opened


def require_movable(case: Case, timeline: Sequence[Message], wanted: Sequence[str]) -> None:
    """Raises InvalidRequestError unless every wanted id is an inbound message or a note of the
    case, and an inbound message stays.
    """
    if not 1 <= len(wanted) <= MOST_MOVED:
        advice = f"write the ids of 1 to {MOST_MOVED} messages"
        raise InvalidRequestError("Which messages?", (("messages", advice),))
    known = {one.id: one for one in timeline if one.case_id == case.id}
    for name in wanted:
        if name not in known or known[name].direction is Direction.OUTBOUND:
            advice = f"name inbound messages and notes of {case.ref} itself"
            raise InvalidRequestError(f"{name!r} cannot be moved.", (("messages", advice),))
    inbound = {name for name, one in known.items() if one.direction is Direction.INBOUND}
    if inbound and inbound <= set(wanted):
        advice = "leave at least one message of the customer, or split by an excerpt"
        raise InvalidRequestError("Nothing of the customer would stay.", (("messages", advice),))


def _choose_contacts(
    case: Case, inbound: Sequence[Message]
) -> tuple[Mapping[Channel, Contact], Channel | None]:
    """How the customer wrote in the messages that move, and else as in the case."""
    contacts, last_channel = dict(case.contacts), case.last_channel
    for message in inbound:
        if message.contact is not None:
            contacts[message.channel] = message.contact
            last_channel = message.channel
    return contacts, last_channel


def _open_beside(
    case: Case,
    new: NewCase,
    subject: str,
    contacts: Mapping[Channel, Contact],
    last_channel: Channel | None,
    actor: Actor,
    now: datetime,
) -> CaseChange:
    """A case of the same customer, with an owner and a due time; its promises count from now.

    What was acknowledged in the old one is not acknowledged again.
    """
    beside = Case(
        id=new.id,
        ref=new.ref,
        customer_id=case.customer_id,
        state=CaseState.NEW,
        team=new.team,
        seal=new.seal,
        language=case.language,
        opened_at=now,
        updated_at=now,
        subject=subject,
        channels=tuple(contacts),
        contacts=contacts,
        last_channel=last_channel,
        acknowledged=case.acknowledged,
        clocks=tuple(start_clock(kind, UNTRIAGED, ALWAYS, now) for kind in UNTRIAGED.targets),
    )
    return CaseChange(before=None, after=beside).record(
        EventKind.CASE_OPENED,
        actor,
        now,
        {
            "ref": new.ref,
            "customer_id": case.customer_id,
            "team": new.team,
            "split_from": case.id,
        },
    )
