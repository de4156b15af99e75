"""WhatsApp Cloud API: messages out.

https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
https://developers.facebook.com/docs/whatsapp/cloud-api/messages/interactive-reply-buttons-messages
https://developers.facebook.com/docs/whatsapp/cloud-api/messages/interactive-list-messages
https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media#supported-media-types
"""

import json
from typing import Any
from urllib.parse import quote

from caseweave.channels import meta_graph as graph
from caseweave.channels.credentials import Credentials
from caseweave.channels.json_reading import objects_in, text_in
from caseweave.channels.request import (
    Abilities,
    MediaLink,
    Outgoing,
    ProviderAnswer,
    ProviderRequest,
    SendResult,
)
from caseweave.domain.message import Contact

API_URL = graph.GRAPH_URL

_PICTURE, _CLIP, _DOCUMENT = 5 * 2**20, 16 * 2**20, 100 * 2**20
_MOST_BUTTONS, _LONGEST_BUTTON = 3, 20
_KINDS = {
    "image/jpeg": "image",
    "image/png": "image",
    "audio/aac": "audio",
    "audio/amr": "audio",
    "audio/mpeg": "audio",
    "audio/mp4": "audio",
    "audio/ogg": "audio",
    "video/mp4": "video",
    "video/3gpp": "video",
}
_LARGEST = {"image": _PICTURE, "audio": _CLIP, "video": _CLIP}
_ABILITIES = Abilities(
    longest_body=4096,
    files={**{name: _LARGEST[kind] for name, kind in _KINDS.items()}, "*": _DOCUMENT},
    most_choices=10,
    longest_choice=24,
    longest_body_with_choices=1024,
)


def abilities(contact: Contact) -> Abilities:  # noqa: ARG001
    return _ABILITIES


def build_send(outgoing: Outgoing, base_url: str, credentials: Credentials) -> ProviderRequest:
    """The request that sends *outgoing* from the number that was written to; statuses bring its
    key back.
    """
    address, context = outgoing.contact.address, outgoing.contact.context
    number_id = context.get("phone_number_id") or credentials.current("phone_number_id")
    said: dict[str, Any] = {"messaging_product": "whatsapp", "recipient_type": "individual"}
    if group_id := context.get("group_id", ""):
        said |= {"recipient_type": "group", "to": group_id}
    elif user_id := context.get("user_id", ""):
        said["recipient"] = user_id
    else:
        said["to"] = context.get("to") or address.value.removeprefix("+")
    if outgoing.reply_to:
        said["context"] = {"message_id": outgoing.reply_to}
    said |= _content(outgoing)
    said["biz_opaque_callback_data"] = outgoing.key
    return ProviderRequest(
        url=f"{base_url}/{quote(number_id, safe='')}/messages",
        headers={
            "Authorization": f"Bearer {credentials.current('access_token')}",
            "Content-Type": "application/json",
        },
        body=json.dumps(said).encode(),
    )


def _content(outgoing: Outgoing) -> dict[str, Any]:
    if outgoing.media is not None:
        return _file(outgoing.media)
    if outgoing.quick_replies:
        return {"type": "interactive", "interactive": _choices(outgoing)}
    return {"type": "text", "text": {"body": outgoing.body}}


def _file(media: MediaLink) -> dict[str, Any]:
    kind = _KINDS.get(media.media_type, "document")
    named = {"filename": media.name} if kind == "document" else {}
    return {"type": kind, kind: {"link": media.url, **named}}


def _choices(outgoing: Outgoing) -> dict[str, Any]:
    """Buttons, or a list where they are too many or too long for buttons."""
    choices = [{"id": str(n), "title": title} for n, title in enumerate(outgoing.quick_replies, 1)]
    body = {"text": outgoing.body}
    fit = all(len(one["title"]) <= _LONGEST_BUTTON for one in choices)
    if len(choices) <= _MOST_BUTTONS and fit:
        buttons = [{"type": "reply", "reply": choice} for choice in choices]
        return {"type": "button", "body": body, "action": {"buttons": buttons}}
    action = {"button": "选择 / Choose", "sections": [{"rows": choices}]}
    return {"type": "list", "body": body, "action": action}


def read_answer(answer: ProviderAnswer) -> SendResult:
    """What WhatsApp said; that it was taken is not that it will arrive, which statuses tell."""
    return graph.read_graph_answer(answer, _find_id)


def _find_id(said: dict[str, Any]) -> str:
    messages = objects_in(said, "messages")
    return text_in(messages[0], "id") if messages else ""
