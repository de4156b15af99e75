"""Messages: what an adapter understood, and what a case keeps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from caseweave.domain.identity import Address, Proof, Sender


class Channel(StrEnum):
    WEB = "web"
    EMAIL = "email"
    SMS = "sms"
    MESSENGER = "messenger"
    VOICE = "voice"
    # In person or on paper, entered by an agent.
    OFFLINE = "offline"

    @property
    def leaves_as_sms(self) -> bool:
        """A call is answered by SMS."""
        return self in (Channel.SMS, Channel.VOICE)


class Remark(StrEnum):
    """What a message says about an earlier one of the same customer, if that is all it does."""

    EDIT = "edit"
    DELETION = "deletion"
    REACTION = "reaction"
    NUMBER_CHANGE = "number_change"
    # How a call ended, what was said in it: it belongs to the case of the call, open or closed.
    ADDITION = "addition"

    @property
    def opens_case(self) -> bool:
        """Whoever takes back or likes something, or moves, does not wait for an answer."""
        return self in (Remark.EDIT, Remark.ADDITION)


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"
    NOTE = "note"


class Purpose(StrEnum):
    """Why we sent something; only a REPLY is a person's and stops a reply clock. A VERIFICATION
    goes to an address that is only claimed: nothing in it may lead into the case.
    """

    REPLY = "reply"
    ACKNOWLEDGEMENT = "acknowledgement"
    NOTICE = "notice"
    VERIFICATION = "verification"


class DeliveryState(StrEnum):
    """The outbox states of promise P6, in the order in which they may be reached."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    FAILED = "failed"
    DELIVERED = "delivered"
    READ = "read"
    # The recipient called it spam.
    COMPLAINED = "complained"


@dataclass(frozen=True, slots=True)
class Attachment:
    """`state` is stored (bytes kept under `digest`), pending (still at the provider), unavailable,
    or blocked (kept, but served to nobody).

    What stands behind `provider_ref` is not part of the message; `domain/media.py` finds it out
    later: what was claimed of a type that turned out otherwise, a small picture, why there is none.
    The HTML of a mail shows a file by its `content_id`.
    """

    name: str
    media_type: str
    size: int = 0
    digest: str = ""
    state: str = "pending"
    provider_ref: str = ""
    declared_type: str = ""
    thumbnail: str = ""
    is_executable: bool = False
    reason: str = ""
    detail: str = ""
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class PartDelivery:
    """What became of one of several parts of a message; the first has the number 1."""

    number: int
    state: DeliveryState
    provider_id: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a message its provider has taken: parts, and in them files and characters."""

    parts: int = 0
    files: int = 0
    characters: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of an outbound message.

    `refusal` is the kind of refusal that ended it, as the channels name it; `parts` is empty for a
    message that left in one piece, and `provider_id` is that of the last part.
    """

    state: DeliveryState
    at: datetime
    provider_id: str = ""
    error: str = ""
    refusal: str = ""
    parts: tuple[PartDelivery, ...] = ()
    sent: Progress = Progress()


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach a customer on a channel: everything a sender needs, nothing looked up later.

    `context` is the provider's linkage (chat id, Message-ID, References, subject).
    """

    channel: Channel
    provider: str
    account: str
    address: Address
    at: datetime
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KnownAddress:
    """What the store knows of an address: its customer, on what proof, and how to reach it.

    `case_id` is the case its last message went to, and `listed_under` the customer in whose record
    that customer's open cases stood then, "" for their own.
    """

    address: Address
    customer_id: str
    proof: Proof
    case_id: str = ""
    last_inbound_at: datetime | None = None
    contact: Contact | None = None
    listed_under: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a longer text a message is: the sender's own reference, 1 … total."""

    ref: str
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One message of a customer as its adapter understood it.

    `session_case_id` is the case, or `customer_id` the customer, that the door has verified: by a
    session, or by an agent's word. Unless it `is_answerable`, no answer can go to where it came
    from.

    `quoted` is what stands after `body` in the same text: an earlier message, repeated.
    `page_digest` names the stored file with the message as HTML that is safe to open.

    `event_id` is the id that survives a redelivery: with provider and account it is the duplicate
    guard. `references` are the ids of the mails that it answers. `occurred_at` is None where the
    provider tells no time. A `remark` is about the message that the provider calls `about`; one
    that nobody waits upon opens no case.
    """

    channel: Channel
    provider: str
    account: str
    event_id: str
    provider_id: str
    sender: Sender
    body: str
    occurred_at: datetime | None = None
    subject: str = ""
    attachments: tuple[Attachment, ...] = ()
    context: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    is_automatic: bool = False
    link_token: str = ""
    reply_tokens: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    session_case_id: str = ""
    customer_id: str = ""
    is_answerable: bool = True
    remark: Remark | None = None
    about: str = ""
    quoted: str = ""
    page_digest: str = ""
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A provider's word on one of our own messages, which `outbox_key` names.

    `state` is None for a status that tells us nothing new; `refusal` is the kind of refusal that
    a failure was, as the channels name it, where the provider says so.
    """

    provider: str
    account: str
    event_id: str
    provider_id: str
    outbox_key: str
    state: DeliveryState | None
    error: str = ""
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class NumberChange:
    """A provider's word that a customer has another number now."""

    provider: str
    account: str
    event_id: str
    old: Address
    new: Address


