"""How a case begins, and how a customer's next message joins it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from caseweave.domain.calendars import ALWAYS
from caseweave.domain.case import Case, CaseState
from caseweave.domain.case_links import LinkKind, describe_link
from caseweave.domain.clocks import ClockKind, Policy, Target, start_clock
from caseweave.domain.event import NOTHING, Actor, CaseChange, EventKind, begin_change
from caseweave.domain.identity import ProvenAddress, Suggestion
from caseweave.domain.language import choose_language
from caseweave.domain.message import Contact, Direction, InboundMessage, Message
from caseweave.domain.state_change import change_state
from caseweave.domain.threading import Choice

# Until the router has chosen a policy, a case has this due time: no case is ever without one (P7).
UNTRIAGED = Policy(
    "untriaged",
    {
        ClockKind.FIRST_REPLY: Target(timedelta(minutes=10), timedelta(minutes=3), ALWAYS.name),
        # Still there when an agent was faster than the router and stopped the first.
        ClockKind.OUTCOME: Target(timedelta(hours=24), timedelta(hours=4), ALWAYS.name),
    },
)
# What is promised until the router has chosen a policy for a case that is open again.
REOPENED = Policy(
    "reopened",
    {
        ClockKind.NEXT_REPLY: Target(timedelta(minutes=10), timedelta(minutes=3), ALWAYS.name),
        ClockKind.OUTCOME: Target(timedelta(hours=24), timedelta(hours=4), ALWAYS.name),
    },
)
INTAKE = Actor("system", "intake")
SUBJECT_LENGTH = 120
# A stored item holds 400 KB; what is cut here is whole in the ledger.
LONGEST_BODY = 200_000
LONGEST_SUBJECT = 1_000
# Written as JSON, which doubles what is Chinese.
LONGEST_QUOTED = 50_000


@dataclass(frozen=True, slots=True)
class NewCase:
    """The names a new case gets: drawn by the caller, since rules draw nothing at random."""

    id: str
    ref: str
    team: str
    seal: str


def keep_message(
    inbound: InboundMessage, case_id: str, customer_id: str, message_id: str, received_at: datetime
) -> Message:
    """The record of an inbound message.

    Without a provider's time, or with one from the future, it happened when we received it; and so
    it did if the provider, telling whole seconds, names the second in which we received it.
    """
    occurred_at = inbound.occurred_at or received_at
    if occurred_at >= received_at.replace(microsecond=0):
        occurred_at = received_at
    origin = inbound.sender.proven[0]
    return Message(
        id=message_id,
        case_id=case_id,
        customer_id=customer_id,
        direction=Direction.INBOUND,
        channel=inbound.channel,
        provider=inbound.provider,
        provider_id=inbound.provider_id,
        author=str(origin.address),
        body=cut_text(inbound.body, LONGEST_BODY),
        subject=cut_text(inbound.subject, LONGEST_SUBJECT),
        occurred_at=occurred_at,
        received_at=received_at,
        proof=origin.proof,
        is_automatic=inbound.is_automatic,
        attachments=inbound.attachments,
        contact=_make_contact(inbound, received_at) if inbound.is_answerable else None,
        fields=_note_remark(inbound),
        quoted=_cut_quoted(inbound),
        page_digest=inbound.page_digest,
    )


def _make_contact(inbound: InboundMessage, at: datetime) -> Contact:
    """How an answer reaches where this came from."""
    return Contact(
        channel=inbound.channel,
        provider=inbound.provider,
        account=inbound.account,
        address=inbound.sender.proven[0].address,
        at=at,
        context=inbound.context,
    )


def _note_remark(inbound: InboundMessage) -> Mapping[str, str]:
    """The fields, with what this says about which earlier message, if it does."""
    if inbound.remark is None:
        return inbound.fields
    return {**inbound.fields, "remark": str(inbound.remark), "about": inbound.about}


def _cut_quoted(inbound: InboundMessage) -> str:
    """What the record still has room for beside the body."""
    room = LONGEST_BODY - len(inbound.body.encode("utf-8", "replace"))
    return cut_text(inbound.quoted, min(room, LONGEST_QUOTED)) if room > 3 else ""


def open_case(
    new: NewCase,
    message: Message,
    locale: str,
    suggestions: Sequence[Suggestion] = (),
    choice: Choice | None = None,
) -> CaseChange:
    """A new case whose first message is *message*, with an owner and a due time."""
    at = message.received_at
    text = f"{message.subject}\n{message.body}"
    case = Case(
        id=new.id,
        ref=new.ref,
        customer_id=message.customer_id,
        state=CaseState.NEW,
        team=new.team,
        seal=new.seal,
        language=choose_language(text, locale),
        opened_at=at,
        updated_at=at,
        subject=summarise(message),
        clocks=tuple(start_clock(kind, UNTRIAGED, ALWAYS, at) for kind in UNTRIAGED.targets),
    )
    opened = CaseChange(before=None, after=case).record(
        EventKind.CASE_OPENED,
        _customer(message),
        at,
        {
            "ref": new.ref,
            "customer_id": message.customer_id,
            "team": new.team,
            **({"relatives": list(choice.relatives)} if choice and choice.relatives else {}),
        },
    )
    return add_inbound(opened, message, suggestions, choice)


def append_message(
    case: Case,
    message: Message,
    suggestions: Sequence[Suggestion] = (),
    choice: Choice | None = None,
) -> CaseChange:
    """The customer's next message in the case; a closed one is only opened again if *choice* says
    so, else it takes a message without anything following from it.
    """
    change = begin_change(case)
    if choice is not None and choice.reopens:
        change = reopen_case(case, message)
    return add_inbound(change, message, suggestions, choice)


def reopen_case(case: Case, message: Message) -> CaseChange:
    """The customer's word opens a closed case again: an answer and an outcome are owed anew."""
    at = message.received_at
    promised = [start_clock(kind, REOPENED, ALWAYS, at) for kind in REOPENED.targets]
    clocks = (*case.clocks, *promised)
    change = begin_change(case)
    return change_state(change, CaseState.OPEN, "the customer wrote", INTAKE, at, clocks)


