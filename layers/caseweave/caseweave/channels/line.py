"""LINE Messaging API: webhook events in.

https://developers.line.biz/en/reference/messaging-api/#webhooks
https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/
"""

import hmac
from base64 import b64encode
from hashlib import sha256
from typing import Any

from caseweave.channels.constant_time import is_any_of
from caseweave.channels.credentials import Credentials
from caseweave.channels.json_reading import (
    MILLISECOND,
    digest_json,
    object_in,
    read_object,
    read_text_id,
    read_time,
    text_in,
)
from caseweave.channels.request import WebhookRequest, read_json_object
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import (
    Attachment,
    Channel,
    IgnoredEvent,
    InboundEvent,
    InboundMessage,
    Remark,
)
from caseweave.errors import InvalidSignatureError, UnparseableError

PROVIDER = "line"
ACKNOWLEDGED = ("application/json", "{}")
_LONGEST_ID = 200

# What names the chat, by the type of its source.
_GROUPS = {"group": "groupId", "room": "roomId"}
_REMARKS = {"messageEdited": Remark.EDIT, "unsend": Remark.DELETION}
_MEDIA_TYPES = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "audio": "audio/mp4",
    "file": "application/octet-stream",
}


def verify(request: WebhookRequest, credentials: Credentials) -> None:
    """Check `x-line-signature`, the HMAC of the body by any live `channel_secret`.

    Raises InvalidSignatureError.
    """
    given = request.headers.get("x-line-signature", "")
    secrets = credentials.live("channel_secret")
    macs = [hmac.digest(secret.encode(), request.body, sha256) for secret in secrets]
    if not is_any_of(given, (b64encode(mac).decode() for mac in macs)):
        raise InvalidSignatureError(PROVIDER)


def parse(request: WebhookRequest, credentials: Credentials) -> list[InboundEvent]:  # noqa: ARG001
    """Every event of a delivery; none for the console's "Verify". Raises UnparseableError."""
    delivery = read_json_object(request.body)
    bot_id, events = read_text_id(delivery, "destination"), delivery.get("events")
    if not isinstance(events, list):
        raise UnparseableError("no events")
    return [_understand(event, bot_id) for event in events]


def _understand(event: Any, bot_id: str) -> InboundEvent:
    """One event by itself: what is wrong with it costs no other."""
    digest = digest_json(event)
    if not isinstance(event, dict):
        return IgnoredEvent(PROVIDER, bot_id, digest, "not understood: no object")
    # Deliveries from before 2022 have no id.
    event_id = text_in(event, "webhookEventId")[:_LONGEST_ID] or digest
    try:
        reason = _reason_to_ignore(event)
        if reason:
            return IgnoredEvent(PROVIDER, bot_id, event_id, reason[:_LONGEST_ID])
        return _message(event, event_id, bot_id)
    except UnparseableError as error:
        return IgnoredEvent(PROVIDER, bot_id, event_id, f"not understood: {error}")


def _reason_to_ignore(event: dict[str, Any]) -> str:
    """Why nobody needs to read this; "" for what a person said to us."""
    kind = text_in(event, "type")
    if kind not in ("message", "messageEdited", "postback", "unsend"):
        return f"event of type {kind or 'nothing'}"
    source = text_in(read_object(event, "source"), "type")
    if source not in ("user", *_GROUPS):
        return f"a {source or 'strange'} chat"
    if event.get("mode") == "standby":
        return "standby: another module of the account answers this chat"
    if kind == "postback" and "newRichMenuAliasId" in _params(event):
        return "a switch between rich menus"
    return ""


