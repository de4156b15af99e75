"""What a message or an event of a WeChat Official Account says.

https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html
https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_event_pushes.html
https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Custom_Menu_Push_Events.html
https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html
"""

import re
from collections.abc import Mapping
from hashlib import sha256

from caseweave.channels.json_reading import SECOND, read_time
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import (
    Attachment,
    Channel,
    DeliveryState,
    IgnoredEvent,
    InboundEvent,
    InboundMessage,
    Receipt,
)
from caseweave.errors import UnparseableError

PROVIDER = "wechat"
# Four of them, in any letters, fit into a key of the table.
_LONGEST_ID = 100
# What our link token looks like in the scene of a QR code (`domain/tokens.py`).
_LINK_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
# The message types that have a file, with its name and type.
_MEDIA = {
    "image": ("image.jpg", "image/jpeg"),
    "video": ("video.mp4", "video/mp4"),
    "shortvideo": ("video.mp4", "video/mp4"),
}
_VOICES = {"amr": "audio/amr", "speex": "audio/x-speex"}
_TEMPLATE_SENT = "TEMPLATESENDJOBFINISH"

Fields = Mapping[str, str]


def understand(fields: Fields) -> InboundEvent:
    """A message or event by its elements. Raises UnparseableError."""
    account, openid = _id(fields, "ToUserName"), _id(fields, "FromUserName")
    if _id(fields, "MsgType") != "event":
        message_id = fields.get("MsgId", "").strip()[:_LONGEST_ID]
        event_id = message_id or _digest(fields)
        body, attachments = _describe(fields), _attachments(fields)
        return _message(account, openid, event_id, fields, body, attachments)
    event, key = _id(fields, "Event"), fields.get("EventKey", "").strip()
    event_id = _name_event(openid, fields, event, key)
    if event == _TEMPLATE_SENT:
        return _receipt(account, event_id, fields)
    body, link_token = _read_gesture(event, key, fields)
    if not body:
        return IgnoredEvent(PROVIDER, account, event_id, f"event {event}")
    return _message(account, openid, event_id, fields, body, (), link_token)


def _message(
    account: str,
    openid: str,
    event_id: str,
    fields: Fields,
    body: str,
    attachments: tuple[Attachment, ...],
    link_token: str = "",
) -> InboundMessage:
    context = {"openid": openid, "message_id": event_id}
    chosen = fields.get("bizmsgmenuid", "").strip()[:_LONGEST_ID]
    # A follower has another id at every account.
    address = Address(AddressKind.WECHAT, f"{account}.{openid}")
    return InboundMessage(
        channel=Channel.MESSENGER,
        provider=PROVIDER,
        account=account,
        event_id=event_id,
        provider_id=event_id,
        sender=Sender(proven=(ProvenAddress(address, Proof.PROVIDER),)),
        body=body,
        occurred_at=read_time(fields.get("CreateTime", "").strip(), SECOND),
        attachments=attachments,
        context={**context, "menu_id": chosen} if chosen else context,
        link_token=link_token,
    )


def _receipt(account: str, event_id: str, fields: Fields) -> Receipt:
    status = fields.get("Status", "").strip()
    states = {"success": DeliveryState.DELIVERED, "failed": DeliveryState.FAILED}
    state = states.get(status.partition(":")[0])
    return Receipt(
        provider=PROVIDER,
        account=account,
        event_id=event_id,
        provider_id=_id(fields, "MsgID"),
        outbox_key="",
        state=state,
        error=status[:_LONGEST_ID] if state is DeliveryState.FAILED else "",
    )


def _name_event(openid: str, fields: Fields, event: str, key: str) -> str:
    """Events have no ids: WeChat tells them apart by follower and second."""
    told = fields.get("CreateTime", "").strip()[:20]
    sent = fields.get("MsgID", "").strip()[:_LONGEST_ID]
    name = f"{openid}.{told}.{event}"
    if sent:
        return f"{name}.{sent}"
    return f"{name}.{sha256(key.encode()).hexdigest()[:16]}" if key else name


def _read_gesture(event: str, key: str, fields: Fields) -> tuple[str, str]:
    """Words for what somebody did in order to tell us something, and the link token that came with
    it; ("", "") for everything else, which nobody needs to answer.
    """
    if event == "CLICK":
        return key or "[menu]", ""
    if event == "scancode_waitmsg":
        scanned = fields.get("ScanCodeInfo/ScanResult", "").strip()
        return f"[scan] {scanned}" if scanned else "", ""
    if event in ("SCAN", "subscribe"):
        scene = key.removeprefix("qrscene_")
        # The token opens a case: it belongs into no timeline.
        return ("[scan]", scene) if _LINK_TOKEN.fullmatch(scene) else ("", "")
    return "", ""


def _describe(fields: Fields) -> str:
    """The text, or words for a message that has none; "" for media, which speak for themselves."""
    kind = fields["MsgType"].strip()
    if kind == "text":
        return fields.get("Content", "")
    if kind == "voice":
        return fields.get("Recognition", "").strip()
    if kind == "location":
        x, y = (fields.get(name, "").strip() for name in ("Location_X", "Location_Y"))
        return _lines(fields.get("Label", ""), f"{x}, {y}")
    if kind == "link":
        return _lines(*(fields.get(name, "") for name in ("Title", "Description", "Url")))
    if kind in _MEDIA or kind == "file":
        return ""
    return _lines(f"[{kind}]", fields.get("Title", ""))


def _lines(*texts: str) -> str:
    return "\n".join(text.strip() for text in texts if text.strip())


def _attachments(fields: Fields) -> tuple[Attachment, ...]:
    kind = fields["MsgType"].strip()
    if kind == "voice":
        form = fields.get("Format", "").strip().lower()
        form = form if form in _VOICES else "amr"
        name, media_type = f"voice.{form}", _VOICES[form]
    elif kind == "file":
        name, media_type = fields.get("Title", "").strip() or "file", "application/octet-stream"
    elif kind in _MEDIA:
        name, media_type = _MEDIA[kind]
    else:
        return ()
    size = fields.get("FileTotalLen", "").strip()
    refs = (fields.get(name, "").strip() for name in ("MediaId", "PicUrl", "FileKey"))
    return (
        Attachment(
            name=name[:_LONGEST_ID],
            media_type=media_type,
            size=int(size) if _is_number(size) else 0,
            provider_ref=next(filter(None, refs), "")[:1000],
        ),
    )


def _digest(fields: Fields) -> str:
    """For a message without an id; its redelivery has the same elements."""
    told = "\0".join(f"{name}\0{fields[name]}" for name in sorted(fields))
    return f"sha256.{sha256(told.encode()).hexdigest()}"


def _id(fields: Fields, name: str) -> str:
    found = fields.get(name, "").strip()
    if not 0 < len(found) <= _LONGEST_ID:
        raise UnparseableError(f"no {name}")
    return found


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 15