def follow_up(change: CaseChange, followed: Case, at: datetime) -> tuple[CaseChange, CaseChange]:
    """A new case goes on from a closed one: the events in the chains of both."""
    ours = describe_link(LinkKind.FOLLOWS, followed)
    theirs = describe_link(LinkKind.FOLLOWED_BY, change.after)
    return (
        change.record(EventKind.CASE_FOLLOWS, INTAKE, at, ours),
        begin_change(followed).record(EventKind.CASE_FOLLOWS, INTAKE, at, theirs),
    )


def add_inbound(
    change: CaseChange,
    message: Message,
    suggestions: Sequence[Suggestion],
    choice: Choice | None = None,
) -> CaseChange:
    """One more inbound message, and why it is in this case; what is merely suspected of its sender
    becomes suggestions.
    """
    case = change.after
    channels = case.channels
    if message.channel not in channels:
        channels = (*channels, message.channel)
    contacts, last_channel = dict(case.contacts), case.last_channel
    if message.contact is not None:
        contacts[message.channel] = message.contact
        last_channel = message.channel
    change = change.add_message(
        EventKind.MESSAGE_RECEIVED,
        _customer(message),
        message,
        {"joined": {"rule": str(choice.rule), "because": choice.because}} if choice else NOTHING,
        channels=channels,
        contacts=contacts,
        last_channel=last_channel,
    )
    for suggestion in suggestions:
        change = change.record(
            EventKind.CUSTOMER_SUGGESTED,
            INTAKE,
            message.received_at,
            {
                "customer_id": suggestion.customer_id,
                "reason": suggestion.reason,
                **({"case_id": suggestion.case_id} if suggestion.case_id else {}),
            },
            {"address": str(suggestion.address)},
        )
    return change


def note_links(change: CaseChange, linked: Sequence[ProvenAddress], at: datetime) -> CaseChange:
    """The events that addresses became the customer's, and on what proof."""
    for entry in linked:
        if entry.proof.holds:
            change = change.record(
                EventKind.ADDRESS_LINKED,
                INTAKE,
                at,
                {"proof": str(entry.proof)},
                {"address": str(entry.address)},
            )
    return change


def summarise(message: Message) -> str:
    """The line that names a case in a list: the subject, or the first words."""
    text = message.subject.strip() or message.body
    line = " ".join(text.split())
    return line if len(line) <= SUBJECT_LENGTH else line[: SUBJECT_LENGTH - 1] + "…"


def cut_text(text: str, longest: int) -> str:
    """At most *longest* bytes of UTF-8, ending in an ellipsis where something was cut."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= longest:
        return encoded.decode()
    return encoded[: longest - 3].decode("utf-8", "ignore") + "…"


def _customer(message: Message) -> Actor:
    return Actor("customer", message.customer_id)
