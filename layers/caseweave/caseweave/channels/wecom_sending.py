"""WeCom's sending side: 微信客服, messages of applications, and the access tokens for both.

https://developer.work.weixin.qq.com/document/path/94677 (kf/send_msg)
https://developer.work.weixin.qq.com/document/path/90236 (message/send)
https://developer.work.weixin.qq.com/document/path/91039 (gettoken)
"""

import json
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from caseweave.channels.credentials import Credentials
from caseweave.channels.request import (
    Abilities,
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
from caseweave.domain.message import Contact
from caseweave.domain.splitting import Unit

API_URL = "https://qyapi.weixin.qq.com"
_LONGEST_MSGID = 32
# What is longer WeCom cuts. Files would have to be uploaded first: they are sent as links.
_TO_COLLEAGUES = Abilities(longest_body=2048, unit=Unit.BYTES)
# An entry of a menu is of 128 bytes, of which no character takes more than four.
_TO_CUSTOMERS = Abilities(
    longest_body=2048,
    unit=Unit.BYTES,
    most_choices=10,
    longest_choice=32,
    longest_body_with_choices=1024,
)


def abilities(contact: Contact) -> Abilities:
    return _TO_CUSTOMERS if "open_kfid" in contact.context else _TO_COLLEAGUES


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
    if outgoing.quick_replies:
        choices = [
            {"type": "click", "click": {"id": str(number), "content": words}}
            for number, words in enumerate(outgoing.quick_replies, 1)
        ]
        return said | {
            "msgtype": "msgmenu",
            "msgmenu": {"head_content": outgoing.body, "list": choices},
        }
    return said | {"msgtype": "text", "text": {"content": outgoing.body}}


def _for_colleague(outgoing: Outgoing) -> dict[str, Any]:
    context = outgoing.contact.context
    agent_id = context.get("agent_id") or outgoing.contact.account
    return {
        "touser": context.get("user_id") or _user_of(outgoing),
        "agentid": int(agent_id) if agent_id.isascii() and agent_id.isdecimal() else agent_id,
        "msgtype": "text",
        "text": {"content": outgoing.body},
    }


def _user_of(outgoing: Outgoing) -> str:
    """An address is the corporation's id, which has no dots, and the user's, which may."""
    return outgoing.contact.address.value.partition(".")[2]


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
