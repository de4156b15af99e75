"""Callbacks as WeCom seals them, and messages of 微信客服 as it lists them."""

import json
from hashlib import sha1

from caseweave.channels.credentials import Credentials
from caseweave.channels.request import Outgoing, WebhookRequest
from caseweave.channels.wechat_crypto import seal
from caseweave.domain.identity import Address, AddressKind
from caseweave.domain.message import Channel, Contact
from tests.channels.samples import NOON

CORP = "ww5f1d2c3b4a596877"
TOKEN = "hJqcu3uJ9Tn2gXPmxx2w9kkCkCE2EPYo"
KEY = "6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt"
KFID = "wkF3BfCAAA0n5lqkf1hPzZQ8b7f7hQdg"
CUSTOMER = "wmF3BfCAAAy1rQ0v3z5c2Tq8n0m4kX2A"
RANDOM = b"0123456789abcdef"


def wecom_account(**values):
    known = {"corp_id": CORP, "token": TOKEN, "encoding_aes_key": KEY, "secret": "s3cr3t"}
    return Credentials("wecom", known | values)


def signed_query(sealed, token=TOKEN, timestamp="1795435200", nonce="n0nce"):
    """https://developer.work.weixin.qq.com/document/path/90968"""
    text = "".join(sorted([token, timestamp, nonce, sealed]))
    signature = sha1(text.encode()).hexdigest()
    return (("msg_signature", signature), ("timestamp", timestamp), ("nonce", nonce))


def callback(inner, *, token=TOKEN, key=KEY, receive_id=CORP, agent="1000002", random=RANDOM):
    """A callback that WeCom signed and sealed."""
    sealed = seal(inner.encode(), receive_id, key, random)
    body = (
        f"<xml><ToUserName><![CDATA[{receive_id}]]></ToUserName>"
        f"<Encrypt><![CDATA[{sealed}]]></Encrypt><AgentID><![CDATA[{agent}]]></AgentID></xml>"
    )
    return WebhookRequest(body.encode(), {}, signed_query(sealed, token))


def greeting(echo="1616140317555161061", **options):
    """The question that WeCom asks when the address is entered."""
    receive_id = options.pop("receive_id", CORP)
    sealed = seal(echo.encode(), receive_id, options.pop("key", KEY), RANDOM)
    return WebhookRequest(b"", {}, (*signed_query(sealed, **options), ("echostr", sealed)))


def said(kind, more, message_id="7234567890123456", app="1000002"):
    """A message to an application, before it is sealed."""
    return (
        f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName>"
        f"<FromUserName><![CDATA[li.ming@east]]></FromUserName>"
        f"<CreateTime>1795435200</CreateTime><MsgType><![CDATA[{kind}]]></MsgType>{more}"
        f"<MsgId>{message_id}</MsgId><AgentID>{app}</AgentID></xml>"
    )


def happened(event, more="", at=1795435200):
    """An event of an application, before it is sealed."""
    return (
        f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName>"
        f"<FromUserName><![CDATA[li.ming@east]]></FromUserName>"
        f"<CreateTime>{at}</CreateTime><MsgType><![CDATA[event]]></MsgType>"
        f"<Event><![CDATA[{event}]]></Event>{more}<AgentID>1000002</AgentID></xml>"
    )


def hint(open_kfid=KFID, token="ENCApHxnGDNAVNY4AaSJKj4Tb5mwsEMzxhFmHVGcra996NR", at=1795435200):
    """The hint of 微信客服, before it is sealed."""
    return (
        f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><CreateTime>{at}</CreateTime>"
        f"<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[kf_msg_or_event]]></Event>"
        f"<Token><![CDATA[{token}]]></Token><OpenKfId><![CDATA[{open_kfid}]]></OpenKfId></xml>"
    )


def kf(kind, content, msgid="M1", origin=3, at=1795435200, **more):
    """A message as sync_msg lists it."""
    return {
        "msgid": msgid,
        "open_kfid": KFID,
        "external_userid": CUSTOMER,
        "send_time": at,
        "origin": origin,
        "msgtype": kind,
        kind: content,
    } | more


def kf_text(words, msgid="M1", **more):
    return kf("text", {"content": words}, msgid, **more)


def kf_event(kind, msgid="E1", at=1795435200, **more):
    event = {"event_type": kind, "open_kfid": KFID, "external_userid": CUSTOMER, **more}
    return {"msgid": msgid, "send_time": at, "origin": 4, "msgtype": "event", "event": event}


def page(*messages, cursor="c1", has_more=0):
    told = {"errcode": 0, "errmsg": "ok", "next_cursor": cursor, "has_more": has_more}
    return json.dumps(told | {"msg_list": list(messages)}, ensure_ascii=False).encode()


def to_customer(body="您好，已经补发。", *, context=None, **more):
    address = Address(AddressKind.WECOM, f"{CORP}.{CUSTOMER}")
    known = {"open_kfid": KFID, "external_userid": CUSTOMER} if context is None else context
    contact = Contact(Channel.MESSENGER, "wecom", KFID, address, NOON, known)
    return Outgoing(contact, "01CASE~2026-11-23T12:00:00.000Z~01MESSAGE", body, **more)


def to_colleague(body="收到。", *, context=None, account="1000002", **more):
    address = Address(AddressKind.WECOM, f"{CORP}.li.ming@east")
    known = {"agent_id": "1000002", "user_id": "li.ming@east"} if context is None else context
    contact = Contact(Channel.MESSENGER, "wecom", account, address, NOON, known)
    return Outgoing(contact, "01CASE~2026-11-23T12:00:00.000Z~01MESSAGE", body, **more)
