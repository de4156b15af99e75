"""Amazon Connect: calls and chats of a contact centre, as EventBridge tells of them.

A contact that a customer begins is a message; how it ended and what was said in it are additions
to that message. Transfers are contacts of their own, tied to the first by its id.
https://docs.aws.amazon.com/connect/latest/adminguide/contact-events.html
https://docs.aws.amazon.com/connect/latest/adminguide/contact-lens-example-output-files.html
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from caseweave.channels.identities import identify_phone
from caseweave.channels.json_reading import read_iso_time, read_object
from caseweave.channels.request import read_json_object
from caseweave.domain.identity import (
    Address,
    AddressKind,
    Proof,
    ProvenAddress,
    Sender,
)
from caseweave.domain.message import (
    Channel,
    IgnoredEvent,
    InboundEvent,
    InboundMessage,
    Remark,
)
from caseweave.errors import UnparseableError

PROVIDER = "connect"
CONTACT_EVENT = "Amazon Connect Contact Event"
_CHANNELS = {"VOICE": Channel.VOICE, "CHAT": Channel.MESSENGER}
_BEGUN_BY_CUSTOMER = ("INBOUND", "API", "CALLBACK")
_LONGEST = 200
# Names of ours: no header of a request is kept under them.
_KEPT = "x-caseweave-caller-"
_LONGEST_TRANSCRIPT = 150_000


@dataclass(frozen=True, slots=True)
class Caller:
    """What Connect tells of the other end: a number or an address, and a name."""

    kind: str = ""
    address: str = ""
    name: str = ""


def find_contact(event: Mapping[str, Any]) -> tuple[str, str]:
    """The (instance id, contact id) that an event is about. Raises UnparseableError."""
    detail = read_object(event, "detail")
    contact = _text(detail, "contactId") or _text(detail, "contactArn").rpartition("/")[2]
    instance = _text(detail, "instanceArn").rpartition("/")[2]
    if not contact or not instance:
        raise UnparseableError("an event without its contact and instance")
    return instance[:_LONGEST], contact[:_LONGEST]


def keep_caller(caller: Caller) -> dict[str, str]:
    """What is kept with an event of who called, as headers; nothing where nobody was asked for."""
    told = asdict(caller)
    return {f"{_KEPT}{name}": value for name, value in told.items() if value}


def replay(event: Mapping[str, Any], kept: Mapping[str, str]) -> InboundEvent:
    """The same as `parse`, with the caller as kept. Raises UnparseableError."""
    return parse(event, Caller(*(kept.get(f"{_KEPT}{one.name}", "") for one in fields(Caller))))


def needs_caller(event: Mapping[str, Any]) -> bool:
    """Does Connect have to be asked who called? Only when a contact begins."""
    return _begins(read_object(event, "detail"))


def parse(event: Mapping[str, Any], caller: Caller) -> InboundEvent:
    """What an EventBridge event of Connect says. Raises UnparseableError."""
    instance, contact = find_contact(event)
    detail, kind = read_object(event, "detail"), _text(event, "detail-type")
    if kind != CONTACT_EVENT:
        name = f"{contact}.{sha256(_text(event, 'id').encode()).hexdigest()[:16]}"
        return IgnoredEvent(PROVIDER, instance, name, f"{kind}: {_text(detail, 'ruleName')}"[:200])
    happened = _text(detail, "eventType").upper()
    channel = _CHANNELS.get(_text(detail, "channel").upper())
    if channel is not None and _begins(detail):
        return _begin(detail, instance, contact, channel, caller)
    if channel is not None and happened == "DISCONNECTED":
        return _end(detail, instance, contact, channel)
    name = f"{contact}.{happened or 'nothing'}"[:_LONGEST]
    return IgnoredEvent(PROVIDER, instance, name, f"{happened} of {_text(detail, 'channel')}"[:200])


def _begins(detail: Mapping[str, Any]) -> bool:
    is_begun = _text(detail, "eventType").upper() == "INITIATED"
    return is_begun and _text(detail, "initiationMethod").upper() in _BEGUN_BY_CUSTOMER


def _begin(
    detail: Mapping[str, Any], instance: str, contact: str, channel: Channel, caller: Caller
) -> InboundMessage:
    phone = identify_phone(caller.address)
    is_number = caller.kind == "TELEPHONE_NUMBER" and phone.startswith("+") and len(phone) <= 16
    # Whoever calls can show any number: it is a claim, as a mail's From is.
    claims = (Address(AddressKind.PHONE, phone),) if is_number else ()
    return InboundMessage(
        channel=channel,
        provider=PROVIDER,
        account=instance,
        event_id=contact,
        provider_id=contact,
        sender=Sender(proven=(_identity(contact),), claims=claims, name=caller.name[:_LONGEST]),
        body="",
        occurred_at=read_iso_time(_text(detail, "initiationTimestamp")),
        context={"contact_id": contact},
        fields={"contact_id": contact, **({"phone": phone} if claims else {})},
        is_answerable=False,
    )


def _end(
    detail: Mapping[str, Any], instance: str, contact: str, channel: Channel
) -> InboundMessage:
    began, ended = (
        read_iso_time(_text(detail, name))
        for name in ("initiationTimestamp", "disconnectTimestamp")
    )
    agent = _text(_either(detail, "agentInfo", "AgentInfo"), "agentArn", "AgentArn")
    queue = _text(_either(detail, "queueInfo", "QueueInfo"), "queueArn", "QueueArn")
    told = {
        "contact_id": contact,
        "seconds": str(round((ended - began).total_seconds())) if began and ended else "",
        "agent": agent.rpartition("/")[2],
        "queue": queue.rpartition("/")[2],
        "reason": _text(detail, "disconnectReason"),
    }
    return _add(instance, _first(detail, contact), f"{contact}.ended", channel, "", ended, told)


def parse_transcript(content: bytes, key: str) -> InboundMessage:
    """What was said, from the file that Contact Lens wrote under *key*. Raises UnparseableError."""
    said = read_json_object(content)
    contact = _text(read_object(said, "CustomerMetadata"), "ContactId")[:_LONGEST]
    items = said.get("Transcript")
    if not contact or not isinstance(items, list):
        raise UnparseableError("no transcript of a contact")
    lines = [line for item in items if isinstance(item, dict) and (line := _line(item))]
    instance = _text(read_object(said, "CustomerMetadata"), "InstanceId")[:_LONGEST]
    is_redacted = "/Redacted/" in key
    name = f"{contact}.transcript{'.redacted' if is_redacted else ''}"
    channel = _CHANNELS.get(_text(said, "Channel").upper(), Channel.VOICE)
    text = "\n".join(lines)[:_LONGEST_TRANSCRIPT]
    told = {"contact_id": contact, "language": _text(said, "LanguageCode")}
    return _add(instance, contact, name, channel, text, None, told)


def _line(item: Mapping[str, Any]) -> str:
    """One turn: when, who, what."""
    words = _text(item, "Content")
    if not words:
        return ""
    offset = item.get("BeginOffsetMillis")
    at = _text(item, "AbsoluteTime")[11:19]
    if isinstance(offset, int) and 0 <= offset < 10**9:
        at = str(timedelta(seconds=offset // 1000))
    who = _text(item, "ParticipantRole", "ParticipantId") or "?"
    return f"[{at}] {who}: {' '.join(words.split())}"


def _add(
    instance: str,
    first: str,
    event_id: str,
    channel: Channel,
    body: str,
    at: datetime | None,
    told: Mapping[str, str],
) -> InboundMessage:
    return InboundMessage(
        channel=channel,
        provider=PROVIDER,
        account=instance,
        event_id=event_id,
        provider_id=event_id,
        sender=Sender(proven=(_identity(first),)),
        body=body,
        occurred_at=at,
        context={"contact_id": first},
        fields={name: value[:_LONGEST] for name, value in told.items() if value},
        is_automatic=True,
        is_answerable=False,
        remark=Remark.ADDITION,
        about=first,
    )


def _identity(contact: str) -> ProvenAddress:
    """A contact is somebody of its own until an agent knows better."""
    return ProvenAddress(Address(AddressKind.UNPROVEN, f"{PROVIDER}.{contact}"), Proof.NONE)


def _first(detail: Mapping[str, Any], contact: str) -> str:
    return (_text(detail, "initialContactId") or contact)[:_LONGEST]


def _either(value: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The documents' samples write the name of a part in two ways."""
    return next((one for name in names if isinstance(one := value.get(name), Mapping)), {})


def _text(value: Mapping[str, Any], *names: str) -> str:
    for name in names:
        found = value.get(name)
        if isinstance(found, str) and found:
            return found.encode("utf-8", "replace").decode()
    return ""
