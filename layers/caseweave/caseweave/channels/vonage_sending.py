"""Vonage Messages API: SMS, MMS, WhatsApp, Viber and RCS out.

https://developer.vonage.com/en/api/messages-olympus#SendMessage
https://developer.vonage.com/en/messages/code-snippets/messaging-error-codes
"""

import json
from base64 import b64encode
from typing import Any

from caseweave.channels.credentials import Credentials
from caseweave.channels.json_reading import text_in
from caseweave.channels.request import (
    Abilities,
    Outgoing,
    ProviderAnswer,
    ProviderRequest,
    Refusal,
    Refused,
    SendResult,
    Sent,
    read_retry_after,
    read_said,
)
from caseweave.domain.message import Contact

API_URL = "https://api.nexmo.com"

_PICTURE, _CLIP, _FILE = 5 * 2**20, 16 * 2**20, 100 * 2**20
_PICTURES = {"image/jpeg": _PICTURE, "image/png": _PICTURE}
# Vonage makes segments of an SMS by itself.
_SMS = Abilities(longest_body=1000, keeps_order=False)
_ABILITIES = {
    "mms": Abilities(
        longest_body=1000, keeps_order=False, files={**_PICTURES, "image/gif": _PICTURE}
    ),
    "whatsapp": Abilities(
        longest_body=4096,
        files={**_PICTURES, "audio": _CLIP, "video/mp4": _CLIP, "*": _FILE},
    ),
    "viber_service": Abilities(longest_body=1000, files=_PICTURES),
    "rcs": Abilities(longest_body=3072, files=_PICTURES),
}
_KINDS = {
    "1000": Refusal.THROTTLED,
    "1340": Refusal.WINDOW_CLOSED,
}


def abilities(contact: Contact) -> Abilities:
    return _ABILITIES.get(contact.context.get("channel", "sms"), _SMS)


def build_send(outgoing: Outgoing, base_url: str, credentials: Credentials) -> ProviderRequest:
    """The request that sends *outgoing* where the customer wrote; receipts name its key."""
    account = f"{credentials.current('api_key')}:{credentials.current('api_secret')}"
    channel = outgoing.contact.context.get("channel", "sms")
    said = {
        **_content(outgoing),
        "channel": channel,
        "to": outgoing.contact.address.value.removeprefix("+"),
        "from": outgoing.contact.context.get("to") or credentials.current("from"),
        "client_ref": outgoing.key,
    }
    if outgoing.reply_to and channel == "whatsapp":
        said["context"] = {"message_uuid": outgoing.reply_to}
    return ProviderRequest(
        url=f"{base_url}/v1/messages",
        headers={
            "Authorization": f"Basic {b64encode(account.encode()).decode()}",
            "Content-Type": "application/json",
        },
        body=json.dumps(said).encode(),
    )


def _content(outgoing: Outgoing) -> dict[str, Any]:
    media = outgoing.media
    if media is None:
        return {"message_type": "text", "text": outgoing.body}
    kind = media.media_type.partition("/")[0]
    if kind in ("image", "audio", "video"):
        return {"message_type": kind, kind: {"url": media.url}}
    return {"message_type": "file", "file": {"url": media.url, "name": media.name}}


def read_answer(answer: ProviderAnswer) -> SendResult:
    """What Vonage said. A 5xx does not tell whether the message was taken."""
    said = read_said(answer)
    if answer.status in (200, 202) and text_in(said, "message_uuid"):
        return Sent(text_in(said, "message_uuid"))
    words = (str(answer.status), text_in(said, "title"), text_in(said, "detail"))
    # The error's number is the end of the address that explains it.
    code = text_in(said, "type").rpartition("#")[2]
    detail = " ".join(filter(None, words))
    return Refused(_kind(answer.status, code), detail, read_retry_after(answer))


def read_refusal(code: str) -> str:
    """The kind of refusal of an error code in a receipt; "" for any that is nothing special."""
    kind = _KINDS.get(code)
    return str(kind) if kind is Refusal.WINDOW_CLOSED else ""


def _kind(status: int, code: str) -> Refusal:
    if status == 429:
        return Refusal.THROTTLED
    if not 400 <= status < 500:
        return Refusal.UNKNOWN
    # Credentials, permissions and the balance are for ops to mend.
    if status in (401, 402, 403):
        return Refusal.TRANSIENT
    return _KINDS.get(code, Refusal.PERMANENT)
