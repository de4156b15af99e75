"""Telegram Bot API: updates in.

https://core.telegram.org/bots/api#setwebhook
https://core.telegram.org/bots/api#update
"""

from typing import Any

from caseweave.channels.constant_time import is_any_of
from caseweave.channels.credentials import Credentials
from caseweave.channels.json_reading import (
    SECOND,
    object_in,
    read_object,
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

PROVIDER = "telegram"
ACKNOWLEDGED = ("application/json", "{}")
_LONGEST_REASON = 200

# Update kinds that carry a message of a person; every other kind is kept and ignored.
_MESSAGE_KINDS = ("message", "edited_message", "business_message", "edited_business_message")
# What every message has beside its content.
_ENVELOPE = {"message_id", "from", "chat", "date", "edit_date", "message_thread_id", "via_bot"}
# What Telegram itself writes into a chat.
_SERVICE = {
    *("new_chat_members", "left_chat_member", "new_chat_title", "new_chat_photo"),
    *("delete_chat_photo", "group_chat_created", "supergroup_chat_created", "pinned_message"),
    *("migrate_to_chat_id", "migrate_from_chat_id", "message_auto_delete_timer_changed"),
    *("video_chat_scheduled", "video_chat_started", "video_chat_ended", "forum_topic_created"),
    *("forum_topic_edited", "forum_topic_closed", "forum_topic_reopened", "boost_added"),
}
_MEDIA_KINDS = ("document", "video", "audio", "voice", "video_note", "sticker", "animation")


def verify(request: WebhookRequest, credentials: Credentials) -> None:
    """Compare `X-Telegram-Bot-Api-Secret-Token` with the live secrets; the body is not signed.

    Raises InvalidSignatureError.
    """
    given = request.headers.get("x-telegram-bot-api-secret-token", "")
    if not is_any_of(given, credentials.live("secret_token")):
        raise InvalidSignatureError(PROVIDER)


def find_account(request: WebhookRequest, credentials: Credentials) -> str:
    """The id of the bot: of several, each has a secret of its own, and its updates do not name it.

    Raises MissingSecretError.
    """
    given = request.headers.get("x-telegram-bot-api-secret-token", "")
    own = request.account or credentials.account_with("secret_token", given)
    return own or credentials.current("bot_id")


def parse(request: WebhookRequest, credentials: Credentials) -> list[InboundEvent]:
    """The events of an update: one, or one for each message deleted. Raises UnparseableError."""
    bot_id = find_account(request, credentials)
    update = read_json_object(request.body)
    update_id = _id(update, "update_id")
    for kind in _MESSAGE_KINDS:
        if isinstance(update.get(kind), dict):
            return [_message(update[kind], kind, update_id, bot_id)]
    if isinstance(update.get("callback_query"), dict):
        return [_button(update["callback_query"], update_id, bot_id)]
    if isinstance(update.get("message_reaction"), dict):
        return [_reaction(update["message_reaction"], update_id, bot_id)]
    if isinstance(update.get("deleted_business_messages"), dict):
        return _deletions(update["deleted_business_messages"], update_id, bot_id)
    kinds = ", ".join(sorted(update.keys() - {"update_id"})) or "nothing"
    return [IgnoredEvent(PROVIDER, bot_id, update_id, f"update of {kinds}"[:_LONGEST_REASON])]


def _message(said: dict[str, Any], kind: str, update_id: str, bot_id: str) -> InboundEvent:
    chat, sender = read_object(said, "chat"), said.get("from")
    if not isinstance(sender, dict) or sender.get("is_bot"):
        return IgnoredEvent(PROVIDER, bot_id, update_id, "not sent by a person")
    if chat.get("type") == "channel":
        return IgnoredEvent(PROVIDER, bot_id, update_id, "a channel chat")
    if service := sorted(said.keys() & _SERVICE):
        return IgnoredEvent(PROVIDER, bot_id, update_id, f"service: {', '.join(service)}")
    body = text_in(said, "text") or text_in(said, "caption") or _describe(said)
    context = {"chat_id": _id(chat, "id"), "message_id": _id(said, "message_id")}
    provider_id = f"{context['chat_id']}.{context['message_id']}"
    is_edit = kind.startswith("edited")
    link_token = ""
    # In a group anybody could have posted somebody else's link.
    if body.startswith("/start ") and _is_private(chat):
        # The token opens a case: it belongs into no timeline.
        body, link_token = "/start", body.removeprefix("/start ").strip()
    return InboundMessage(
        channel=Channel.MESSENGER,
        provider=PROVIDER,
        account=bot_id,
        event_id=update_id,
        provider_id=provider_id,
        sender=_sender(sender, chat, bot_id),
        body=body,
        occurred_at=read_time(said.get("edit_date") or said.get("date"), SECOND),
        attachments=_attachments(said),
        context=context,
        fields=_member(sender, chat),
        link_token=link_token,
        remark=Remark.EDIT if is_edit else None,
        about=provider_id if is_edit else "",
    )


def _button(query: dict[str, Any], update_id: str, bot_id: str) -> InboundEvent:
    sender, said = query.get("from"), query.get("message")
    if not isinstance(sender, dict) or not isinstance(said, dict):
        return IgnoredEvent(PROVIDER, bot_id, update_id, "a button without its message")
    chat = read_object(said, "chat")
    chat_id = _id(chat, "id")
    return InboundMessage(
        channel=Channel.MESSENGER,
        provider=PROVIDER,
        account=bot_id,
        event_id=update_id,
        provider_id=f"{chat_id}.button.{text_in(query, 'id')}",
        sender=_sender(sender, chat, bot_id),
        body=text_in(query, "data"),
        context={"chat_id": chat_id, "message_id": _id(said, "message_id")},
        fields=_member(sender, chat),
    )


def _reaction(told: dict[str, Any], update_id: str, bot_id: str) -> InboundEvent:
    """Anonymous ones of a group, and those taken back, say nothing that anybody could answer."""
    chat, sender, given = read_object(told, "chat"), told.get("user"), told.get("new_reaction")
    kinds = given if isinstance(given, list) else []
    emojis = [text_in(one, "emoji") or "[emoji]" for one in kinds if isinstance(one, dict)]
    if not isinstance(sender, dict) or not emojis:
        return IgnoredEvent(PROVIDER, bot_id, update_id, "a reaction taken back, or of nobody")
    chat_id, message_id = _id(chat, "id"), _id(told, "message_id")
    return InboundMessage(
        channel=Channel.MESSENGER,
        provider=PROVIDER,
        account=bot_id,
        event_id=update_id,
        provider_id=f"{chat_id}.reaction.{update_id}",
        sender=_sender(sender, chat, bot_id),
        body=" ".join(emojis),
        occurred_at=read_time(told.get("date"), SECOND),
        context={"chat_id": chat_id, "message_id": message_id},
        fields=_member(sender, chat),
        is_automatic=True,
        remark=Remark.REACTION,
        about=f"{chat_id}.{message_id}",
    )


def _deletions(told: dict[str, Any], update_id: str, bot_id: str) -> list[InboundEvent]:
    chat, ids = read_object(told, "chat"), told.get("message_ids")
    chat_id = _id(chat, "id")
    return [
        InboundMessage(
            channel=Channel.MESSENGER,
            provider=PROVIDER,
            account=bot_id,
            event_id=f"{update_id}.{number}",
            provider_id=f"{chat_id}.deletion.{update_id}.{number}",
            # A business chat is private, and has the id of the person.
            sender=_sender(chat, chat, bot_id),
            body="",
            context={"chat_id": chat_id},
            is_automatic=True,
            remark=Remark.DELETION,
            about=f"{chat_id}.{text_in({'id': deleted}, 'id')}",
        )
        for number, deleted in enumerate(ids if isinstance(ids, list) else [])
    ] or [IgnoredEvent(PROVIDER, bot_id, update_id, "a deletion of nothing")]


def _is_private(chat: dict[str, Any]) -> bool:
    """Old updates tell no type; the ids of groups and channels are negative."""
    return chat.get("type", "private") == "private" and not _id(chat, "id").startswith("-")


def _sender(user: dict[str, Any], chat: dict[str, Any], bot_id: str) -> Sender:
    """The person; in a group it is the group's case, for an answer is read by all of it."""
    if not _is_private(chat):
        address = Address(AddressKind.GROUP, f"{PROVIDER}.{bot_id}.{_id(chat, 'id')}")
        return Sender(proven=(ProvenAddress(address, Proof.PROVIDER),), name=text_in(chat, "title"))
    address = Address(AddressKind.TELEGRAM, _id(user, "id"))
    return Sender(
        proven=(ProvenAddress(address, Proof.PROVIDER),),
        name=_name(user),
        locale=text_in(user, "language_code"),
    )


def _member(user: dict[str, Any], chat: dict[str, Any]) -> dict[str, str]:
    """Who of a group spoke."""
    return {} if _is_private(chat) else {"member": _name(user) or _id(user, "id")}


def _name(user: dict[str, Any]) -> str:
    names = (text_in(user, "first_name"), text_in(user, "last_name"))
    return " ".join(name for name in names if name)


def _attachments(said: dict[str, Any]) -> tuple[Attachment, ...]:
    found = []
    photos = said.get("photo")
    if isinstance(photos, list) and photos and isinstance(photos[-1], dict):
        found.append(_attachment(photos[-1], "photo.jpg", "image/jpeg"))
    for kind in _MEDIA_KINDS:
        media = said.get(kind)
        if isinstance(media, dict):
            found.append(_attachment(media, kind, "application/octet-stream"))
    return tuple(found)


def _attachment(media: dict[str, Any], name: str, media_type: str) -> Attachment:
    size = media.get("file_size")
    return Attachment(
        name=text_in(media, "file_name") or name,
        media_type=text_in(media, "mime_type") or media_type,
        size=size if isinstance(size, int) and size >= 0 else 0,
        provider_ref=text_in(media, "file_id"),
    )


def _describe(said: dict[str, Any]) -> str:
    """Words for a message that has none; files speak for themselves, but for a sticker's mood."""
    venue, location = object_in(said, "venue"), object_in(said, "location")
    contact, sticker = object_in(said, "contact"), object_in(said, "sticker")
    if location:
        place = f"{text_in(location, 'latitude')}, {text_in(location, 'longitude')}"
        return "\n".join(filter(None, [text_in(venue, "title"), text_in(venue, "address"), place]))
    if contact:
        return f"{text_in(contact, 'first_name')} {text_in(contact, 'phone_number')}".strip()
    if sticker:
        return f"[sticker] {text_in(sticker, 'emoji')}".strip()
    if _attachments(said):
        return ""
    kinds = sorted(said.keys() - _ENVELOPE)
    poll, dice = object_in(said, "poll"), object_in(said, "dice")
    words = text_in(poll, "question") or text_in(dice, "emoji")
    return f"[{', '.join(kinds) or 'nothing'}] {words}".strip()[:_LONGEST_REASON]


def _id(value: dict[str, Any], name: str) -> str:
    found = value.get(name)
    if not isinstance(found, int) or isinstance(found, bool):
        raise UnparseableError(f"no {name}")
    return str(found)