def _message(event: dict[str, Any], event_id: str, bot_id: str) -> InboundMessage:
    address, chat_id, fields = _place(read_object(event, "source"), bot_id)
    context, about = {"user_id": chat_id}, ""
    attachments: tuple[Attachment, ...] = ()
    remark = _REMARKS.get(event["type"])
    if event["type"] == "postback":
        body, provider_id = _pressed(event), event_id
    elif remark is Remark.DELETION:
        body, provider_id = "", event_id
        about = read_text_id(read_object(event, "unsend"), "messageId")
    else:
        said = read_object(event, "message")
        provider_id = context["message_id"] = read_text_id(said, "id")
        body, attachments = _describe(said), _attachments(said)
        context |= _linkage(said)
        about = provider_id if remark else ""
    return InboundMessage(
        channel=Channel.MESSENGER,
        provider=PROVIDER,
        account=bot_id,
        event_id=event_id,
        provider_id=provider_id,
        sender=Sender(proven=(ProvenAddress(address, Proof.PROVIDER),)),
        body=body,
        occurred_at=read_time(event.get("timestamp"), MILLISECOND),
        attachments=attachments,
        context=context,
        fields=fields,
        is_automatic=remark is Remark.DELETION,
        remark=remark,
        about=about,
    )


def _place(source: dict[str, Any], bot_id: str) -> tuple[Address, str, dict[str, str]]:
    """Whose case it is, which chat is answered, and which member spoke if it is a group's."""
    group = _GROUPS.get(text_in(source, "type"))
    if group is not None:
        chat_id, member = read_text_id(source, group), text_in(source, "userId")[:_LONGEST_ID]
        address = Address(AddressKind.GROUP, f"{PROVIDER}.{bot_id}.{chat_id}")
        return address, chat_id, {"member": member} if member else {}
    # A user id is the same for every bot of one company; our contact is with one of them.
    user_id = read_text_id(source, "userId")
    return Address(AddressKind.LINE, f"{bot_id}.{user_id}"), user_id, {}


def _pressed(event: dict[str, Any]) -> str:
    """What a button sends, with the date or time that was picked."""
    params = _params(event)
    picked = "".join(f" ({name}: {text_in(params, name)})" for name in params)
    return text_in(read_object(event, "postback"), "data") + picked


def _params(event: dict[str, Any]) -> dict[str, Any]:
    return object_in(read_object(event, "postback"), "params")


def _describe(said: dict[str, Any]) -> str:
    """The text, or words for a message that has none; "" for media, which speak for themselves."""
    kind = text_in(said, "type")
    if kind == "text":
        return text_in(said, "text")
    if kind == "sticker":
        words = said.get("keywords")
        named = ", ".join(w for w in words if isinstance(w, str)) if isinstance(words, list) else ""
        return f"[sticker] {text_in(said, 'text') or named}".strip()
    if kind == "location":
        place = f"{text_in(said, 'latitude')}, {text_in(said, 'longitude')}"
        return "\n".join(filter(None, [text_in(said, "title"), text_in(said, "address"), place]))
    return "" if kind in _MEDIA_TYPES else f"[{kind or 'nothing'}]"


def _attachments(said: dict[str, Any]) -> tuple[Attachment, ...]:
    """The one file of a media message, under its message id, or at an address outside LINE."""
    kind = text_in(said, "type")
    if kind not in _MEDIA_TYPES:
        return ()
    size, outside = said.get("fileSize"), text_in(said.get("contentProvider"), "originalContentUrl")
    return (
        Attachment(
            name=text_in(said, "fileName") or kind,
            media_type=_MEDIA_TYPES[kind],
            size=size if isinstance(size, int) and size >= 0 else 0,
            provider_ref=outside or read_text_id(said, "id"),
        ),
    )


def _linkage(said: dict[str, Any]) -> dict[str, str]:
    """Which message is quoted, and which set of images this one is of."""
    links = {
        "reply_to": text_in(said, "quotedMessageId"),
        "image_set": text_in(said.get("imageSet"), "id"),
        # What an answer to this very message has to quote.
        "quote_token": text_in(said, "quoteToken"),
    }
    return {name: value[:_LONGEST_ID] for name, value in links.items() if value}
