"""LINE's push message: https://developers.line.biz/en/reference/messaging-api/#send-push-message

Retry keys: https://developers.line.biz/en/docs/messaging-api/retrying-api-request/
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from examples.provider_sink.accounts import Accounts
from examples.provider_sink.exchange import (
    MalformedBodyError,
    Response,
    is_authorized,
    json_response,
    read_object,
    text_in,
    texts_in,
    value_in,
)
from examples.provider_sink.faults import Fault, Mode
from examples.provider_sink.received import Call, Outcome, Received
from examples.provider_sink.retry_keys import Accepted

PATH = re.compile(r"/line/v2/bot/message/push")
LONGEST_TEXT = 5000
MOST_MESSAGES = 5

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UNAUTHORIZED = (
    "Authentication failed due to the following reason: invalid token. "
    "Confirm that the access token in the authorization header is valid."
)
_FAULTS = {
    Mode.THROTTLE: (429, "The API rate limit has been exceeded. Try again later."),
    Mode.SERVER_ERROR: (500, "Internal Server Error"),
}
_REFUSALS = {400: "Failed to send messages", 429: "You have reached your monthly limit."}


def answer(call: Call, accounts: Accounts) -> Outcome:
    received = Received(provider="line", at=call.at)
    if not is_authorized(call.request, "Bearer", accounts.tokens.get("line")):
        return _refuse(call, received, 401, _UNAUTHORIZED)
    try:
        said = read_object(call.request.body)
    except MalformedBodyError:
        return _refuse(call, received, 400, "The request body could not be parsed as JSON")
    to, texts = text_in(said, "to"), _texts(said)
    messages = said.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    received = replace(
        received,
        to=(to,) if to else (),
        body="\n\n".join(filter(None, texts)),
        request=said,
        media=tuple(filter(None, texts_in(messages, "originalContentUrl"))),
        quick_replies=texts_in(value_in(last, "quickReply", "items"), "action", "text"),
        reply_to=next(filter(None, texts_in(messages, "quoteToken")), ""),
    )
    if call.fault and call.fault.mode in _FAULTS:
        return _refuse(call, received, *_FAULTS[call.fault.mode])
    key = call.request.headers.get("X-Line-Retry-Key")
    mistakes = _mistakes(to, messages, texts, key)
    if mistakes:
        words = f"The request body has {len(mistakes)} error(s)"
        return _refuse(call, received, 400, words, {"details": mistakes})
    if call.fault and call.fault.mode is Mode.REFUSE:
        return _refuse(call, received, *_refusal(call.fault))
    return _accept(call, received, key)


def _texts(said: dict[str, Any]) -> list[str]:
    """The text of each message; "" for one without."""
    messages = said.get("messages")
    return [text_in(one, "text") for one in messages] if isinstance(messages, list) else []


def _mistakes(to: str, messages: object, texts: list[str], key: str | None) -> list[dict[str, str]]:
    # LINE counts UTF-16 units.
    lengths = [len(text.encode("utf-16-le")) // 2 for text in texts]
    found = [
        (not to, "to", "May not be empty"),
        (not 1 <= len(texts) <= MOST_MESSAGES, "messages", "Size must be between 1 and 5"),
        (key is not None and not _UUID.fullmatch(key), "X-Line-Retry-Key", "Must be a UUID"),
    ]
    for place, (text, length) in enumerate(zip(texts, lengths, strict=True)):
        name = f"messages[{place}].text"
        is_image = texts_in(messages, "type")[place] == "image"
        found.append((not is_image and not text.strip(), name, "May not be empty"))
        found.append((length > LONGEST_TEXT, name, "Length must be between 0 and 5000"))
    return [{"message": words, "property": name} for wrong, name, words in found if wrong]


def _refusal(fault: Fault) -> tuple[int, str]:
    status = fault.code if fault.code and 400 <= fault.code < 500 else 400
    return status, _REFUSALS.get(status, "The message was refused")


def _accept(call: Call, received: Received, key: str | None) -> Outcome:
    accepted = Accepted(call.at, str(UUID(call.unique)), str(call.serial))
    earlier = call.retry_keys.accept(key.lower(), accepted) if key else None
    if earlier:
        said = {"message": "The retry key is already accepted", **_sent(earlier, received)}
        more = {"X-Line-Accepted-Request-Id": earlier.request_id}
        return Outcome(_respond(call, 409, said, more), None)
    response = _respond(call, 200, _sent(accepted, received))
    return Outcome(response, replace(received, provider_id=accepted.message_id))


def _sent(accepted: Accepted, received: Received) -> dict[str, Any]:
    """One id for each message, of which the first is the one that is shown."""
    places = range(len(received.request["messages"]))
    suffixes = ["" if place == 0 else str(place) for place in places]
    return {"sentMessages": [{"id": accepted.message_id + suffix} for suffix in suffixes]}


def _refuse(
    call: Call, received: Received, status: int, words: str, more: dict[str, Any] | None = None
) -> Outcome:
    response = _respond(call, status, {"message": words, **(more or {})})
    return Outcome(response, replace(received, error=f"{status} {words}"))


def _respond(
    call: Call, status: int, said: object, headers: Mapping[str, str] | None = None
) -> Response:
    request_id = {"X-Line-Request-Id": str(UUID(call.unique))}
    return json_response(status, said, {**request_id, **(headers or {})})
