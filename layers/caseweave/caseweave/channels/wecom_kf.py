"""微信客服 (customer service in WeChat, run in WeCom): messages are pulled page by page.

https://developer.work.weixin.qq.com/document/path/94670 (sync_msg)
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from caseweave.channels.credentials import Credentials
from caseweave.channels.json_reading import (
    SECOND,
    object_in,
    read_text_id,
    read_time,
    text_in,
)
from caseweave.channels.request import (
    ProviderAnswer,
    ProviderRequest,
    Refusal,
    Refused,
    read_json_object,
)
from caseweave.channels.wecom_errors import read_refusal
from caseweave.channels.wecom_kf_content import MEDIA_TYPES, describe, find_order
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
from caseweave.errors import UnparseableError

_PROVIDER = "wecom"
# WeCom's most is 1000; a page is taken in before its cursor is kept, and should not take long.
MOST_MESSAGES = 100
_LONGEST_ID = 200
_CUSTOMER, _AGENT = "3", "5"
# `fail_type` of msg_send_fail; the others say no more than that it failed.
_FAILURES = {
    "1": "the 微信客服 account is deleted",
    "2": "the application is switched off",
    "4": "more than 48 hours after the customer's last message",
    "5": "the session is closed",
    "6": "more than 5 messages after the customer's last one",
    "8": "the corporation is not verified",
    "10": "the customer refuses messages",
    "11": "nobody of the corporation has signed in to WeCom",
    "12": "a kind of message that is forbidden here",
    "13": "stopped by WeCom's security rules",
}
_REFUSALS = {"4": Refusal.WINDOW_CLOSED, "6": Refusal.WINDOW_CLOSED, "10": Refusal.OPTED_OUT}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an account's messages, each as it came; `cursor` is where the next one begins."""

    messages: tuple[Any, ...]
    cursor: str
    has_more: bool


def build_pull(
    open_kfid: str, cursor: str, token: str, base_url: str, credentials: Credentials
) -> ProviderRequest:
    """The request for the page at *cursor* ("" is the oldest that is still there).

    *token* is that of a hint, good for ten minutes; without one WeCom allows fewer pulls.
    """
    access_token = credentials.current("access_token")
    asked = {"open_kfid": open_kfid, "limit": MOST_MESSAGES, "voice_format": 0}
    asked |= {name: value for name, value in (("cursor", cursor), ("token", token)) if value}
    return ProviderRequest(
        url=f"{base_url}/cgi-bin/kf/sync_msg?{urlencode({'access_token': access_token})}",
        headers={"Content-Type": "application/json"},
        body=json.dumps(asked).encode(),
    )


def read_page(answer: ProviderAnswer) -> Page | Refused:
    """What WeCom said. No cursor in the answer means that of the request still holds."""
    said = read_refusal(answer)
    if isinstance(said, Refused):
        return said
    found = said.get("msg_list")
    return Page(
        messages=tuple(found) if isinstance(found, list) else (),
        cursor=text_in(said, "next_cursor"),
        has_more=text_in(said, "has_more") == "1",
    )


def keep_pulled(message: Any, open_kfid: str) -> bytes:
    """One message of a page as the ledger keeps it: enough to be understood by itself."""
    return json.dumps({"open_kfid": open_kfid, "message": message}, ensure_ascii=False).encode(
        "utf-8", "replace"
    )


def is_pulled(body: bytes) -> bool:
    """Is it what `keep_pulled` made? The door lets in nothing that is: WeCom signs XML."""
    return body.startswith(b'{"open_kfid"')


def parse_pulled(body: bytes, credentials: Credentials) -> InboundEvent:
    """The event of what `keep_pulled` made. Raises UnparseableError."""
    kept = read_json_object(body)
    account, said = read_text_id(kept, "open_kfid"), kept.get("message")
    if not isinstance(said, dict):
        raise UnparseableError("no object in the list of messages")
    event_id, kind = read_text_id(said, "msgid"), text_in(said, "msgtype")
    if kind == "event":
        return _event(said, event_id, account, credentials)
    origin = text_in(said, "origin")
    if origin == _AGENT:
        return IgnoredEvent(_PROVIDER, account, event_id, "an agent wrote in WeCom itself")
    if origin != _CUSTOMER:
        reason = f"{kind or 'nothing'} of origin {origin or 'unknown'}"[:_LONGEST_ID]
        return IgnoredEvent(_PROVIDER, account, event_id, reason)
    content = object_in(said, kind)
    order, menu_id = find_order(kind, content), text_in(content, "menu_id")[:_LONGEST_ID]
    user = read_text_id(said, "external_userid")
    return InboundMessage(
        channel=Channel.MESSENGER,
        provider=_PROVIDER,
        account=account,
        event_id=event_id,
        provider_id=event_id,
        sender=_sender(user, account, credentials),
        body=describe(kind, content),
        occurred_at=read_time(said.get("send_time"), SECOND),
        attachments=_attachments(kind, content),
        context=_context(user, account) | ({"menu_id": menu_id} if menu_id else {}),
        fields={"order_no": order} if order else {},
    )


def _event(
    said: Mapping[str, Any], event_id: str, account: str, credentials: Credentials
) -> InboundEvent:
    """What WeCom itself tells; its ids are those inside `event`."""
    told = object_in(said, "event")
    kind = text_in(told, "event_type")
    if kind == "msg_send_fail":
        why = text_in(told, "fail_type")
        return Receipt(
            provider=_PROVIDER,
            account=account,
            event_id=event_id,
            provider_id=read_text_id(told, "fail_msgid"),
            outbox_key="",
            state=DeliveryState.FAILED,
            error=f"{why[:10]} {_FAILURES.get(why, 'WeCom does not say why')}".strip(),
            refusal=_REFUSALS.get(why, ""),
        )
    if kind == "user_recall_msg":
        user = read_text_id(told, "external_userid")
        return InboundMessage(
            channel=Channel.MESSENGER,
            provider=_PROVIDER,
            account=account,
            event_id=event_id,
            provider_id=event_id,
            sender=_sender(user, account, credentials),
            body="",
            occurred_at=read_time(said.get("send_time"), SECOND),
            context=_context(user, account),
            is_automatic=True,
            remark=Remark.DELETION,
            about=read_text_id(told, "recall_msgid"),
        )
    reason = f"event {kind or 'without a name'}"[:_LONGEST_ID]
    return IgnoredEvent(_PROVIDER, account, event_id, reason)


def _sender(user: str, account: str, credentials: Credentials) -> Sender:
    """An external user id is the same for all accounts of one corporation, and for no other's."""
    corp = credentials.of_account(account).current("corp_id")
    address = Address(AddressKind.WECOM, f"{corp}.{user}")
    return Sender(proven=(ProvenAddress(address, Proof.PROVIDER),))


def _context(user: str, account: str) -> dict[str, str]:
    return {"open_kfid": account, "external_userid": user}


def _attachments(kind: str, content: Mapping[str, Any]) -> tuple[Attachment, ...]:
    if kind not in MEDIA_TYPES:
        return ()
    name = text_in(content, "filename") or kind
    return (Attachment(name, MEDIA_TYPES[kind], provider_ref=read_text_id(content, "media_id")),)
