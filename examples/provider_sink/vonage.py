"""Vonage's Messages API: https://developer.vonage.com/en/api/messages-olympus#SendMessage

Errors: https://developer.vonage.com/en/api-errors and .../messages-olympus
"""

import base64
import json
import re
from dataclasses import replace
from typing import Any
from uuid import UUID

from examples.provider_sink.accounts import Accounts, VonageAccount
from examples.provider_sink.exchange import (
    MalformedBodyError,
    Response,
    is_authorized,
    json_response,
    read_object,
    text_in,
)
from examples.provider_sink.faults import Mode
from examples.provider_sink.received import Call, Outcome, Received

PATH = re.compile(r"/vonage/v1/messages")
LONGEST_TEXT = 1000

_ERRORS = "https://developer.vonage.com/api-errors"
_REQUIRED = ("message_type", "channel", "to", "from")
_FILES = ("image", "audio", "video", "file")
_FAILURES = {
    Mode.THROTTLE: (429, "#throttled", "Rate Limit Hit", "Please wait, then retry your request"),
    Mode.SERVER_ERROR: (
        500,
        "/messages-olympus#1000",
        "Internal error",
        "There was an error processing your request in the Platform.",
    ),
}


def answer(call: Call, accounts: Accounts) -> Outcome:
    received = Received(provider="vonage", at=call.at)
    if not is_authorized(call.request, "Basic", _basic(accounts.vonage)):
        title = "You did not provide correct credentials."
        detail = "Check your authentication credentials are correct"
        return _refuse(call, received, 401, "#unauthorized", title, detail)
    try:
        said = read_object(call.request.body)
    except MalformedBodyError:
        detail = "The request body could not be parsed as JSON"
        return _refuse(call, received, 400, "#invalid-json", "Bad Request", detail)
    to = text_in(said, "to")
    received = replace(
        received,
        to=(to,) if to else (),
        sender=text_in(said, "from"),
        body=text_in(said, "text"),
        request=said,
        media=tuple(filter(None, [text_in(said, kind, "url") for kind in _FILES])),
        reply_to=text_in(said, "context", "message_uuid"),
    )
    if call.fault and call.fault.mode in _FAILURES:
        return _refuse(call, received, *_FAILURES[call.fault.mode])
    invalid = _invalid_parameters(said)
    if invalid:
        detail = "The value of one or more parameters is invalid."
        more = {"invalid_parameters": invalid}
        return _refuse(
            call, received, 422, "/messages-olympus#1150", "Invalid params", detail, more
        )
    if call.fault and call.fault.mode is Mode.REFUSE:
        return _refuse(call, received, *_refusal(call.fault.code))
    message_id = str(UUID(call.unique))
    response = json_response(202, {"message_uuid": message_id})
    return Outcome(response, replace(received, provider_id=message_id))


def _basic(account: VonageAccount | None) -> str | None:
    pair = f"{account.api_key}:{account.api_secret}" if account else ""
    return base64.b64encode(pair.encode()).decode() or None


def _invalid_parameters(said: dict[str, Any]) -> list[dict[str, str]]:
    kind = text_in(said, "message_type")
    missing = [name for name in _REQUIRED if not text_in(said, name).strip()]
    # An SMS has no files.
    is_file = kind in _FILES and text_in(said, "channel") != "sms"
    content = text_in(said, kind, "url") if is_file else text_in(said, "text")
    missing += [] if content.strip() else ["text"]
    found = [{"name": name, "reason": f"`{name}` is required."} for name in missing]
    if len(text_in(said, "text")) > LONGEST_TEXT:
        found.append({"name": "text", "reason": "`text` length must be between 1 and 1000."})
    return found


def _refusal(code: int | None) -> tuple[int, str, str, str]:
    if code:
        return 422, f"/messages-olympus#{code}", "Rejected", "The message was refused"
    detail = "This request could not be performed due to your account balance being low."
    return 402, "#low-balance", "Low balance", detail


def _refuse(
    call: Call,
    received: Received,
    status: int,
    kind: str,
    title: str,
    detail: str,
    more: dict[str, Any] | None = None,
) -> Outcome:
    problem = {
        "type": f"{_ERRORS}{kind}",
        "title": title,
        "detail": detail,
        "instance": call.unique,
        **(more or {}),
    }
    body = json.dumps(problem).encode()
    reasons = [one["reason"] for one in (more or {}).get("invalid_parameters", [])]
    error = " ".join([f"{status} {title}:", *(reasons or [detail])])
    return Outcome(
        Response(status, body, "application/problem+json"), replace(received, error=error)
    )
