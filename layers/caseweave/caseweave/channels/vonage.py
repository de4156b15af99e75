"""Vonage (Nexmo): SMS API and Messages API in, receipts of both in.

https://developer.vonage.com/en/messaging/sms/guides/inbound-sms
https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts
https://developer.vonage.com/en/api/messages-olympus#inbound-message
https://developer.vonage.com/en/api/messages-olympus#message-status
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from caseweave.channels.credentials import Credentials
from caseweave.channels.request import (
    WebhookRequest,
)
from caseweave.channels.vonage_sending import read_refusal
from caseweave.channels.vonage_signature import read_fields, verify_signature
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import (
    Attachment,
    Channel,
    DeliveryState,
    IgnoredEvent,
    InboundEvent,
    InboundMessage,
    Part,
    Receipt,
)
from caseweave.errors import UnparseableError

PROVIDER = "vonage"
ACKNOWLEDGED = ("application/json", "{}")
_LONGEST_TEXT = 200
_NUMBER = re.compile(r"\+?([0-9]{3,15})", re.ASCII)
_SHORTEST_NUMBER = 7
_COUNT = re.compile(r"[0-9]{1,3}", re.ASCII)
# A waiting text is one record: what is larger than any phone sends comes as it is.
_LONGEST_REF = 40
_MOST_PARTS = 50
_LONGEST_PART = 1000

# Whom all of these name by a phone number; `messenger` does not.
_CHANNELS = {
    "sms": Channel.SMS,
    "mms": Channel.SMS,
    "rcs": Channel.MESSENGER,
    "whatsapp": Channel.MESSENGER,
    "viber_service": Channel.MESSENGER,
}
_MEDIA_TYPES = {
    "image": "image/jpeg",
    "audio": "application/octet-stream",
    "video": "video/mp4",
    "file": "application/octet-stream",
    "vcard": "text/vcard",
    "sticker": "image/webp",
}
_STATES = {
    "submitted": DeliveryState.ACCEPTED,
    "accepted": DeliveryState.ACCEPTED,
    "delivered": DeliveryState.DELIVERED,
    "read": DeliveryState.READ,
    "rejected": DeliveryState.FAILED,
    "undeliverable": DeliveryState.FAILED,
    "failed": DeliveryState.FAILED,
    "expired": DeliveryState.FAILED,
}


def verify(request: WebhookRequest, credentials: Credentials) -> None:
    """Check the JWT of the Messages API or the `sig` of the SMS API.

    Raises InvalidSignatureError.
    """
    verify_signature(PROVIDER, request, credentials)


def parse(request: WebhookRequest, credentials: Credentials) -> list[InboundEvent]:  # noqa: ARG001
    """One message, or one delivery receipt. Raises UnparseableError."""
    fields = read_fields(request)
    if "message_uuid" in fields:
        return [_status(fields) if "status" in fields else _message(fields)]
    return [_sms_receipt(fields) if "status" in fields else _sms(fields)]


def _sms(fields: Mapping[str, Any]) -> InboundMessage:
    """A message of the SMS API; each part of a long one comes by itself."""
    message_id = _id(fields, "messageId")
    context = {"to": _text(fields, "to"), "channel": "sms", "udh": _text(fields, "udh")}
    binary = f"[binary] {_text(fields, 'data')}".strip() if fields.get("type") == "binary" else ""
    return InboundMessage(
        channel=Channel.SMS,
        provider=PROVIDER,
        account=context["to"][:_LONGEST_TEXT],
        event_id=message_id,
        provider_id=message_id,
        sender=_sender(fields, "msisdn"),
        body="\n".join(filter(None, [_text(fields, "text"), binary])),
        occurred_at=_time(_text(fields, "message-timestamp")),
        context=_short(context),
        part=None if binary else _part(fields, _text(fields, "text")),
    )


def _part(fields: Mapping[str, Any], text: str) -> Part | None:
    """Which part of a longer text it is; None for what is whole, or says it in no sensible way."""
    told = [_text(fields, name) for name in ("concat-part", "concat-total")]
    ref = _text(fields, "concat-ref")
    if not all(_COUNT.fullmatch(one) for one in told) or not 0 < len(ref) <= _LONGEST_REF:
        return None
    number, total = map(int, told)
    is_sensible = 1 <= number <= total and 1 < total <= _MOST_PARTS and len(text) <= _LONGEST_PART
    return Part(ref, number, total) if is_sensible else None


def _sms_receipt(fields: Mapping[str, Any]) -> Receipt:
    message_id, status = _id(fields, "messageId"), _text(fields, "status")
    error = _text(fields, "err-code")
    return Receipt(
        provider=PROVIDER,
        account=_text(fields, "to")[:_LONGEST_TEXT],
        event_id=f"{message_id}.{status[:_LONGEST_TEXT]}",
        provider_id=message_id,
        outbox_key=_text(fields, "client-ref")[:_LONGEST_TEXT],
        state=_STATES.get(status),
        error="" if error == "0" else error[:_LONGEST_TEXT],
    )


def _message(fields: Mapping[str, Any]) -> InboundEvent:
    """A message of the Messages API."""
    message_id, told = _id(fields, "message_uuid"), _text(fields, "channel")
    account = _text(fields, "to")[:_LONGEST_TEXT]
    if told not in _CHANNELS:
        return IgnoredEvent(
            PROVIDER, account, message_id, f"a message of channel {told or 'nothing'}"[:200]
        )
    kind, content = _text(fields, "message_type"), _content(fields)
    context = {
        "to": account,
        "channel": told,
        "reply_to": _text(_object(fields, "context"), "message_uuid"),
    }
    return InboundMessage(
        channel=_CHANNELS[told],
        provider=PROVIDER,
        account=account,
        event_id=message_id,
        provider_id=message_id,
        sender=_sender(fields, "from"),
        body=_text(fields, "text") or _describe(kind, content),
        occurred_at=_time(_text(fields, "timestamp")),
        attachments=_attachments(kind, content),
        context=_short(context),
    )


def _status(fields: Mapping[str, Any]) -> Receipt:
    message_id, status = _id(fields, "message_uuid"), _text(fields, "status")
    error = _object(fields, "error")
    reasons = [_text(error, name) for name in ("title", "detail", "code", "reason")]
    return Receipt(
        provider=PROVIDER,
        account=_text(fields, "from")[:_LONGEST_TEXT],
        event_id=f"{message_id}.{status[:_LONGEST_TEXT]}",
        provider_id=message_id,
        outbox_key=_text(fields, "client_ref")[:_LONGEST_TEXT],
        state=_STATES.get(status),
        error=" ".join(filter(None, reasons))[:_LONGEST_TEXT],
        # The error's number is its title, or the end of the address that explains it.
        refusal=read_refusal(_text(error, "title"))
        or read_refusal(_text(error, "type").rpartition("#")[2]),
    )


def _content(fields: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What stands under the name of the message's own type; an MMS may have several."""
    found = fields.get(_text(fields, "message_type"))
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]


