"""Twilio Programmable Messaging: SMS in, delivery receipts in.

https://www.twilio.com/docs/messaging/guides/webhook-request
https://www.twilio.com/docs/usage/security#validating-requests
"""

import hmac
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha1
from urllib.parse import quote, urlencode

from caseweave.channels.credentials import Credentials
from caseweave.channels.request import (
    WebhookRequest,
    read_form,
    read_form_pairs,
)
from caseweave.channels.twilio_sending import read_refusal
from caseweave.domain.identity import (
    Address,
    AddressKind,
    Proof,
    ProvenAddress,
    Sender,
    normalise_phone,
)
from caseweave.domain.message import (
    Attachment,
    Channel,
    DeliveryState,
    InboundEvent,
    InboundMessage,
    Receipt,
)
from caseweave.errors import InvalidSignatureError, UnparseableError

PROVIDER = "twilio"
# An empty TwiML document: no automatic answer by Twilio itself.
ACKNOWLEDGED = ("text/xml", "<Response/>")
MOST_MEDIA = 10
_NUMBER = re.compile(r"\+?[0-9]{3,15}")

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
    given = request.headers.get("x-twilio-signature", "").encode("utf-8", "replace")
    url = _with_query(credentials.current("webhook_url"), request.query)
    # Twilio signs distinct names and distinct values, sorted.
    try:
        pairs = sorted(set(read_form_pairs(request.body)))
    except UnparseableError as error:
        raise InvalidSignatureError(PROVIDER) from error
    signed = (url + "".join(name + value for name, value in pairs)).encode()
    macs = [hmac.digest(token.encode(), signed, sha1) for token in credentials.live("auth_token")]
    # All are compared, so that the time does not tell which one was near.
    matches = [hmac.compare_digest(b64encode(mac), given) for mac in macs]
    if not any(matches):
        raise InvalidSignatureError(PROVIDER)


def _with_query(url: str, query: Sequence[tuple[str, str]]) -> str:
    """The URL that Twilio calls and signs, spelt in one way only."""
    return f"{url}?{urlencode(query, quote_via=quote)}" if query else url


def parse(request: WebhookRequest, credentials: Credentials) -> list[InboundEvent]:  # noqa: ARG001
    """One message, or one delivery receipt. Raises UnparseableError."""
    form = read_form(request.body)
    sid = form.get("MessageSid") or form.get("SmsSid")
    if not sid:
        raise UnparseableError("no MessageSid")
    status = form.get("MessageStatus") or form.get("SmsStatus", "")
    if "From" in form and status in ("", "received", "receiving") and "MessageStatus" not in form:
        return [_message(form, sid)]
    return [_receipt(form, sid, status, dict(request.query))]


def _message(form: Mapping[str, str], sid: str) -> InboundMessage:
    if not _NUMBER.fullmatch(form["From"]):
        raise UnparseableError("From is neither a phone number nor a short code")
    phone = Address(AddressKind.PHONE, normalise_phone(form["From"]))
    return InboundMessage(
        channel=Channel.SMS,
        provider=PROVIDER,
        account=form.get("AccountSid", ""),
        event_id=sid,
        provider_id=sid,
        sender=Sender(proven=(ProvenAddress(phone, Proof.PROVIDER),)),
        body=form.get("Body", ""),
        attachments=tuple(
            Attachment(
                name=f"media-{number}",
                media_type=form.get(f"MediaContentType{number}", "application/octet-stream"),
                provider_ref=form[f"MediaUrl{number}"],
            )
            for number in range(MOST_MEDIA)
            if form.get(f"MediaUrl{number}")
        ),
        context={"to": form.get("To", "")},
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
