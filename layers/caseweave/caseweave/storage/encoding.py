"""Domain values inside JSON attributes, and back: heads of cases, details of messages."""

from datetime import timedelta
from typing import Any

from caseweave.domain.case import Case, CaseState, Priority
from caseweave.domain.clocks import Clock, ClockKind, Pause
from caseweave.domain.identity import Address, AddressKind, Proof
from caseweave.domain.media import FileOutcome, FileState, Shortfall
from caseweave.domain.message import (
    Attachment,
    Channel,
    Contact,
    Delivery,
    DeliveryState,
    Direction,
    Message,
    PartDelivery,
    Progress,
    Purpose,
)
from caseweave.domain.times import from_rfc3339, optional_rfc3339, optional_time, to_rfc3339


def encode_head(case: Case) -> dict[str, Any]:
    """The part of a case that no key, filter or condition needs."""
    return {
        "subject": case.subject,
        "category": case.category,
        "priority": case.priority,
        "level": case.level,
        "assignee": case.assignee,
        "language": case.language,
        "opened_at": to_rfc3339(case.opened_at),
        "updated_at": to_rfc3339(case.updated_at),
        "channels": case.channels,
        "contacts": {name: encode_contact(contact) for name, contact in case.contacts.items()},
        "last_channel": case.last_channel,
        "acknowledged": case.acknowledged,
        "clocks": [encode_clock(clock) for clock in case.clocks],
        "incident_id": case.incident_id,
        **_encode_merging(case),
        "replied_seq": case.replied_seq,
        "state_seq": case.state_seq,
        "evidence": case.evidence,
        "seq": case.seq,
        "chain": case.chain,
        "seal": case.seal,
    }


def _encode_merging(case: Case) -> dict[str, Any]:
    """What only few cases have."""
    merging = {
        "merged_into": case.merged_into,
        "merged_seq": case.merged_seq,
        "merged": case.merged,
        "erased_at": optional_rfc3339(case.erased_at),
    }
    return {name: value for name, value in merging.items() if value}


def decode_head(
    head: dict[str, Any],
    *,
    case_id: str,
    ref: str,
    customer_id: str,
    state: str,
    team: str,
    version: int,
) -> Case:
    return Case(
        id=case_id,
        ref=ref,
        customer_id=customer_id,
        state=CaseState(state),
        team=team,
        version=version,
        subject=head["subject"],
        category=head["category"],
        priority=Priority(head["priority"]),
        level=head["level"],
        assignee=head["assignee"],
        language=head["language"],
        opened_at=from_rfc3339(head["opened_at"]),
        updated_at=from_rfc3339(head["updated_at"]),
        channels=tuple(Channel(name) for name in head["channels"]),
        contacts={Channel(name): decode_contact(one) for name, one in head["contacts"].items()},
        last_channel=Channel(head["last_channel"]) if head["last_channel"] else None,
        acknowledged=tuple(Channel(name) for name in head["acknowledged"]),
        clocks=tuple(decode_clock(clock) for clock in head["clocks"]),
        incident_id=head["incident_id"],
        merged_into=head.get("merged_into", ""),
        merged_seq=head.get("merged_seq", 0),
        merged=tuple(head.get("merged", ())),
        replied_seq=head["replied_seq"],
        state_seq=head["state_seq"],
        evidence=None if head["evidence"] is None else tuple(head["evidence"]),
        seq=head["seq"],
        chain=head["chain"],
        seal=head["seal"],
        erased_at=optional_time(head.get("erased_at")),
    )


def encode_details(message: Message) -> dict[str, Any]:
    """The part of a message that no key, filter or condition needs."""
    return {
        "provider": message.provider,
        "provider_id": message.provider_id,
        "subject": message.subject,
        "received_at": to_rfc3339(message.received_at),
        "proof": message.proof,
        "purpose": message.purpose,
        "is_automatic": message.is_automatic,
        "attachments": [encode_attachment(one) for one in message.attachments],
        "contact": encode_contact(message.contact) if message.contact else None,
        "fields": dict(message.fields),
        "seq": message.seq,
        **_encode_offer(message),
        "quoted": message.quoted,
        "page_digest": message.page_digest,
    }


def _encode_offer(message: Message) -> dict[str, Any]:
    """What only some outbound messages have."""
    offer = {
        "quick_replies": list(message.quick_replies),
        "reply_to": message.reply_to,
        "reply_to_provider_id": message.reply_to_provider_id,
    }
    return {name: value for name, value in offer.items() if value}


def decode_details(
    details: dict[str, Any],
    *,
    message_id: str,
    case_id: str,
    customer_id: str,
    direction: str,
    channel: str,
    author: str,
    body: str,
    occurred_at: str,
    delivery: Delivery | None,
) -> Message:
    return Message(
        id=message_id,
        case_id=case_id,
        customer_id=customer_id,
        direction=Direction(direction),
        channel=Channel(channel),
        author=author,
        body=body,
        occurred_at=from_rfc3339(occurred_at),
        delivery=delivery,
        provider=details["provider"],
        provider_id=details["provider_id"],
        subject=details["subject"],
        received_at=from_rfc3339(details["received_at"]),
        proof=Proof(details["proof"]),
        purpose=Purpose(details["purpose"]) if details["purpose"] else None,
        is_automatic=details["is_automatic"],
        attachments=tuple(decode_attachment(one) for one in details["attachments"]),
        contact=decode_contact(details["contact"]) if details["contact"] else None,
        fields=details["fields"],
        seq=details["seq"],
        quick_replies=tuple(details.get("quick_replies", ())),
        reply_to=details.get("reply_to", ""),
        reply_to_provider_id=details.get("reply_to_provider_id", ""),
        quoted=details.get("quoted", ""),
        page_digest=details.get("page_digest", ""),
    )


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
        "content_id": attachment.content_id,
        "reason": attachment.reason,
    }


def decode_attachment(stored: dict[str, Any]) -> Attachment:
    return Attachment(**stored)


def encode_outcome(outcome: FileOutcome) -> dict[str, Any]:
    return {
        "digest": outcome.digest,
        "size": outcome.size,
        "media_type": outcome.media_type,
        "thumbnail": outcome.thumbnail,
        "is_executable": outcome.is_executable,
        "reason": outcome.reason,
        "detail": outcome.detail,
    }


def decode_outcome(
    stored: dict[str, Any], *, message_id: str, index: int, state: str
) -> FileOutcome:
    return FileOutcome(
        message_id=message_id,
        index=index,
        state=FileState(state),
        digest=stored["digest"],
        size=stored["size"],
        media_type=stored["media_type"],
        thumbnail=stored["thumbnail"],
        is_executable=stored["is_executable"],
        reason=Shortfall(stored["reason"]) if stored["reason"] else None,
        detail=stored["detail"],
    )


def encode_parts(delivery: Delivery) -> dict[str, Any] | None:
    """Nothing for a message that leaves in one piece."""
    if not delivery.parts:
        return None
    sent = delivery.sent
    return {
        "sent": [sent.parts, sent.files, sent.characters],
        "parts": [[p.number, p.state, p.provider_id, p.error] for p in delivery.parts],
    }


def decode_parts(stored: dict[str, Any] | None) -> dict[str, Any]:
    """The fields of a Delivery that only a message in several parts has."""
    if not stored:
        return {}
    return {
        "sent": Progress(*stored["sent"]),
        "parts": tuple(
            PartDelivery(number, DeliveryState(state), provider_id, error)
            for number, state, provider_id, error in stored["parts"]
        ),
    }
