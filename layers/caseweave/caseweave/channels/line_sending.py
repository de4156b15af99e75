"""LINE Messaging API: push messages out.

https://developers.line.biz/en/reference/messaging-api/#send-push-message
https://developers.line.biz/en/reference/messaging-api/#quick-reply
https://developers.line.biz/en/docs/messaging-api/retrying-api-request/
https://developers.line.biz/en/docs/messaging-api/text-character-count/
"""

import json
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from caseweave.channels.credentials import Credentials
from caseweave.channels.json_reading import objects_in, text_in
from caseweave.channels.request import (
    Abilities,
    Outgoing,
    ProviderAnswer,
    ProviderRequest,
    Refusal,
    Refused,
    SendResult,
    Sent,
    read_json_object,
    read_retry_after,
)
from caseweave.domain.message import Contact
from caseweave.domain.splitting import Unit
from caseweave.errors import UnparseableError

API_URL = "https://api.line.me"

# A picture is its own preview, which may have 1 MB; other files LINE cannot send.
_PREVIEW = 10**6
_ABILITIES = Abilities(
    longest_body=5000,
    unit=Unit.UTF16,
    files={"image/jpeg": _PREVIEW, "image/png": _PREVIEW},
    most_choices=13,
    longest_choice=20,
)


def abilities(contact: Contact) -> Abilities:  # noqa: ARG001
    return _ABILITIES


def build_send(outgoing: Outgoing, base_url: str, credentials: Credentials) -> ProviderRequest:
    """The request that sends *outgoing*; LINE takes the same key once within a day."""
    # Bots and users have ids without dots.
    address = outgoing.contact.address.value.rpartition(".")[2]
    said = {
        "to": outgoing.contact.context.get("user_id", address),
        "messages": [_message(outgoing)],
    }
    return ProviderRequest(
        url=f"{base_url}/v2/bot/message/push",
        headers={
            "Authorization": f"Bearer {credentials.current('channel_access_token')}",
            "Content-Type": "application/json",
            "X-Line-Retry-Key": str(uuid5(NAMESPACE_URL, outgoing.key)),
        },
        body=json.dumps(said).encode(),
    )


def _message(outgoing: Outgoing) -> dict[str, Any]:
    message: dict[str, Any] = {"type": "text", "text": outgoing.body}
    if outgoing.media is not None:
        url = outgoing.media.url
        message = {"type": "image", "originalContentUrl": url, "previewImageUrl": url}
    # LINE knows what is answered by a token that came with it, not by its id.
    quoted = outgoing.contact.context.get("quote_token", "")
    if quoted and outgoing.reply_to and outgoing.media is None:
        message["quoteToken"] = quoted
    if outgoing.quick_replies:
        message["quickReply"] = {"items": [_key(choice) for choice in outgoing.quick_replies]}
    return message


def _key(choice: str) -> dict[str, Any]:
    return {"type": "action", "action": {"type": "message", "label": choice, "text": choice}}


def read_answer(answer: ProviderAnswer) -> SendResult:
    """What LINE said. 409: an earlier request with this retry key was taken. 5xx does not tell."""
    said: dict[str, Any] | None
    try:
        said = read_json_object(answer.body)
    except UnparseableError:
        said = None
    detail = f"{answer.status} {text_in(said, 'message')}".strip()
    if answer.status in (200, 409) and said is not None:
        sent = objects_in(said, "sentMessages")
        # LINE may tell the id only in a header. There are no receipts that would need it.
        return Sent(text_in(sent[0], "id") if sent else "accepted")
    return Refused(_kind(answer.status, detail), detail, read_retry_after(answer))


def _kind(status: int, detail: str) -> Refusal:
    # The month's quota does not come back by trying again.
    if status == 429 and "monthly limit" not in detail:
        return Refusal.THROTTLED
    # The token, or what it may do, is for ops to mend.
    if status in (401, 403):
        return Refusal.TRANSIENT
    return Refusal.PERMANENT if 400 <= status < 500 and status != 409 else Refusal.UNKNOWN
