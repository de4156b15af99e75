"""Facebook Messenger and Instagram: messages out.

https://developers.facebook.com/docs/messenger-platform/reference/send-api
https://developers.facebook.com/docs/messenger-platform/send-messages/quick-replies
https://developers.facebook.com/docs/messenger-platform/error-codes
https://developers.facebook.com/docs/messenger-platform/instagram/features/send-message
"""

import json
from typing import Any
from urllib.parse import quote

from caseweave.channels import meta_graph as graph
from caseweave.channels.credentials import Credentials
from caseweave.channels.json_reading import text_in
from caseweave.channels.request import (
    Abilities,
    MediaLink,
    Outgoing,
    ProviderAnswer,
    ProviderRequest,
    SendResult,
)
from caseweave.domain.identity import AddressKind
from caseweave.domain.message import Contact
from caseweave.domain.splitting import Unit

API_URL = graph.GRAPH_URL

_PICTURE, _FILE = 8 * 2**20, 25 * 2**20
_PICTURES = {"image/jpeg": _PICTURE, "image/png": _PICTURE, "image/gif": _PICTURE}
_MESSENGER = Abilities(
    longest_body=2000,
    files={**_PICTURES, "audio": _FILE, "video": _FILE, "*": _FILE},
    most_choices=13,
    longest_choice=20,
)
# Instagram counts bytes, and knows no files but these.
_INSTAGRAM = Abilities(
    longest_body=1000,
    unit=Unit.BYTES,
    files={**_PICTURES, "video/mp4": _FILE, "audio/mp4": _FILE, "application/pdf": _FILE},
    most_choices=13,
    longest_choice=20,
)


def abilities(contact: Contact) -> Abilities:
    is_instagram = contact.address.kind is AddressKind.INSTAGRAM
    return _INSTAGRAM if is_instagram else _MESSENGER


def build_send(outgoing: Outgoing, base_url: str, credentials: Credentials) -> ProviderRequest:
    """The request that sends *outgoing*: from the page that it answers, or from the account whose
    token this is, as which Instagram's is sent.
    """
    address, context = outgoing.contact.address, outgoing.contact.context
    account, _, user = address.value.partition(".")
    is_instagram = address.kind is AddressKind.INSTAGRAM
    sender = "me" if is_instagram else quote(context.get("account_id") or account, "")
    said: dict[str, Any] = {
        "recipient": {"id": context.get("user_id") or user},
        "messaging_type": "RESPONSE",
        "message": _message(outgoing),
    }
    if outgoing.reply_to and not is_instagram:
        said["reply_to"] = {"mid": outgoing.reply_to}
    return ProviderRequest(
        url=f"{base_url}/{sender}/messages",
        headers={
            "Authorization": f"Bearer {credentials.current('access_token')}",
            "Content-Type": "application/json",
        },
        body=json.dumps(said).encode(),
    )


def _message(outgoing: Outgoing) -> dict[str, Any]:
    message: dict[str, Any] = {"text": outgoing.body}
    if outgoing.media is not None:
        payload = {"url": outgoing.media.url, "is_reusable": False}
        message = {"attachment": {"type": _kind(outgoing.media), "payload": payload}}
    if outgoing.quick_replies:
        message["quick_replies"] = [
            {"content_type": "text", "title": choice, "payload": choice}
            for choice in outgoing.quick_replies
        ]
    return message


def _kind(media: MediaLink) -> str:
    kind = media.media_type.partition("/")[0]
    return kind if kind in ("image", "audio", "video") else "file"


def read_answer(answer: ProviderAnswer) -> SendResult:
    """What Meta said."""
    return graph.read_graph_answer(answer, lambda said: text_in(said, "message_id"))
