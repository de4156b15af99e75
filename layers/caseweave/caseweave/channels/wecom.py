"""WeCom (企业微信): callbacks of applications, and the hints of 微信客服 that there is news.

https://developer.work.weixin.qq.com/document/path/90238 (receiving)
https://developer.work.weixin.qq.com/document/path/90930 (the address, its check and its retries)
https://developer.work.weixin.qq.com/document/path/90239 (messages), …/90240 (events)
https://developer.work.weixin.qq.com/document/path/94670 (微信客服: hint and pull)
"""

from hashlib import sha256

from caseweave.channels import wecom_kf
from caseweave.channels.credentials import Credentials
from caseweave.channels.json_reading import SECOND, read_text_id, read_time
from caseweave.channels.request import WebhookRequest
from caseweave.channels.wechat_crypto import Opened, is_signed, open_sealed
from caseweave.channels.wechat_xml import read_xml
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import (
    Attachment,
    Channel,
    IgnoredEvent,
    InboundEvent,
    InboundMessage,
    PullHint,
)
from caseweave.errors import InvalidSignatureError, UnparseableError

PROVIDER = "wecom"
ACKNOWLEDGED = ("text/plain", "success")
_LONGEST_ID = 200

_HINT = "kf_msg_or_event"
# Events by which a person says something: a menu entry, a button of a card that we sent.
_PRESSED = {"click", "template_card_event", "taskcard_click"}
_MEDIA_TYPES = {
    "image": "image/jpeg",
    "voice": "audio/amr",
    "video": "video/mp4",
    "shortvideo": "video/mp4",
    "file": "application/octet-stream",
}

Fields = dict[str, str]


def verify(request: WebhookRequest, credentials: Credentials) -> None:
    """Check `msg_signature`, which covers what is sealed in the body, by any live `token`; and that
    it was sealed for us (`corp_id`).

    What no live key opens is let in, to be quarantined: it is genuine, and opens once the key is
    put right. Raises InvalidSignatureError.
    """
    try:
        sealed = read_xml(request.body).get("Encrypt", "")
    except UnparseableError:
        sealed = ""
    _open_for_us(request, sealed, credentials)


def greet(request: WebhookRequest, credentials: Credentials) -> str:
    """What `echostr` says when the address is entered. Raises InvalidSignatureError."""
    # Its plus signs are not always escaped.
    sealed = _query(request, "echostr").replace(" ", "+")
    opened = _open_for_us(request, sealed, credentials)
    if opened is None:
        raise InvalidSignatureError(PROVIDER)
    return opened.message.decode("utf-8", "replace")


def _open_for_us(request: WebhookRequest, sealed: str, credentials: Credentials) -> Opened | None:
    """What was sealed, None if no live key opens it. Raises InvalidSignatureError."""
    tokens, keys = credentials.live("token"), credentials.live("encoding_aes_key")
    owners = credentials.live("corp_id")
    given = _query(request, "msg_signature")
    parts = (_query(request, "timestamp"), _query(request, "nonce"), sealed)
    if not is_signed(given, tokens, *parts) or not sealed:
        raise InvalidSignatureError(PROVIDER)
    try:
        opened = open_sealed(sealed, keys)
    except UnparseableError:
        return None
    if opened.receive_id not in owners:
        raise InvalidSignatureError(PROVIDER)
    return opened


def parse(request: WebhookRequest, credentials: Credentials) -> list[InboundEvent]:
    """The one event of a callback; or, in a replay, the one message that a pull brought.

    Raises UnparseableError.
    """
    if wecom_kf.is_pulled(request.body):
        return [wecom_kf.parse_pulled(request.body, credentials)]
    outer = read_xml(request.body)
    opened = open_sealed(outer.get("Encrypt", ""), credentials.live("encoding_aes_key"))
    fields = read_xml(opened.message)
    if fields.get("MsgType") == "event" and fields.get("Event") == _HINT:
        return [_hint(fields, opened)]
    app = fields.get("AgentID") or outer.get("AgentID", "")
    return [_understand(fields, opened.receive_id, app)]


def _hint(fields: Fields, opened: Opened) -> PullHint:
    return PullHint(
        provider=PROVIDER,
        account=read_text_id(fields, "OpenKfId"),
        # Nothing in it is its own, but a redelivery seals the same text.
        event_id=f"hint.sha256.{sha256(opened.message).hexdigest()}",
        token=fields.get("Token", "")[:_LONGEST_ID],
    )


def _understand(fields: Fields, corp: str, app: str) -> InboundEvent:
    user, kind = read_text_id(fields, "FromUserName"), fields.get("MsgType", "")
    # Several applications share the address; what concerns none of them is the corporation's.
    account = app[:_LONGEST_ID] or corp
    if kind == "event":
        named = [fields.get(name, "") for name in ("CreateTime", "Event", "EventKey", "TaskId")]
        event_id, event = ".".join([user, *named]), named[1]
        if event not in _PRESSED:
            reason = f"event {event or 'without a name'}"[:_LONGEST_ID]
            return IgnoredEvent(PROVIDER, account, event_id, reason)
        body = fields.get("EventKey", "")
    else:
        event_id = read_text_id(fields, "MsgId")
        body = _describe(fields, kind)
    address = Address(AddressKind.WECOM, f"{corp}.{user}")
    context = {"agent_id": app[:_LONGEST_ID], "user_id": user}
    return InboundMessage(
        channel=Channel.MESSENGER,
        provider=PROVIDER,
        account=account,
        event_id=event_id,
        provider_id=event_id,
        sender=Sender(proven=(ProvenAddress(address, Proof.PROVIDER),)),
        body=body,
        occurred_at=read_time(fields.get("CreateTime"), SECOND),
        attachments=_attachments(fields, kind),
        context={name: value for name, value in context.items() if value},
    )


def _describe(fields: Fields, kind: str) -> str:
    """The text, or words for a message that has none; "" for media, which speak for themselves."""
    if kind == "text":
        return fields.get("Content", "")
    if kind == "location":
        place = f"{fields.get('Location_X', '')}, {fields.get('Location_Y', '')}"
        return "\n".join(filter(None, [fields.get("Label", ""), place]))
    if kind == "link":
        names = ("Title", "Description", "Url")
        return "\n".join(filter(None, [fields.get(name, "") for name in names]))
    if kind in _MEDIA_TYPES:
        return fields.get("Recognition", "")
    return f"[{kind or 'nothing'}]"


def _attachments(fields: Fields, kind: str) -> tuple[Attachment, ...]:
    if kind not in _MEDIA_TYPES:
        return ()
    name = fields.get("FileName") or fields.get("Title") or kind
    return (Attachment(name, _MEDIA_TYPES[kind], provider_ref=read_text_id(fields, "MediaId")),)


def _query(request: WebhookRequest, name: str) -> str:
    return dict(request.query).get(name, "")
