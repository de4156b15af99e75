"""SES v2 SendEmail: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html

Raw messages only: it is the form that carries In-Reply-To and References.
"""

import base64
import binascii
import email
import email.policy
import re
from collections.abc import Iterable
from dataclasses import replace
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any
from uuid import UUID

from examples.provider_sink.accounts import Accounts
from examples.provider_sink.exchange import (
    AWS_AUTHORIZATION,
    MalformedBodyError,
    json_response,
    read_object,
)
from examples.provider_sink.faults import Fault, Mode
from examples.provider_sink.received import Call, Mail, Outcome, Received

PATH = re.compile(r"/ses/v2/email/outbound-emails")

_FAULTS = {
    Mode.THROTTLE: (429, "TooManyRequestsException", "Too Many Requests"),
    Mode.SERVER_ERROR: (500, "InternalFailure", "Internal failure"),
    Mode.REFUSE: (400, "MessageRejected", "Email address is not verified."),
}
# Numbers of our own for what SES refuses by name: an account that is paused is for ops to mend.
_REFUSALS = {403: (400, "SendingPausedException", "Email sending is paused.")}


def answer(call: Call, _accounts: Accounts) -> Outcome:
    """Accept any signature of the right form: AWS credentials are the local cloud's to check."""
    received = Received(provider="ses", at=call.at)
    if not AWS_AUTHORIZATION.fullmatch(call.request.headers.get("Authorization", "")):
        missing = (403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        return _refuse(received, *missing)
    try:
        received = _read(received, read_object(call.request.body))
    except ValueError as error:  # ours, or the mail parser's about a broken header
        return _refuse(received, 400, "BadRequestException", str(error))
    if call.fault and call.fault.mode in _FAULTS:
        known = _REFUSALS if call.fault.mode is Mode.REFUSE else {}
        refusal = known.get(call.fault.code or 0, _FAULTS[call.fault.mode])
        return _refuse(received, *refusal, fault=call.fault)
    if not received.to:
        return _refuse(received, 400, "BadRequestException", "The message has no recipients.")
    if not received.sender:
        return _refuse(received, 400, "BadRequestException", "Missing From address.")
    message_id = f"0100{int(call.at.timestamp() * 1000):012x}-{UUID(call.unique)}-000000"
    accepted = replace(received, provider_id=message_id)
    return Outcome(json_response(200, {"MessageId": message_id}), accepted)


def _read(received: Received, request: dict[str, Any]) -> Received:
    raw = _raw(request)
    message = email.message_from_bytes(raw, policy=email.policy.default)
    sender = request.get("FromEmailAddress") or str(message.get("From", ""))
    return replace(
        received,
        to=_recipients(request.get("Destination"), message),
        sender=next((address for _, address in getaddresses([sender])), ""),
        body=_text(message),
        request=request,
        media=tuple(file.get_filename() or "" for file in message.iter_attachments()),
        reply_to=str(message.get("In-Reply-To", "")),
        mail=Mail(
            subject=str(message.get("Subject", "")),
            headers=_headers(message),
            raw=raw.decode("utf-8", "replace"),  # byte for byte in request.Content.Raw.Data
        ),
    )


def _raw(request: dict[str, Any]) -> bytes:
    try:
        return base64.b64decode(request["Content"]["Raw"]["Data"], validate=True)
    except (KeyError, TypeError) as error:
        raise MalformedBodyError(
            "Content.Raw.Data is missing; this sink takes raw messages"
        ) from error
    except binascii.Error as error:
        raise MalformedBodyError("Content.Raw.Data is not base64") from error


def _recipients(destination: object, message: EmailMessage) -> tuple[str, ...]:
    """Find who gets it: the Destination if there is one, otherwise the message's own headers."""
    named = destination if isinstance(destination, dict) else {}
    fields: Iterable[str] = [
        str(address)
        for name in ("ToAddresses", "CcAddresses", "BccAddresses")
        for address in named.get(name) or ()
    ] or [str(value) for name in ("To", "Cc", "Bcc") for value in message.get_all(name, [])]
    return tuple(address for _, address in getaddresses(list(fields)) if address)


def _text(message: EmailMessage) -> str:
    part = message.get_body(("plain", "html"))
    try:
        return str(part.get_content()) if part else ""
    except LookupError:  # a charset that Python does not know
        return ""


def _headers(message: EmailMessage) -> dict[str, str]:
    """Show each header once; the values of a repeated one are joined."""
    return {name: ", ".join(map(str, message.get_all(name, []))) for name in message}


def _refuse(
    received: Received, status: int, kind: str, text: str, fault: Fault | None = None
) -> Outcome:
    headers = {"x-amzn-ErrorType": kind}
    if fault and status == 429:
        headers["Retry-After"] = f"{fault.seconds:.0f}"
    response = json_response(status, {"message": text}, headers)
    return Outcome(response, replace(received, error=f"{kind}: {text}"))
