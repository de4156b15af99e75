"""Vonage (Nexmo): SMS API and Messages API in, receipts of both in.

https://developer.vonage.com/en/messaging/sms/guides/inbound-sms
https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts
https://developer.vonage.com/en/api/messages-olympus#inbound-message
https://developer.vonage.com/en/api/messages-olympus#message-status
"""

import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from caseweave.channels.credentials import Credentials
from caseweave.channels.identities import identify_phone
from caseweave.channels.json_reading import object_in, read_id, read_iso_time, text_in
from caseweave.channels.request import WebhookRequest
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
    message_id = read_id(fields, "messageId")
    context = {"to": text_in(fields, "to"), "channel": "sms", "udh": text_in(fields, "udh")}
    binary = f"[binary] {text_in(fields, 'data')}".strip() if fields.get("type") == "binary" else ""
    return InboundMessage(
        channel=Channel.SMS,
        provider=PROVIDER,
        account=context["to"][:_LONGEST_TEXT],
        event_id=message_id,
        provider_id=message_id,
        sender=_sender(fields, "msisdn"),
        body="\n".join(filter(None, [text_in(fields, "text"), binary])),
        occurred_at=read_iso_time(text_in(fields, "message-timestamp"), UTC),
        context=_short(context),
        part=None if binary else _part(fields, text_in(fields, "text")),
    )


def _part(fields: Mapping[str, Any], text: str) -> Part | None:
    """Which part of a longer text it is; None for what is whole, or says it in no sensible way."""
    told = [text_in(fields, name) for name in ("concat-part", "concat-total")]
    ref = text_in(fields, "concat-ref")
    if not all(_COUNT.fullmatch(one) for one in told) or not 0 < len(ref) <= _LONGEST_REF:
        return None
    number, total = map(int, told)
    is_sensible = 1 <= number <= total and 1 < total <= _MOST_PARTS and len(text) <= _LONGEST_PART
    return Part(ref, number, total) if is_sensible else None


def _sms_receipt(fields: Mapping[str, Any]) -> Receipt:
    message_id, status = read_id(fields, "messageId"), text_in(fields, "status")
    error = text_in(fields, "err-code")
    return Receipt(
        provider=PROVIDER,
        account=text_in(fields, "to")[:_LONGEST_TEXT],
        event_id=f"{message_id}.{status[:_LONGEST_TEXT]}",
        provider_id=message_id,
        outbox_key=text_in(fields, "client-ref")[:_LONGEST_TEXT],
        state=_STATES.get(status),
        error="" if error == "0" else error[:_LONGEST_TEXT],
    )


def _message(fields: Mapping[str, Any]) -> InboundEvent:
    """A message of the Messages API."""
    message_id, told = read_id(fields, "message_uuid"), text_in(fields, "channel")
    account = text_in(fields, "to")[:_LONGEST_TEXT]
    if told not in _CHANNELS:
        return IgnoredEvent(
            PROVIDER, account, message_id, f"a message of channel {told or 'nothing'}"[:200]
        )
    kind, content = text_in(fields, "message_type"), _content(fields)
    context = {
        "to": account,
        "channel": told,
        "reply_to": text_in(object_in(fields, "context"), "message_uuid"),
    }
    return InboundMessage(
        channel=_CHANNELS[told],
        provider=PROVIDER,
        account=account,
        event_id=message_id,
        provider_id=message_id,
        sender=_sender(fields, "from"),
        body=text_in(fields, "text") or _describe(kind, content),
        occurred_at=read_iso_time(text_in(fields, "timestamp"), UTC),
        attachments=_attachments(kind, content),
        context=_short(context),
    )


def _status(fields: Mapping[str, Any]) -> Receipt:
    message_id, status = read_id(fields, "message_uuid"), text_in(fields, "status")
    error = object_in(fields, "error")
    reasons = [text_in(error, name) for name in ("title", "detail", "code", "reason")]
    return Receipt(
        provider=PROVIDER,
        account=text_in(fields, "from")[:_LONGEST_TEXT],
        event_id=f"{message_id}.{status[:_LONGEST_TEXT]}",
        provider_id=message_id,
        outbox_key=text_in(fields, "client_ref")[:_LONGEST_TEXT],
        state=_STATES.get(status),
        error=" ".join(filter(None, reasons))[:_LONGEST_TEXT],
        # The error's number is its title, or the end of the address that explains it.
        refusal=read_refusal(text_in(error, "title"))
        or read_refusal(text_in(error, "type").rpartition("#")[2]),
    )


def _content(fields: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What stands under the name of the message's own type; an MMS may have several."""
    found = fields.get(text_in(fields, "message_type"))
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]


def _describe(kind: str, content: list[Mapping[str, Any]]) -> str:
    """Words for a message without text: a caption, a place, a button, a reaction, an order."""
    words = [_say(one) for one in content]
    return "\n".join(filter(None, words)) or ("" if kind in _MEDIA_TYPES else f"[{kind}]"[:200])


def _say(one: Mapping[str, Any]) -> str:
    if "lat" in one:
        place = f"{text_in(one, 'lat')}, {text_in(one, 'long')}"
        return "\n".join(filter(None, [text_in(one, "name"), text_in(one, "address"), place]))
    if isinstance(one.get("product_items"), list):
        items = [item for item in one["product_items"] if isinstance(item, dict)]
        return "\n".join(
            f"{text_in(i, 'quantity')} × {text_in(i, 'product_retailer_id')}" for i in items
        )
    names = ("caption", "title", "text", "emoji")
    return next(filter(None, (text_in(one, name) for name in names)), "")


def _attachments(kind: str, content: list[Mapping[str, Any]]) -> tuple[Attachment, ...]:
    """Files at addresses of Vonage."""
    return tuple(
        Attachment(
            name=text_in(one, "name")[:_LONGEST_TEXT]
            or text_in(one, "type")[:_LONGEST_TEXT]
            or kind,
            media_type=_MEDIA_TYPES.get(text_in(one, "type") or kind, "application/octet-stream"),
            provider_ref=text_in(one, "url"),
        )
        for one in content
        if text_in(one, "url")
    )


def _sender(fields: Mapping[str, Any], name: str) -> Sender:
    """Vonage writes E.164 without its plus sign; what is as short as a short code is none."""
    number = _NUMBER.fullmatch(text_in(fields, name))
    if not number:
        raise UnparseableError(f"{name} is neither a phone number nor a short code")
    digits = number[1]
    is_whole = len(digits) >= _SHORTEST_NUMBER and not digits.startswith("0")
    phone = Address(AddressKind.PHONE, identify_phone(f"+{digits}") if is_whole else digits)
    return Sender(
        proven=(ProvenAddress(phone, Proof.PROVIDER),),
        name=text_in(object_in(fields, "profile"), "name"),
    )


def _short(context: Mapping[str, str]) -> dict[str, str]:
    return {name: value[:_LONGEST_TEXT] for name, value in context.items() if value}
