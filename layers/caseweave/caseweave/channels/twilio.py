"""Twilio Programmable Messaging: SMS, MMS and WhatsApp in, delivery receipts in.

https://www.twilio.com/docs/messaging/guides/webhook-request
https://www.twilio.com/docs/usage/security#validating-requests
"""

import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha1
from urllib.parse import quote, urlencode

from caseweave.channels.constant_time import is_any_of
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest, read_form, read_form_pairs
from caseweave.channels.twilio_calls import parse_call
from caseweave.channels.twilio_content import (
    read_attachments,
    read_context,
    read_fields,
    read_origin,
    read_words,
)
from caseweave.channels.twilio_sending import read_refusal
from caseweave.domain.message import (
    DeliveryState,
    IgnoredEvent,
    InboundEvent,
    InboundMessage,
    Receipt,
)
from caseweave.errors import InvalidSignatureError, UnparseableError

PROVIDER = "twilio"
# An empty TwiML document: no automatic answer by Twilio itself.
ACKNOWLEDGED = ("text/xml", "<Response/>")
# Addresses of channels that we take in by themselves, or not at all.
_OTHER_CHANNELS = ("rcs:", "messenger:", "instagram:", "viber:", "line:")

_STATES = {
    "sent": DeliveryState.ACCEPTED,
    "delivered": DeliveryState.DELIVERED,
    "read": DeliveryState.READ,
    "undelivered": DeliveryState.FAILED,
    "failed": DeliveryState.FAILED,
    "canceled": DeliveryState.FAILED,
}


def verify(request: WebhookRequest, credentials: Credentials) -> None:
    """Check `X-Twilio-Signature` over the URL as configured at Twilio and the form fields.

    Any live `auth_token` may have signed: two are while it is rotated. Raises
    InvalidSignatureError.
    """
    given = request.headers.get("x-twilio-signature", "")
    url = _with_query(credentials.current("webhook_url"), request.query)
    # Twilio signs distinct names and distinct values, sorted.
    try:
        pairs = sorted(set(read_form_pairs(request.body)))
    except UnparseableError as error:
        raise InvalidSignatureError(PROVIDER) from error
    signed = (url + "".join(name + value for name, value in pairs)).encode()
    macs = [hmac.digest(token.encode(), signed, sha1) for token in credentials.live("auth_token")]
    if not is_any_of(given, (b64encode(mac).decode() for mac in macs)):
        raise InvalidSignatureError(PROVIDER)


def _with_query(url: str, query: Sequence[tuple[str, str]]) -> str:
    """The URL that Twilio calls and signs, spelt in one way only."""
    return f"{url}?{urlencode(query, quote_via=quote)}" if query else url


def parse(request: WebhookRequest, credentials: Credentials) -> list[InboundEvent]:
    """One message, or one delivery receipt. Raises UnparseableError."""
    form = read_form(request.body)
    sid = form.get("MessageSid") or form.get("SmsSid")
    if not sid and "CallSid" in form:
        # A replay knows the provider, not the door: this came by that of the calls.
        return [parse_call(PROVIDER, form, dict(request.query), credentials)]
    if not sid:
        raise UnparseableError("no MessageSid")
    status = form.get("MessageStatus") or form.get("SmsStatus") or form.get("EventType", "").lower()
    is_inbound = status in ("", "received", "receiving") and "MessageStatus" not in form
    if "From" not in form or not is_inbound:
        return [_receipt(form, sid, status, dict(request.query))]
    if form["From"].lower().startswith(_OTHER_CHANNELS):
        channel = form["From"].partition(":")[0].lower()
        reason = f"a message by {channel}, which is not taken in from Twilio"
        return [IgnoredEvent(PROVIDER, form.get("AccountSid", ""), sid, reason)]
    return [_message(form, sid)]


def _message(form: Mapping[str, str], sid: str) -> InboundMessage:
    origin = read_origin(form, sid)
    return InboundMessage(
        channel=origin.channel,
        provider=PROVIDER,
        account=form.get("AccountSid", ""),
        event_id=sid,
        provider_id=sid,
        sender=origin.sender,
        body=read_words(form),
        attachments=read_attachments(form),
        context=read_context(form),
        fields=read_fields(form),
        # What writes under a name in place of a number is a machine.
        is_automatic=origin.is_a_name,
    )


def _receipt(
    form: Mapping[str, str], sid: str, status: str, query: Mapping[str, str]
) -> InboundEvent:
    """The callback URL carries our own name for the message, so no receipt comes too early."""
    return Receipt(
        provider=PROVIDER,
        account=form.get("AccountSid", ""),
        event_id=f"{sid}.{status}",
        provider_id=sid,
        outbox_key=query.get("message", ""),
        state=_STATES.get(status),
        error=form.get("ErrorCode", ""),
        refusal=read_refusal(form.get("ErrorCode", "")),
    )
