"""Whether one of our numbers may write to a customer's: what STOP and START do."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto

from caseweave.domain.case import Case, CaseState
from caseweave.domain.clocks import stop_clock
from caseweave.domain.event import Actor, CaseChange, EventKind, begin_change
from caseweave.domain.keywords import Heard, Keyword
from caseweave.domain.message import Contact, Message, Purpose
from caseweave.domain.outbound import make_outbound
from caseweave.domain.state_change import change_state

CONSENT = Actor("system", "consent")
# Of a case that is nothing but such a word.
CONSENT_CATEGORY = "consent"


@dataclass(frozen=True, slots=True)
class Consent:
    """What a customer's number last told one of our numbers, in which message.

    `confirmation` is the one message that may still leave after an opt-out.
    """

    is_opted_out: bool
    at: datetime
    message_id: str
    confirmation: str = ""


class Verdict(Enum):
    """What becomes of a message that is a keyword."""

    ORDINARY = auto()
    OBEY = auto()
    # Obeyed before, or overtaken by a later word.
    SETTLED = auto()


def our_number(contact: Contact) -> str:
    """The number of ours that a conversation is with, in digits: providers spell it differently."""
    told = contact.context.get("to") or contact.account
    return "".join(character for character in told if character.isdecimal()) or told


def judge_keyword(heard: Heard, message: Message, known: Consent | None) -> Verdict:
    """STOP always counts; START only of somebody who had stopped, for "恢复" may mean anything.

    Records of two cases may come in any order: what is older than the word *known* is not heard.
    """
    if known is not None and known.message_id == message.id:
        return Verdict.SETTLED
    was_stopped = known is not None and known.is_opted_out
    is_start = heard.keyword is Keyword.START and (was_stopped or heard.is_answered)
    if heard.keyword is not Keyword.STOP and not is_start:
        return Verdict.ORDINARY
    is_old = known is not None and known.at > message.received_at
    return Verdict.SETTLED if is_old else Verdict.OBEY


def obey_keyword(
    case: Case, message: Message, heard: Heard, confirmation: str, now: datetime, reply_id: str
) -> tuple[CaseChange, Consent]:
    """What STOP or START does: the event, *confirmation* where it is ours to give, no clock.

    A case that consists of nothing else is closed: nobody waits for anything.
    """
    is_stop = heard.keyword is Keyword.STOP
    contact = message.contact
    if contact is None:
        raise ValueError(f"inbound message {message.id} has no contact")
    change = begin_change(case).record(
        EventKind.CONSENT_CHANGED,
        CONSENT,
        now,
        {
            "channel": str(message.channel),
            "number": our_number(contact),
            "state": "opted_out" if is_stop else "opted_in",
        },
        {"address": str(contact.address)},
    )
    consent = Consent(is_stop, message.received_at, message.id)
    if not heard.is_answered:
        # To the number it came from, whatever the case's latest contact is.
        reached = replace(change.after, contacts={**case.contacts, message.channel: contact})
        reply = make_outbound(
            reached, message.channel, confirmation, Purpose.NOTICE, str(CONSENT), now, reply_id
        )
        change = change.add_message(EventKind.MESSAGE_QUEUED, CONSENT, reply)
        consent = replace(consent, confirmation=reply.id if is_stop else "")
    if _is_all_there_is(case, message):
        clocks = tuple(stop_clock(clock, now) for clock in change.after.clocks)
        reason = f"only {heard.keyword} by SMS"
        told = {
            "category": CONSENT_CATEGORY,
            "priority": str(case.priority),
            "policy": "",
            "signs": [reason],
            "due": {},
        }
        change = change.record(
            EventKind.CASE_TRIAGED, CONSENT, now, told, category=CONSENT_CATEGORY
        )
        change = change_state(change, CaseState.CLOSED, reason, CONSENT, now, clocks)
    return change, consent


def _is_all_there_is(case: Case, message: Message) -> bool:
    """Was the case opened by this message, and is nothing in it since?"""
    contact = case.contacts.get(message.channel)
    is_latest = contact is not None and contact.at == message.received_at
    is_alone = case.opened_at == message.received_at and case.channels == (message.channel,)
    return case.state is CaseState.NEW and is_latest and is_alone and not case.replied_seq