def _describe(kind: str, content: list[Mapping[str, Any]]) -> str:
    """Words for a message without text: a caption, a place, a button, a reaction, an order."""
    words = [_say(one) for one in content]
    return "\n".join(filter(None, words)) or ("" if kind in _MEDIA_TYPES else f"[{kind}]"[:200])


def _say(one: Mapping[str, Any]) -> str:
    if "lat" in one:
        place = f"{_text(one, 'lat')}, {_text(one, 'long')}"
        return "\n".join(filter(None, [_text(one, "name"), _text(one, "address"), place]))
    if isinstance(one.get("product_items"), list):
        items = [item for item in one["product_items"] if isinstance(item, dict)]
        return "\n".join(
            f"{_text(i, 'quantity')} × {_text(i, 'product_retailer_id')}" for i in items
        )
    names = ("caption", "title", "text", "emoji")
    return next(filter(None, (_text(one, name) for name in names)), "")


def _attachments(kind: str, content: list[Mapping[str, Any]]) -> tuple[Attachment, ...]:
    """Files at addresses of Vonage."""
    return tuple(
        Attachment(
            name=_text(one, "name")[:_LONGEST_TEXT] or _text(one, "type")[:_LONGEST_TEXT] or kind,
            media_type=_MEDIA_TYPES.get(_text(one, "type") or kind, "application/octet-stream"),
            provider_ref=_text(one, "url"),
        )
        for one in content
        if _text(one, "url")
    )


def _sender(fields: Mapping[str, Any], name: str) -> Sender:
    """Vonage writes E.164 without its plus sign; what is as short as a short code is none."""
    number = _NUMBER.fullmatch(_text(fields, name))
    if not number:
        raise UnparseableError(f"{name} is neither a phone number nor a short code")
    digits = number[1]
    is_whole = len(digits) >= _SHORTEST_NUMBER and not digits.startswith("0")
    phone = Address(AddressKind.PHONE, f"+{digits}" if is_whole else digits)
    return Sender(
        proven=(ProvenAddress(phone, Proof.PROVIDER),),
        name=_text(_object(fields, "profile"), "name"),
    )


def _short(context: Mapping[str, str]) -> dict[str, str]:
    return {name: value[:_LONGEST_TEXT] for name, value in context.items() if value}


def _object(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _id(value: Mapping[str, Any], name: str) -> str:
    found = _text(value, name)
    if not 0 < len(found) <= _LONGEST_TEXT:
        raise UnparseableError(f"no {name}")
    return found


def _text(value: Mapping[str, Any], name: str) -> str:
    """A text, or a number as one; "" for what is neither."""
    found = value.get(name)
    return str(found) if isinstance(found, str | int | float) else ""


def _time(told: str) -> datetime | None:
    """`2026-11-23 05:24:33`, in UTC, or RFC 3339."""
    try:
        time = datetime.fromisoformat(told)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
