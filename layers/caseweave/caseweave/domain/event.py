"""Events: what happened to a case or a customer, in a hash chain, and what a change writes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

from caseweave.domain.case import Case, CaseState
from caseweave.domain.evidence import chain_digest, commit_to
from caseweave.domain.message import Direction, Message
from caseweave.domain.times import to_rfc3339

# Under which name an event's data holds the commitment to what is private in it.
COMMITMENT = "private_digest"
# Of an event by which files come into a disputed case: they are to be locked.
SECURED = "secured"
NOTHING: Mapping[str, Any] = MappingProxyType({})


class EventKind(StrEnum):
    CASE_OPENED = "case_opened"
    MESSAGE_RECEIVED = "message_received"
    MESSAGE_QUEUED = "message_queued"
    MESSAGE_ACCEPTED = "message_accepted"
    MESSAGE_DELIVERED = "message_delivered"
    MESSAGE_FAILED = "message_failed"
    MESSAGE_UNKNOWN = "message_unknown"
    ANSWER_WITHHELD = "answer_withheld"
    NOTE_ADDED = "note_added"
    CASE_TRIAGED = "case_triaged"
    CASE_ASSIGNED = "case_assigned"
    STATE_CHANGED = "state_changed"
    CUSTOMER_SUGGESTED = "customer_suggested"
    ADDRESS_LINKED = "address_linked"
    CONSENT_CHANGED = "consent_changed"
    CASE_FOLLOWS = "case_follows"
    CASE_LINKED = "case_linked"
    CASE_UNLINKED = "case_unlinked"
    CASE_MERGED = "case_merged"
    CASE_JOINED = "case_joined"
    CASE_UNMERGED = "case_unmerged"
    CASE_SEPARATED = "case_separated"
    CASE_SPLIT = "case_split"
    MESSAGES_MOVED_IN = "messages_moved_in"
    MESSAGES_MOVED_OUT = "messages_moved_out"
    SLA_STARTED = "sla_started"
    SLA_WARNED = "sla_warned"
    SLA_BREACHED = "sla_breached"
    CASE_ESCALATED = "case_escalated"
    INCIDENT_LINKED = "incident_linked"
    ATTACHMENT_STORED = "attachment_stored"
    CONTENT_REVEALED = "content_revealed"
    CONTENT_ERASED = "content_erased"
    ATTACHMENT_UNAVAILABLE = "attachment_unavailable"
    EVIDENCE_WANTED = "evidence_wanted"
    ATTACHMENTS_LOCKED = "attachments_locked"
    SNAPSHOT_TAKEN = "snapshot_taken"
    SNAPSHOT_DELAYED = "snapshot_delayed"
    SNAPSHOT_UNAVAILABLE = "snapshot_unavailable"
    EVIDENCE_EXPORTED = "evidence_exported"
    # Of a case or message that became another customer's when two were un-merged.
    CUSTOMER_CHANGED = "customer_changed"
    # Of a customer.
    LINK_ADDED = "link_added"
    LINK_REMOVED = "link_removed"
    SUGGESTION_MADE = "suggestion_made"
    SUGGESTION_ACCEPTED = "suggestion_accepted"
    SUGGESTION_DISMISSED = "suggestion_dismissed"
    VERIFICATION_STARTED = "verification_started"
    VERIFICATION_PASSED = "verification_passed"
    VERIFICATION_FAILED = "verification_failed"
    CUSTOMER_MERGED = "customer_merged"
    CUSTOMER_UNMERGED = "customer_unmerged"
    CUSTOMER_EXPORTED = "customer_exported"
    CUSTOMER_ERASED = "customer_erased"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: `customer:<id>`, `agent:<name>` or `system:<part>`."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    @classmethod
    def parse(cls, text: str) -> Self:
        kind, _, name = text.partition(":")
        return cls(kind, name)


class OwnerKind(StrEnum):
    CASE = "case"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose chain it is."""

    kind: OwnerKind
    id: str


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """What the next event of a chain follows: the number and digest of the last; and the seal
    under which it commits to what is personal.
    """

    owner: Owner
    seq: int
    chain: str
    seal: str


@dataclass(frozen=True, slots=True)
class Event:
    """One link of a chain. `digest` covers everything else in it but `private`, and `previous`.

    What is personal stands in `private`; of it, `data` has the commitment alone, so that it can
    be erased and the chain still holds.
    """

    owner: Owner
    seq: int
    at: datetime
    actor: Actor
    kind: EventKind
    data: Mapping[str, Any]
    previous: str
    digest: str
    private: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_erased(self) -> bool:
        """Was there something private in it, once?"""
        return COMMITMENT in self.data and not self.private