@dataclass(frozen=True, slots=True)
class MailTrace:
    """An id of a mail of ours as it came back: a reply token and the message's id, unverified."""

    token: str
    message_id: str


@dataclass(frozen=True, slots=True)
class MailReport:
    """What some mail system says of a mail: nothing but a claim, until it proves to be about one of
    ours, by a signed trace, or by the id that our sender gave it together with its recipient.

    `state` is None for a status that settles nothing (delayed, relayed).
    """

    provider: str
    account: str
    event_id: str
    traces: tuple[MailTrace, ...]
    sent_ids: tuple[str, ...]
    recipients: tuple[str, ...]
    state: DeliveryState | None
    detail: str


@dataclass(frozen=True, slots=True)
class KnownMail:
    """What the store knows of a mail's id: its case, and whose it is ("" if not looked up).

    `is_ours`: we wrote that mail.
    """

    case_id: str
    customer_id: str = ""
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class IgnoredEvent:
    """An event we know and have no use for; kept in the ledger, shown to nobody."""

    provider: str
    account: str
    event_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class PullHint:
    """A provider's word that an account of ours has news, which has to be pulled.

    `token` allows the pull for a short while.
    """

    provider: str
    account: str
    event_id: str
    token: str = ""


InboundEvent = InboundMessage | Receipt | NumberChange | PullHint | MailReport | IgnoredEvent


@dataclass(frozen=True, slots=True)
class Message:
    """A message in a case. Only `delivery` changes after it was written, and where in `fields` it
    is noted that it went on by another channel.

    `seq` is the number of the event that recorded it in the case's chain. An outbound message may
    offer `quick_replies`, and answer the one message `reply_to`, which its provider calls
    `reply_to_provider_id`. Of one that was erased (`erased_at`) there is left that it was.
    """

    id: str
    case_id: str
    customer_id: str
    direction: Direction
    channel: Channel
    provider: str
    author: str
    body: str
    occurred_at: datetime
    received_at: datetime
    provider_id: str = ""
    subject: str = ""
    proof: Proof = Proof.NONE
    purpose: Purpose | None = None
    is_automatic: bool = False
    attachments: tuple[Attachment, ...] = ()
    contact: Contact | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    delivery: Delivery | None = None
    seq: int = 0
    quick_replies: tuple[str, ...] = ()
    reply_to: str = ""
    reply_to_provider_id: str = ""
    quoted: str = ""
    page_digest: str = ""
    erased_at: datetime | None = None


# Receipts arrive out of order; a state is only ever replaced by one of a higher rank.
_RANK = {
    DeliveryState.QUEUED: 0,
    DeliveryState.CLAIMED: 1,
    DeliveryState.UNKNOWN: 2,
    DeliveryState.ACCEPTED: 3,
    DeliveryState.FAILED: 4,
    DeliveryState.DELIVERED: 5,
    DeliveryState.READ: 6,
    DeliveryState.COMPLAINED: 8,
}
# A mail is delivered when the next mail system took it, which may still send it back.
_MAIL_RANK = _RANK | {DeliveryState.FAILED: 7}


def advances(current: DeliveryState, new: DeliveryState, channel: Channel | None = None) -> bool:
    """Does *new* move a message of *channel* forward from *current*?"""
    rank = _MAIL_RANK if channel is Channel.EMAIL else _RANK
    return rank[new] > rank[current]


def timeline_place(message: Message) -> tuple[datetime, int]:
    """What orders a timeline: when it happened, and then what was kept first.

    Mail and some messengers tell whole seconds. Such a message stands as late in its second as it
    can have been, behind what is known to have happened earlier in it.
    """
    at = message.occurred_at
    if at.microsecond == 0:
        at = min(message.received_at, at + timedelta(milliseconds=999))
    return at, message.seq
