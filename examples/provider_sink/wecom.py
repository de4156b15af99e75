"""WeCom: tokens, messages of applications and of 微信客服, and the log that desks pull from.

https://developer.work.weixin.qq.com/document/path/91039 (gettoken)
https://developer.work.weixin.qq.com/document/path/90236 (message/send)
https://developer.work.weixin.qq.com/document/path/94677 (kf/send_msg)
https://developer.work.weixin.qq.com/document/path/94670 (kf/sync_msg)
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from examples.provider_sink.accounts import Accounts, App
from examples.provider_sink.exchange import (
    MalformedBodyError,
    Response,
    json_response,
    read_object,
    read_query,
    text_in,
)
from examples.provider_sink.faults import Mode
from examples.provider_sink.received import Call, Outcome, Received
from examples.provider_sink.retry_keys import Accepted

PATH = re.compile(r"/wecom/cgi-bin/(?P<api>gettoken|message/send|kf/send_msg|kf/sync_msg)")
LONGEST_BYTES = 2048
# Fewer than anybody asks for, so that there is more than one page.
_LONGEST_PAGE = 3
_MSGID = re.compile(r"[0-9a-zA-Z_-]{0,32}")

_WORDS = {
    40001: "invalid credential",
    40003: "invalid UserID",
    40008: "invalid message type",
    40013: "invalid corpid",
    40014: "invalid access_token",
    40058: "invalid request parameter",
    44004: "empty content",
    45002: "content size out of limit",
    45009: "api freq out of limit",
    95000: "invalid open_kfid",
    95001: "send msg count limit",
}


def answer(call: Call, accounts: Accounts) -> Outcome:
    account, api = accounts.apps.get("wecom"), call.arguments["api"]
    if call.fault and call.fault.mode is Mode.SERVER_ERROR:
        return Outcome(Response(502, b"<html>502 Bad Gateway</html>", "text/html"), None)
    query = read_query(call.request.query)
    if api == "gettoken":
        return Outcome(_hand_out_token(query, account), None)
    received = Received(provider="wecom", at=call.at)
    is_known = account and _is_same(query.get("access_token", ""), account.access_token)
    if not is_known or (call.fault and call.fault.mode is Mode.THROTTLE):
        return _refuse(received, 45009 if is_known else 40014)
    try:
        said = read_object(call.request.body)
    except MalformedBodyError:
        return _refuse(received, 40058)
    if api == "kf/sync_msg":
        return Outcome(_list_messages(call, said), None)
    return _take(call, received, said)


def _hand_out_token(query: Mapping[str, str], account: App | None) -> Response:
    if not account or query.get("corpid") != account.app_id:
        return _problem(40013)
    if not _is_same(query.get("corpsecret", ""), account.app_secret):
        return _problem(40001)
    token = {"access_token": account.access_token, "expires_in": 7200}
    return json_response(200, {"errcode": 0, "errmsg": "ok", **token})


def _list_messages(call: Call, said: dict[str, Any]) -> Response:
    """A page; each has the place of its end as cursor."""
    name, cursor = text_in(said, "open_kfid"), text_in(said, "cursor") or "0"
    if not name:
        return _problem(95000)
    log = call.kf_log.of(name)
    if not cursor.isdecimal() or int(cursor) > len(log):
        return _problem(40058)
    end = min(int(cursor) + _LONGEST_PAGE, len(log))
    page = {"next_cursor": str(end), "has_more": int(end < len(log))}
    return json_response(
        200, {"errcode": 0, "errmsg": "ok", **page, "msg_list": log[int(cursor) : end]}
    )


def _take(call: Call, received: Received, said: dict[str, Any]) -> Outcome:
    to, text = text_in(said, "touser"), _text(said)
    account = text_in(said, "open_kfid") or text_in(said, "agentid")
    received = replace(received, to=(to,) if to else (), sender=account, body=text, request=said)
    code = _mistake(said, received)
    if not code and call.fault and call.fault.mode is Mode.REFUSE:
        code = call.fault.code or 95001
    if code:
        return _refuse(received, code)
    accepted = Accepted(call.at, call.unique, text_in(said, "msgid") or call.unique)
    response = json_response(200, {"errcode": 0, "errmsg": "ok", "msgid": accepted.message_id})
    if "msgid" in said and call.retry_keys.accept(f"wecom {accepted.message_id}", accepted):
        return Outcome(response, None)
    return Outcome(response, replace(received, provider_id=accepted.message_id))


def _text(said: dict[str, Any]) -> str:
    if said.get("msgtype") != "msgmenu":
        return text_in(said, "text", "content")
    menu = said.get("msgmenu")
    choices = menu.get("list") if isinstance(menu, dict) else None
    words = [text_in(one, "click", "content") for one in choices] if choices else []
    return "\n".join([text_in(said, "msgmenu", "head_content"), *words])


def _mistake(said: dict[str, Any], received: Received) -> int:
    """The number of what is wrong; 0 for nothing."""
    mistakes = (
        (said.get("msgtype") not in ("text", "msgmenu"), 40008),
        (not received.to, 40003),
        (not received.sender, 40058),
        (not _MSGID.fullmatch(text_in(said, "msgid")), 40058),
        (not received.body.strip(), 44004),
        (len(received.body.encode()) > LONGEST_BYTES, 45002),
    )
    return next((code for is_wrong, code in mistakes if is_wrong), 0)


def _refuse(received: Received, code: int) -> Outcome:
    words = _WORDS.get(code, "refused")
    return Outcome(_problem(code), replace(received, error=f"{code} {words}"))


def _problem(code: int) -> Response:
    """WeCom's refusals have status 200."""
    return json_response(200, {"errcode": code, "errmsg": _WORDS.get(code, "refused")})


def _is_same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode(), known.encode())
