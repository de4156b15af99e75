"""WeCom's sending side: 微信客服, messages of applications, and the access tokens for both.

https://developer.work.weixin.qq.com/document/path/94677 (kf/send_msg)
https://developer.work.weixin.qq.com/document/path/90236 (message/send)
https://developer.work.weixin.qq.com/document/path/91039 (gettoken)
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from caseweave.channels.credentials import Credentials
from caseweave.channels.request import (
    AccessToken,
    Outgoing,
    ProviderAnswer,
    ProviderRequest,
    Refusal,
    Refused,
    SendResult,
    Sent,
)
from caseweave.channels.wecom_errors import read_refusal

API_URL = "https://qyapi.weixin.qq.com"
# WeCom takes 2048 bytes, and a character of Chinese is three.
LONGEST_BODY = 682
_LONGEST_MSGID = 32
# What a menu of 微信客服 holds, in bytes of UTF-8.
_LONGEST_MENU_HEAD = 1024
_LONGEST_CHOICE = 128
_MOST_CHOICES = 10


def build_send(outgoing: Outgoing, base_url: str, credentials: Credentials) -> ProviderRequest:
    """The request that sends *outgoing*, by 微信客服 or by the application that was written to."""
    context = outgoing.contact.context
    if "open_kfid" in context:
        path, said = "kf/send_msg", _for_customer(outgoing)
    else:
        path, said = "message/send", _for_colleague(outgoing)
    token = credentials.current("access_token")
    return ProviderRequest(
        url=f"{base_url}/cgi-bin/{path}?{urlencode({'access_token': token})}",
        headers={"Content-Type": "application/json"},
        body=json.dumps(said).encode(),
    )


def _for_customer(outgoing: Outgoing) -> dict[str, Any]:
    context = outgoing.contact.context
    said: dict[str, Any] = {
        "touser": context.get("external_userid") or _user_of(outgoing),
        "open_kfid": context["open_kfid"],
        # WeCom takes the same id once; it comes back if the message fails after all.
        "msgid": sha256(outgoing.key.encode()).hexdigest()[:_LONGEST_MSGID],
    }
    if _fits_menu(outgoing.body, outgoing.quick_replies):
        choices = [
            {"type": "click", "click": {"id": str(number), "content": words}}
            for number, words in enumerate(outgoing.quick_replies, 1)
        ]
        return said | {
            "msgtype": "msgmenu",
            "msgmenu": {"head_content": outgoing.body, "list": choices},
        }
    return said | {"msgtype": "text", "text": {"content": _words(outgoing)}}


def _for_colleague(outgoing: Outgoing) -> dict[str, Any]:
    context = outgoing.contact.context
    agent_id = context.get("agent_id") or outgoing.contact.account
    return {
        "touser": context.get("user_id") or _user_of(outgoing),
        "agentid": int(agent_id) if agent_id.isascii() and agent_id.isdecimal() else agent_id,
        "msgtype": "text",
        "text": {"content": _words(outgoing)},
    }


def _user_of(outgoing: Outgoing) -> str:
    """An address is the corporation's id, which has no dots, and the user's, which may."""
    return outgoing.contact.address.value.partition(".")[2]


def _fits_menu(body: str, choices: Sequence[str]) -> bool:
    if not 0 < len(choices) <= _MOST_CHOICES or len(body.encode()) > _LONGEST_MENU_HEAD:
        return False
    return all(0 < len(words.encode()) <= _LONGEST_CHOICE for words in choices)


def _words(outgoing: Outgoing) -> str:
    """As text what cannot be sent otherwise: choices without a menu, a file by its address."""
    lines = [outgoing.body, *(f"· {words}" for words in outgoing.quick_replies)]
    if outgoing.media is not None:
        lines += [outgoing.media.name, outgoing.media.url]
    return "\n".join(filter(None, lines))


def read_answer(answer: ProviderAnswer) -> SendResult:
    """What WeCom said of a message."""
    said = read_refusal(answer)
    if isinstance(said, Refused):
        return said
    if said.get("invaliduser"):
        return Refused(Refusal.PERMANENT, "the user may not see the application, or is gone")
    found = said.get("msgid")
    return Sent(found if isinstance(found, str) and found else "accepted")


def build_token_request(base_url: str, credentials: Credentials) -> ProviderRequest:
    asked = {"corpid": credentials.current("corp_id"), "corpsecret": credentials.current("secret")}
    return ProviderRequest(f"{base_url}/cgi-bin/gettoken?{urlencode(asked)}", {}, method="GET")


def read_token(answer: ProviderAnswer) -> AccessToken | Refused:
    said = read_refusal(answer)
    if isinstance(said, Refused):
        return said
    token, seconds = said.get("access_token"), said.get("expires_in")
    is_number = isinstance(seconds, int) and not isinstance(seconds, bool)
    if not isinstance(token, str) or not token or not is_number:
        return Refused(Refusal.UNKNOWN, "an answer without a token")
    return AccessToken(token, timedelta(seconds=max(0, min(int(str(seconds)), 86400))))