@dataclass(frozen=True, slots=True)
class CaseChange:
    """A case before and after, with the records to write beside it in the same transaction."""

    before: Case | None
    after: Case
    events: tuple[Event, ...] = ()
    messages: tuple[Message, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.events

    def then(self, change: "CaseChange") -> "CaseChange":
        """This change and *change*, which was decided on the case as this one leaves it, as one."""
        if self.is_empty:
            return change
        version = self.after.version
        return CaseChange(
            before=self.before,
            after=replace(change.after, version=version),
            events=(*self.events, *change.events),
            messages=(*self.messages, *change.messages),
        )

    def record(
        self,
        kind: EventKind,
        actor: Actor,
        at: datetime,
        data: Mapping[str, Any],
        private: Mapping[str, Any] = NOTHING,
        **case: Any,
    ) -> "CaseChange":
        """This change and one more event, with the case's fields as *case* says.

        What is personal goes into *private*, never into *data*.
        """
        head = self.after
        end = ChainEnd(Owner(OwnerKind.CASE, head.id), head.seq, head.chain, head.seal)
        event = make_event(end, kind, actor, at, data, private)
        after = replace(
            head,
            **case,
            seq=event.seq,
            chain=event.digest,
            updated_at=max(at, head.updated_at),
            version=(self.before.version if self.before else 0) + 1,
        )
        return replace(self, after=after, events=(*self.events, event))

    def add_message(
        self,
        kind: EventKind,
        actor: Actor,
        message: Message,
        more: Mapping[str, Any] = NOTHING,
        **case: Any,
    ) -> "CaseChange":
        """This change and one more message, with the event that vouches for its content and tells
        *more* of it.
        """
        told = {**describe_message(message, self.after.seal), **more}
        if message.attachments and self.after.evidence is not None:
            told[SECURED] = True
        change = self.record(kind, actor, message.received_at, told, **case)
        stored = replace(message, seq=change.after.seq)
        return replace(change, messages=(*change.messages, stored))


def begin_change(case: Case) -> CaseChange:
    return CaseChange(before=case, after=case)


def make_event(
    end: ChainEnd,
    kind: EventKind,
    actor: Actor,
    at: datetime,
    data: Mapping[str, Any],
    private: Mapping[str, Any] = NOTHING,
) -> Event:
    """The next link of a chain.

    Where the seal was destroyed, the owner was erased: nothing private is kept any more.
    """
    if private and end.seal:
        data = {**data, COMMITMENT: commit_to(private, end.seal)}
    else:
        private = NOTHING
    record = event_record(end.owner, end.seq + 1, at, actor, kind, data)
    return Event(
        owner=end.owner,
        seq=end.seq + 1,
        at=at,
        actor=actor,
        kind=kind,
        data=data,
        previous=end.chain,
        digest=chain_digest(end.chain, record),
        private=private,
    )


def is_milestone(event: Event) -> bool:
    """Does the case begin, end or begin again here?"""
    if event.kind is EventKind.STATE_CHANGED:
        return CaseState.CLOSED in (event.data["before"], event.data["after"])
    return event.kind is EventKind.CASE_OPENED


def event_record(
    owner: Owner, seq: int, at: datetime, actor: Actor, kind: EventKind, data: Mapping[str, Any]
) -> dict[str, Any]:
    """What an event's digest covers."""
    return {
        f"{owner.kind}_id": owner.id,
        "seq": seq,
        "at": to_rfc3339(at),
        "actor": str(actor),
        "kind": str(kind),
        "data": data,
    }


def describe_message(message: Message, seal: str) -> dict[str, Any]:
    """What the chain keeps of a message: enough to prove its content, none of the content."""
    described = {
        "message_id": message.id,
        "channel": str(message.channel),
        "provider": message.provider,
        "digest": commit_to(message_content(message), seal),
    }
    if message.direction is Direction.INBOUND:
        described["proof"] = str(message.proof)
    if message.purpose is not None:
        described["purpose"] = str(message.purpose)
    return described


def message_content(message: Message) -> dict[str, Any]:
    """What the chain commits to of a message: all that was said in it.

    The fields of one of ours are notes of where it went on, and change.
    """
    content: dict[str, Any] = {
        "author": message.author,
        "subject": message.subject,
        "body": message.body,
        "occurred_at": to_rfc3339(message.occurred_at),
        "attachments": [[a.name, a.media_type, a.size, a.digest] for a in message.attachments],
    }
    if message.direction is Direction.INBOUND and message.fields:
        content["fields"] = dict(message.fields)
    if message.quick_replies:
        content["quick_replies"] = list(message.quick_replies)
    if message.quoted:
        content["quoted"] = message.quoted
    if message.page_digest:
        content["page"] = message.page_digest
    return content
