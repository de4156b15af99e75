"""Telegram Bot API: messages out.

https://core.telegram.org/bots/api#sendmessage
https://core.telegram.org/bots/api#sending-files
https://core.telegram.org/bots/api#replykeyboardmarkup
https://core.telegram.org/bots/api#responseparameters
"""

import json
from datetime import timedelta
from typing import Any

from caseweave.channels.credentials import Credentials
from caseweave.channels.json_reading import object_in, text_in
from caseweave.channels.request import (
    Abilities,
    MediaLink,
    Outgoing,
    ProviderAnswer,
    ProviderRequest,
    Refusal,
    Refused,
    SendResult,
    Sent,
    read_said,
)
from caseweave.domain.message import Contact
from caseweave.domain.splitting import Unit

API_URL = "https://api.telegram.org"

_PHOTO, _FILE = 5 * 2**20, 20 * 2**20
# Telegram fetches photos up to 5 MB by itself, and of other files only these, up to 20 MB.
_ABILITIES = Abilities(
    longest_body=4096,
    unit=Unit.UTF16,
    files={
        "image/jpeg": _PHOTO,
        "image/png": _PHOTO,
        "image/webp": _PHOTO,
        "image/gif": _FILE,
        "application/pdf": _FILE,
        "application/zip": _FILE,
        "audio/mpeg": _FILE,
        "video/mp4": _FILE,
    },
    most_choices=10,
    longest_choice=100,
)
_METHODS = {"image": "Photo", "audio": "Audio", "video": "Video"}
# Whom a bot may not write to (again) of its own accord.
_LEFT = ("bot was blocked", "can't initiate conversation", "bot was kicked")


def abilities(contact: Contact) -> Abilities:  # noqa: ARG001
    return _ABILITIES


def build_send(outgoing: Outgoing, base_url: str, credentials: Credentials) -> ProviderRequest:
    """The request that sends *outgoing*; quick replies are keys that send their own text."""
    said: dict[str, Any] = {
        "chat_id": outgoing.contact.context.get("chat_id", outgoing.contact.address.value)
    }
    method = "Message"
    if outgoing.media is None:
        said["text"] = outgoing.body
    else:
        method = _method_for(outgoing.media)
        said[method.lower()] = outgoing.media.url
    if outgoing.quick_replies:
        said["reply_markup"] = {
            "keyboard": [[{"text": choice}] for choice in outgoing.quick_replies],
            "one_time_keyboard": True,
            "resize_keyboard": True,
        }
    # Our name of a message is `chat.message`.
    replied = outgoing.reply_to.rpartition(".")[2]
    if replied.isascii() and replied.isdecimal():
        said["reply_parameters"] = {
            "message_id": int(replied),
            "allow_sending_without_reply": True,
        }
    return ProviderRequest(
        url=f"{base_url}/bot{credentials.current('bot_token')}/send{method}",
        headers={"Content-Type": "application/json"},
        body=json.dumps(said).encode(),
    )


def _method_for(media: MediaLink) -> str:
    # A GIF is sent as the file it is: as a photo it would not move.
    is_file = media.media_type == "image/gif"
    return "Document" if is_file else _METHODS.get(media.media_type.partition("/")[0], "Document")


def read_answer(answer: ProviderAnswer) -> SendResult:
    """What Telegram said. A 5xx does not tell whether the message was taken."""
    said = read_said(answer)
    if answer.status == 200 and said.get("ok"):
        sent = said.get("result")
        chat_id, message_id = _id_in(object_in(sent, "chat"), "id"), _id_in(sent, "message_id")
        if chat_id and message_id:
            return Sent(f"{chat_id}.{message_id}")
        return Refused(Refusal.UNKNOWN, "an answer without the ids of chat and message")
    detail = f"{answer.status} {text_in(said, 'description')}".strip()
    return Refused(_kind(answer.status, detail), detail, _retry_after(said))


def _kind(status: int, detail: str) -> Refusal:
    if status == 429:
        return Refusal.THROTTLED
    # A wrong token is not found; that is for ops to mend, and no fault of the message.
    if status in (401, 404):
        return Refusal.TRANSIENT
    if status == 403 and any(words in detail for words in _LEFT):
        return Refusal.OPTED_OUT
    return Refusal.PERMANENT if 400 <= status < 500 else Refusal.UNKNOWN


def _retry_after(said: dict[str, Any]) -> timedelta | None:
    parameters = said.get("parameters")
    seconds = _id_in(parameters, "retry_after")
    return timedelta(seconds=int(seconds)) if seconds and len(seconds) < 7 else None


def _id_in(value: object, name: str) -> str:
    found = value.get(name) if isinstance(value, dict) else None
    if not isinstance(found, int) or isinstance(found, bool):
        return ""
    return str(found) if abs(found) < 2**63 else ""
