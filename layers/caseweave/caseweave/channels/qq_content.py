"""What an event of a QQ bot says.

https://bot.q.qq.com/wiki/develop/api-v2/server-inter/message/send-receive/event.html
https://bot.q.qq.com/wiki/develop/api-v2/server-inter/message/trans/msg-btn.html
https://bot.q.qq.com/wiki/develop/api-v2/openapi/reaction/model.html
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from caseweave.channels.json_reading import (
    digest_json,
    object_in,
    read_iso_time,
    read_object,
    read_text_id,
    text_in,
)
from caseweave.channels.qq_message import LONGEST_ID, read_files, read_text
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import (
    Attachment,
    Channel,
    DeliveryState,
    IgnoredEvent,
    InboundEvent,
    InboundMessage,
    Receipt,
    Remark,
)

PROVIDER = "qq"
_CUSTOM_EMOJI = 2


@dataclass(frozen=True, slots=True)
class Place:
    """Whose case it is, and where an answer goes: `scene` is the first part of the API's path."""

    address: Address
    scene: str
    target: str
    name: str = ""
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """`id` is the envelope's, for what has none of its own."""

    account: str
    id: str
    kind: str
    data: dict[str, Any]

    def ignored(self, reason: str) -> IgnoredEvent:
        return IgnoredEvent(PROVIDER, self.account, self.id, reason[:LONGEST_ID])


def read_event(payload: dict[str, Any], account: str) -> InboundEvent:
    """The event of an envelope. Raises UnparseableError."""
    event_id = text_in(payload, "id")[:LONGEST_ID] or digest_json(payload)
    opcode = payload.get("op")
    if isinstance(opcode, int) and opcode != 0:
        return IgnoredEvent(PROVIDER, account, event_id, f"opcode {opcode}"[:LONGEST_ID])
    event = Event(account, event_id, read_text_id(payload, "t"), object_in(payload, "d"))
    if event.kind in _MESSAGES:
        return _message(event)
    reader = _READERS.get(event.kind)
    return reader(event) if reader else event.ignored(f"event {event.kind}")


def _message(event: Event) -> InboundEvent:
    said = event.data
    author = read_object(said, "author")
    if author.get("bot") is True:
        return event.ignored("not sent by a person")
    place, message_id = _MESSAGES[event.kind](said, author, event.account), read_text_id(said, "id")
    heard, attachments = read_files(said)
    reply_to = text_in(said.get("message_reference"), "message_id")[:LONGEST_ID]
    return _say(
        event,
        place,
        message_id,
        read_text(text_in(said, "content")) or heard,
        at=text_in(said, "timestamp"),
        attachments=attachments,
        context={"message_id": message_id} | ({"reply_to": reply_to} if reply_to else {}),
        event_id=message_id,
    )


def _say(
    event: Event,
    place: Place,
    provider_id: str,
    body: str,
    *,
    context: dict[str, str],
    at: str = "",
    attachments: tuple[Attachment, ...] = (),
    event_id: str = "",
    remark: Remark | None = None,
    about: str = "",
) -> InboundMessage:
    return InboundMessage(
        channel=Channel.MESSENGER,
        provider=PROVIDER,
        account=event.account,
        event_id=event_id or event.id,
        provider_id=provider_id,
        sender=Sender(proven=(ProvenAddress(place.address, Proof.PROVIDER),), name=place.name),
        body=body,
        occurred_at=read_iso_time(at),
        attachments=attachments,
        context={"scene": place.scene, "target": place.target, **context},
        fields=place.fields,
        is_automatic=remark is not None,
        remark=remark,
        about=about,
    )


def _friend(_said: dict[str, Any], author: dict[str, Any], account: str) -> Place:
    openid = read_text_id(author, "user_openid" if "user_openid" in author else "id")
    return Place(Address(AddressKind.QQ, f"{account}.{openid}"), "users", openid)


def _group(said: dict[str, Any], author: dict[str, Any], account: str) -> Place:
    member = (
        text_in(author, "username") or text_in(author, "member_openid") or text_in(author, "id")
    )
    return _crowd(account, "groups", read_text_id(said, "group_openid"), member)


def _channel(said: dict[str, Any], author: dict[str, Any], account: str) -> Place:
    nick = text_in(said.get("member"), "nick")
    member = nick or text_in(author, "username") or text_in(author, "id")
    return _crowd(account, "channels", read_text_id(said, "channel_id"), member)


