"""WeChat and WeCom: XML, sealed by AES, signed by SHA-1.

https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Message_encryption_and_decryption_instructions.html
https://developer.work.weixin.qq.com/document/path/90968
"""

import secrets
import time
import uuid
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha1
from typing import Any
from xml.sax.saxutils import escape

from Crypto.Cipher import AES

from caseweave.cli.outside.delivery import Delivery

_XML = "text/xml"


def seal(text: str, key: str, receiver: str) -> str:
    """*text* for the account *receiver*, sealed with its EncodingAESKey."""
    secret, said = b64decode(f"{key}="), text.encode()
    plain = secrets.token_bytes(16) + len(said).to_bytes(4) + said + receiver.encode()
    padding = 32 - len(plain) % 32
    cipher = AES.new(secret, AES.MODE_CBC, secret[:16])
    return b64encode(cipher.encrypt(plain + bytes([padding]) * padding)).decode()


def sign(token: str, *parts: str) -> str:
    return sha1("".join(sorted((token, *parts))).encode()).hexdigest()  # noqa: S324 - as they do


def wechat_message(
    account: Mapping[str, Any], openid: str, text: str, *, is_plain: bool = False
) -> Delivery:
    """What a follower writes, in the safe mode or in the plain one, which signs no body."""
    said = _xml(
        ToUserName="gh_local",
        FromUserName=openid,
        CreateTime=int(time.time()),
        MsgType="text",
        Content=text,
        MsgId=_number(),
    )
    at, nonce = _stamp()
    query = {"timestamp": at, "nonce": nonce, "signature": sign(account["token"], at, nonce)}
    if is_plain:
        return Delivery("messenger/wechat", said.encode(), _XML, query=query)
    sealed = seal(said, account["encoding_aes_key"], account["app_id"])
    proof = {"encrypt_type": "aes", "msg_signature": sign(account["token"], at, nonce, sealed)}
    body = _xml(ToUserName="gh_local", Encrypt=sealed).encode()
    return Delivery("messenger/wechat", body, _XML, query={**query, **proof})


def wecom_hint(account: Mapping[str, Any], open_kfid: str) -> Delivery:
    """There is something to pull for an account of 微信客服."""
    return wecom_callback(
        account,
        _xml(
            ToUserName=account["corp_id"],
            CreateTime=int(time.time()),
            MsgType="event",
            Event="kf_msg_or_event",
            Token=f"ENC{uuid.uuid4().hex}",
            OpenKfId=open_kfid,
        ),
    )


def customer_service_text(open_kfid: str, customer: str, text: str) -> dict[str, Any]:
    """What a customer said, as it waits at WeCom until somebody pulls it."""
    return {
        "origin": 3,
        "msgtype": "text",
        "text": {"content": text},
        "open_kfid": open_kfid,
        "external_userid": customer,
        "msgid": uuid.uuid4().hex,
        "send_time": int(time.time()),
    }


def wecom_app_message(
    account: Mapping[str, Any], user: str, text: str, agent: str = "1000002"
) -> Delivery:
    """What a colleague writes to an application."""
    return wecom_callback(
        account,
        _xml(
            ToUserName=account["corp_id"],
            FromUserName=user,
            CreateTime=int(time.time()),
            MsgType="text",
            Content=text,
            MsgId=_number(),
            AgentID=agent,
        ),
    )


def wecom_callback(account: Mapping[str, Any], said: str) -> Delivery:
    sealed = seal(said, account["encoding_aes_key"], account["corp_id"])
    body = _xml(Encrypt=sealed).encode()
    return Delivery("messenger/wecom", body, _XML, query=wecom_proof(account, sealed))


def wecom_proof(account: Mapping[str, Any], sealed: str) -> dict[str, str]:
    """What WeCom adds to the address; it signs the sealed text alone."""
    at, nonce = _stamp()
    signature = sign(account["token"], at, nonce, sealed)
    return {"msg_signature": signature, "timestamp": at, "nonce": nonce}


def _xml(**fields: object) -> str:
    inner = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items())
    return f"<xml>{inner}</xml>"


def _stamp() -> tuple[str, str]:
    return str(int(time.time())), str(secrets.randbelow(10**10))


def _number() -> int:
    return uuid.uuid4().int % 10**18
