"""QQ's messages, and the token that they need, which is at another host in truth.

https://bot.q.qq.com/wiki/develop/api-v2/server-inter/message/send-receive/send.html
https://bot.q.qq.com/wiki/develop/api-v2/dev-prepare/interface-framework/api-use.html
"""

import hmac
import re
from dataclasses import replace
from typing import Any

from examples.provider_sink.accounts import Accounts, App
from examples.provider_sink.exchange import (
    MalformedBodyError,
    Response,
    is_authorized,
    json_response,
    read_object,
    text_in,
)
from examples.provider_sink.faults import Mode
from examples.provider_sink.received import Call, Outcome, Received
from examples.provider_sink.retry_keys import Accepted

PATH = re.compile(
    r"/qq/(?P<api>app/getAppAccessToken|v2/users|v2/groups|channels|dms)(?:/(?P<to>[^/]+)/messages)?"
)
_TOKEN = "app/getAppAccessToken"
_Refusal = tuple[int, int, str]
_FAULTS: dict[Mode, _Refusal] = {
    Mode.THROTTLE: (429, 22009, "msg limit exceed"),
    Mode.SERVER_ERROR: (500, 304016, "send error"),
}


def answer(call: Call, accounts: Accounts) -> Outcome:
    app = accounts.apps.get("qq")
    if call.arguments["api"] == _TOKEN:
        return Outcome(_hand_out_token(call, app), None)
    received = Received(provider="qq", at=call.at)
    if not is_authorized(call.request, "QQBot", app.access_token if app else None):
        return _refuse(received, (401, 11244, "token not exist or expire"))
    try:
        said = read_object(call.request.body)
    except MalformedBodyError:
        return _refuse(received, (400, 12002, "request invalid"))
    to, text = call.arguments["to"], text_in(said, "content")
    received = replace(received, to=(to,), body=text, request=said)
    refusal = _FAULTS.get(call.fault.mode) if call.fault else None
    refusal = refusal or _mistake(said, text)
    if not refusal and call.fault and call.fault.mode is Mode.REFUSE:
        refusal = (400, call.fault.code or 40034005, "the message to be answered has expired")
    return _refuse(received, refusal) if refusal else _accept(call, received, said)


def _hand_out_token(call: Call, app: App | None) -> Response:
    try:
        said = read_object(call.request.body)
    except MalformedBodyError:
        said = {}
    secret = text_in(said, "clientSecret").encode()
    if not app or text_in(said, "appId") != app.app_id:
        return json_response(200, {"code": 100007, "message": "appid invalid"})
    if not hmac.compare_digest(secret, app.app_secret.encode()):
        return json_response(200, {"code": 100016, "message": "invalid appid or secret"})
    # The lifetime is a text.
    return json_response(200, {"access_token": app.access_token, "expires_in": "7200"})


def _mistake(said: dict[str, Any], text: str) -> _Refusal | None:
    if not text.strip():
        return 400, 50006, "cannot send empty message"
    if not (text_in(said, "msg_id") or text_in(said, "event_id")):
        return 400, 40034102, "no message may be sent unasked"
    return None


def _accept(call: Call, received: Received, said: dict[str, Any]) -> Outcome:
    accepted = Accepted(call.at, call.unique, f"ROBOT1.0_{call.unique}")
    answered = text_in(said, "msg_id") or text_in(said, "event_id")
    # In guilds there is no such number, and nothing keeps a message from being sent twice.
    if "msg_seq" in said:
        key = f"qq {answered} {text_in(said, 'msg_seq')}"
        if call.retry_keys.accept(key, accepted):
            words = "the message was sent before, check msg_seq"
            return Outcome(_problem((400, 40054005, words)), None)
    response = json_response(200, {"id": accepted.message_id, "timestamp": call.at.isoformat()})
    return Outcome(response, replace(received, provider_id=accepted.message_id))


def _refuse(received: Received, refusal: _Refusal) -> Outcome:
    status, code, words = refusal
    return Outcome(_problem(refusal), replace(received, error=f"{status} {code} {words}"))


def _problem(refusal: _Refusal) -> Response:
    status, code, words = refusal
    return json_response(status, {"message": words, "code": code, "err_code": code})
