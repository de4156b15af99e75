"""WeChat's customer-service messages, and the token that they need.

https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Service_Center_messages.html
https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/getStableAccessToken.html
"""

import hmac
import re
from dataclasses import replace
from typing import Any

from examples.provider_sink.accounts import Accounts, App
from examples.provider_sink.exchange import (
    MalformedBodyError,
    json_response,
    read_object,
    read_query,
    text_in,
)
from examples.provider_sink.faults import Fault, Mode
from examples.provider_sink.received import Call, Outcome, Received

PATH = re.compile(r"/wechat/cgi-bin/(?P<api>message/custom/send|stable_token)")
LONGEST_BYTES = 2048
_WORDS = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40003: "invalid openid",
    40008: "invalid message type",
    40013: "invalid appid",
    40125: "invalid appsecret",
    44004: "empty content",
    45002: "content size out of limit",
    45009: "reach max api daily quota limit",
    45015: "response out of time limit or subscription is canceled",
    47001: "data format error",
}


def answer(call: Call, accounts: Accounts) -> Outcome:
    app = accounts.apps.get("wechat")
    if call.arguments["api"] == "stable_token":
        return _hand_out_token(call, app)
    received, code = _judge(call, app)
    if code:
        return _refuse(received, code)
    if call.fault and call.fault.mode is Mode.SERVER_ERROR:
        return Outcome(json_response(502, {}), replace(received, error="502"))
    # WeChat names no message; the sink's own number stands in for what is shown.
    accepted = replace(received, provider_id=str(call.serial))
    return Outcome(json_response(200, {"errcode": 0, "errmsg": "ok"}), accepted)


def _judge(call: Call, app: App | None) -> tuple[Received, int]:
    """What was asked, and the number of the refusal; 0 for none."""
    received = Received(provider="wechat", at=call.at)
    token = read_query(call.request.query).get("access_token", "")
    if not app or not hmac.compare_digest(token.encode(), app.access_token.encode()):
        return received, 40001
    try:
        said = read_object(call.request.body)
    except MalformedBodyError:
        return received, 47001
    to, text = text_in(said, "touser"), _text(said)
    received = replace(received, to=(to,) if to else (), body=text, request=said)
    return received, _mistake(said, to, text) or _fault(call.fault)


def _fault(fault: Fault | None) -> int:
    if fault is None:
        return 0
    return {Mode.THROTTLE: 45009, Mode.REFUSE: fault.code or 45015}.get(fault.mode, 0)


def _hand_out_token(call: Call, app: App | None) -> Outcome:
    try:
        said = read_object(call.request.body)
    except MalformedBodyError:
        return _refuse(None, 47001)
    if not app or text_in(said, "appid") != app.app_id:
        return _refuse(None, 40013)
    if not hmac.compare_digest(text_in(said, "secret").encode(), app.app_secret.encode()):
        return _refuse(None, 40125)
    token = {"access_token": app.access_token, "expires_in": 7200}
    return Outcome(json_response(200, token), None)


def _text(said: dict[str, Any]) -> str:
    if said.get("msgtype") != "msgmenu":
        return text_in(said, "text", "content")
    menu = said.get("msgmenu")
    choices = menu.get("list") if isinstance(menu, dict) else None
    words = [text_in(one, "content") for one in choices] if isinstance(choices, list) else []
    return "\n".join([text_in(said, "msgmenu", "head_content"), *words])


def _mistake(said: dict[str, Any], to: str, text: str) -> int:
    """The number of what is wrong; 0 for nothing."""
    if said.get("msgtype") not in ("text", "msgmenu"):
        return 40008
    if not to:
        return 40003
    if not text.strip():
        return 44004
    return 45002 if len(text.encode()) > LONGEST_BYTES else 0


def _refuse(received: Received | None, code: int) -> Outcome:
    """WeChat's refusals have status 200."""
    words = _WORDS.get(code, "refused")
    response = json_response(200, {"errcode": code, "errmsg": words})
    return Outcome(response, received and replace(received, error=f"{code} {words}"))
