"""Domain values inside JSON attributes: clocks, contacts, attachments, and back."""

from datetime import timedelta
from typing import Any

from caseweave.domain.clocks import Clock, ClockKind, Pause
from caseweave.domain.identity import Address, AddressKind
from caseweave.domain.message import Attachment, Channel, Contact
from caseweave.domain.times import from_rfc3339, optional_rfc3339, optional_time, to_rfc3339


def encode_clock(clock: Clock) -> dict[str, Any]:
    return {
        "kind": clock.kind,
        "policy": clock.policy,
        "calendar": clock.calendar,
        "started_at": to_rfc3339(clock.started_at),
        "budget": clock.budget.total_seconds(),
        "warn_before": clock.warn_before.total_seconds(),
        "due_at": optional_rfc3339(clock.due_at),
        "pauses": [
            [to_rfc3339(pause.start), optional_rfc3339(pause.end), pause.reason]
            for pause in clock.pauses
        ],
        "warned_at": optional_rfc3339(clock.warned_at),
        "breached_at": optional_rfc3339(clock.breached_at),
        "stopped_at": optional_rfc3339(clock.stopped_at),
    }


def decode_clock(stored: dict[str, Any]) -> Clock:
    return Clock(
        kind=ClockKind(stored["kind"]),
        policy=stored["policy"],
        calendar=stored["calendar"],
        started_at=from_rfc3339(stored["started_at"]),
        budget=timedelta(seconds=stored["budget"]),
        warn_before=timedelta(seconds=stored["warn_before"]),
        due_at=optional_time(stored["due_at"]),
        pauses=tuple(
            Pause(from_rfc3339(start), optional_time(end), reason)
            for start, end, reason in stored["pauses"]
        ),
        warned_at=optional_time(stored["warned_at"]),
        breached_at=optional_time(stored["breached_at"]),
        stopped_at=optional_time(stored["stopped_at"]),
    )


def encode_contact(contact: Contact) -> dict[str, Any]:
    return {
        "channel": contact.channel,
        "provider": contact.provider,
        "account": contact.account,
        "address": [contact.address.kind, contact.address.value],
        "at": to_rfc3339(contact.at),
        "context": dict(contact.context),
    }


def decode_contact(stored: dict[str, Any]) -> Contact:
    kind, value = stored["address"]
    return Contact(
        channel=Channel(stored["channel"]),
        provider=stored["provider"],
        account=stored["account"],
        address=Address(AddressKind(kind), value),
        at=from_rfc3339(stored["at"]),
        context=stored["context"],
    )


def encode_attachment(attachment: Attachment) -> dict[str, Any]:
    return {
        "name": attachment.name,
        "media_type": attachment.media_type,
        "size": attachment.size,
        "digest": attachment.digest,
        "state": attachment.state,
        "provider_ref": attachment.provider_ref,
    }


def decode_attachment(stored: dict[str, Any]) -> Attachment:
    return Attachment(**stored)
