"""Who somebody is: addresses, and the proof we have that an address is theirs (promise P4)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from caseweave.domain.evidence import GENESIS


class AddressKind(StrEnum):
    PLATFORM = "platform"
    EMAIL = "email"
    PHONE = "phone"
    TELEGRAM = "telegram"
    # Ids that a messenger gives to a person for one account of ours; WhatsApp's is a phone number.
    LINE = "line"
    MESSENGER = "messenger"
    INSTAGRAM = "instagram"
    WECHAT = "wechat"
    WECOM = "wecom"
    QQ = "qq"
    # A group chat: it has a case of its own, which is nobody's of its members.
    GROUP = "group"
    # One submission or one mail whose sender is unproven: an identity of its own, never shared.
    UNPROVEN = "unproven"


class Proof(StrEnum):
    """How we know that an address belongs to a customer, in the words agents read."""

    LOGIN = "login"
    # They said the one-time code that we sent to that address.
    CODE = "code"
    PROVIDER = "provider"
    DMARC = "dmarc"
    SIGNED_LINK = "signed_link"
    # The message came back with the token of our own answer, from the address it was sent to.
    REPLY_TOKEN = "reply_token"
    # The customer's page holds the session that our answer to the first message gave it.
    SESSION = "session"
    # An agent who took the message in says whose it is.
    AGENT = "agent"
    NONE = "none"
    # The address's own domain says that it did not send this.
    REFUTED = "refuted"

    @property
    def holds(self) -> bool:
        """Does it prove anything?"""
        return self not in (Proof.NONE, Proof.REFUTED)

    @property
    def strength(self) -> int:
        """How much it proves, to compare with others; 0 proves nothing."""
        return _STRENGTHS.get(self, 0)


# What says more comes first. Whoever holds a session or a token of ours was let in, no more.
_STRENGTHS = {
    Proof.LOGIN: 8,
    Proof.CODE: 7,
    Proof.PROVIDER: 6,
    Proof.DMARC: 5,
    Proof.SIGNED_LINK: 4,
    Proof.REPLY_TOKEN: 3,
    Proof.SESSION: 2,
    Proof.AGENT: 1,
}


@dataclass(frozen=True, slots=True)
class Address:
    """An address as identity, normalised: `+8613800138000`, `ling@example.com`, a user id."""

    kind: AddressKind
    value: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


@dataclass(frozen=True, slots=True)
class ProvenAddress:
    address: Address
    proof: Proof


@dataclass(frozen=True, slots=True)
class Sender:
    """Who an inbound message says it is from: what is proven, and what is only claimed.

    `proven` is never empty; its first entry is the address the message itself came from.
    """

    proven: tuple[ProvenAddress, ...]
    claims: tuple[Address, ...] = ()
    name: str = ""
    locale: str = ""
    tier: str = ""
    role: str = ""


class SuggestionKind(StrEnum):
    """What accepting it would do."""

    # The address becomes the customer's.
    LINK = "link"
    # The two customers become one.
    MERGE = "merge"
    # Nothing: the two have different users of the platform, so they are two people.
    CONFLICT = "conflict"


class SuggestionState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Why a message's sender may be another known customer (or write about one case of theirs), or
    may have an address that nobody has yet (`customer_id` is "" then); for an agent to decide.
    """

    customer_id: str
    address: Address
    reason: str
    case_id: str = ""
    kind: SuggestionKind = SuggestionKind.MERGE


@dataclass(frozen=True, slots=True)
class KeptSuggestion:
    """A suggestion in the records of the customer `of`, and what an agent made of it."""

    id: str
    of: str
    suggestion: Suggestion
    state: SuggestionState
    made_at: datetime
    settled_at: datetime | None = None
    settled_by: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """An address of the customer `of`: on what proof, from where (`sms/twilio`, `agent`), who
    linked it and when.
    """

    of: str
    address: Address
    proof: Proof
    source: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer's own record, with the end of the chain of what happened to them.

    `merged_into` is the customer that this one was merged into, "" for a root, whose `members` are
    all who are in it. `changed_at` is the time of the last event. The rest is as in a case.
    """

    id: str
    name: str = ""
    locale: str = ""
    tier: str = ""
    role: str = ""
    created_at: datetime | None = None
    merged_into: str = ""
    merged_at: datetime | None = None
    members: tuple[str, ...] = ()
    seq: int = 0
    chain: str = GENESIS
    changed_at: datetime | None = None
    seal: str = ""
    version: int = 0
    erased_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """Customers who were merged: the one everything is shown under, and those merged into it."""

    root: str
    members: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """Everybody's, the root's first."""
        return (self.root, *self.members)


def normalise_email(address: str) -> str:
    """Lower case; local parts are case-sensitive by the letter of RFC 5321, in no mailbox.

    ASCII only: Unicode's folding would make one address of two (`straße@`, `strasse@`).
    """
    return "".join(c.lower() if c.isascii() else c for c in address.strip())


def normalise_phone(number: str) -> str:
    """E.164 with its plus sign. What has no country code (a short code, a number as people type it
    at home) stays a row of digits: guessing one would make it somebody else's number.
    """
    digits = "".join(str(int(character)) for character in number if character.isdecimal())
    is_international = number.lstrip().startswith(("+", "\uff0b"))
    return f"+{digits}" if digits and is_international else digits