def _crowd(account: str, scene: str, target: str, member: str) -> Place:
    """An answer is read by all of it, so it is nobody's case of its members."""
    address = Address(AddressKind.GROUP, f"{PROVIDER}.{account}.{target}")
    fields = {"member": member[:LONGEST_ID]} if member else {}
    return Place(address, scene, target, fields=fields)


def _private(said: dict[str, Any], author: dict[str, Any], account: str) -> Place:
    """A private talk that began in a guild: there a person has another id than among friends."""
    address = Address(AddressKind.QQ, f"{account}.{read_text_id(author, 'id')}")
    name = text_in(author, "username")[:LONGEST_ID]
    return Place(address, "dms", read_text_id(said, "guild_id"), name)


def _deletion(event: Event) -> InboundEvent:
    said = read_object(event.data, "message")
    author = read_object(said, "author")
    if author.get("bot") is True:
        return event.ignored("a message of our own was taken back")
    find = _private if event.kind == "DIRECT_MESSAGE_DELETE" else _channel
    place, about = find(said, author, event.account), read_text_id(said, "id")
    return _say(event, place, event.id, "", context={}, remark=Remark.DELETION, about=about)


def _reaction(event: Event) -> InboundEvent:
    target, emoji = read_object(event.data, "target"), object_in(event.data, "emoji")
    if target.get("type") not in (0, "0", "ReactionTargetType_MSG"):
        return event.ignored("a reaction to something else than a message")
    member = text_in(event.data, "user_id")
    place = _crowd(event.account, "channels", read_text_id(event.data, "channel_id"), member)
    return _say(
        event,
        place,
        event.id,
        _draw(emoji),
        context={},
        remark=Remark.REACTION,
        about=read_text_id(target, "id"),
    )


def _draw(emoji: dict[str, Any]) -> str:
    """One kind of emoji is told by its number in Unicode."""
    number = text_in(emoji, "id")
    if emoji.get("type") == _CUSTOM_EMOJI and number.isascii() and number.isdecimal():
        code = int(number[:8])
        if 0xA0 <= code < 0xD800 or 0xE000 <= code < 0x110000:
            return chr(code)
    return "[emoji]"


def _button(event: Event) -> InboundEvent:
    said = event.data
    pressed = read_object(read_object(said, "data"), "resolved")
    body = text_in(pressed, "button_data") or text_in(pressed, "button_id")
    if not body:
        return event.ignored("a button that says nothing")
    # It is answered by the id of the event: there is no message.
    context = {"event_id": event.id}
    at, button_id = text_in(said, "timestamp"), read_text_id(said, "id")
    return _say(
        event, _pressed_at(said, pressed, event.account), button_id, body, context=context, at=at
    )


def _pressed_at(said: dict[str, Any], pressed: dict[str, Any], account: str) -> Place:
    if said.get("group_openid"):
        member = text_in(said, "group_member_openid")
        return _crowd(account, "groups", read_text_id(said, "group_openid"), member)
    if said.get("user_openid"):
        return _friend(said, said, account)
    member = text_in(pressed, "user_id")
    return _crowd(account, "channels", read_text_id(said, "channel_id"), member)


def _audit(event: Event) -> Receipt:
    """Messages into a guild may wait for QQ's own people to look at them."""
    has_passed = event.kind == "MESSAGE_AUDIT_PASS"
    return Receipt(
        provider=PROVIDER,
        account=event.account,
        event_id=event.id,
        provider_id=read_text_id(event.data, "audit_id"),
        outbox_key="",
        state=DeliveryState.DELIVERED if has_passed else DeliveryState.FAILED,
        error="" if has_passed else "QQ's audit refused it",
    )


_MESSAGES: dict[str, Callable[[dict[str, Any], dict[str, Any], str], Place]] = {
    "C2C_MESSAGE_CREATE": _friend,
    "GROUP_AT_MESSAGE_CREATE": _group,
    "GROUP_MESSAGE_CREATE": _group,
    "AT_MESSAGE_CREATE": _channel,
    "MESSAGE_CREATE": _channel,
    "DIRECT_MESSAGE_CREATE": _private,
}
_READERS: dict[str, Callable[[Event], InboundEvent]] = {
    "DIRECT_MESSAGE_DELETE": _deletion,
    "PUBLIC_MESSAGE_DELETE": _deletion,
    "MESSAGE_DELETE": _deletion,
    "MESSAGE_REACTION_ADD": _reaction,
    "INTERACTION_CREATE": _button,
    "MESSAGE_AUDIT_PASS": _audit,
    "MESSAGE_AUDIT_REJECT": _audit,
}
