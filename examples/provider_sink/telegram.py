"""Telegram's sendMessage, and what sends files: https://core.telegram.org/bots/api#sendmessage"""

import hmac
import re
from dataclasses import replace
from typing import Any

from examples.provider_sink.accounts import Accounts, TelegramBot
from examples.provider_sink.exchange import (
    MalformedBodyError,
    Request,
    json_response,
    read_form,
    read_object,
    text_in,
    texts_in,
    value_in,
)
from examples.provider_sink.faults import Fault, Mode
from examples.provider_sink.received import Call, Outcome, Received

PATH = re.compile(
    r"/telegram/bot(?P<token>[^/]+)/send(?P<method>Message|Photo|Document|Audio|Video)"
)
LONGEST_TEXT = 4096

_CHAT_ID = re.compile(r"-?[0-9]{1,19}")
_REFUSALS = {
    400: "Bad Request: chat not found",
    401: "Unauthorized",
    403: "Forbidden: bot was blocked by the user",
}


def answer(call: Call, accounts: Accounts) -> Outcome:
    received = Received(provider="telegram", at=call.at)
    bot = accounts.telegram
    if bot is None or not hmac.compare_digest(call.arguments["token"].encode(), bot.token.encode()):
        return _refuse(received, 401, _REFUSALS[401])
    received = replace(received, sender=f"@{bot.username}")
    try:
        fields = _read(call.request)
    except MalformedBodyError:
        return _refuse(received, 400, "Bad Request: can't parse JSON object")
    chat, text = str(fields.get("chat_id") or ""), str(fields.get("text") or "")
    method = call.arguments["method"]
    file = "" if method == "Message" else text_in(fields, method.lower())
    keys = value_in(fields, "reply_markup", "keyboard")
    rows = keys if isinstance(keys, list) else []
    received = replace(
        received,
        to=(chat,) if chat else (),
        body=text,
        request=fields,
        media=(file,) if file else (),
        quick_replies=tuple(key for row in rows for key in texts_in(row, "text")),
        reply_to=text_in(fields, "reply_parameters", "message_id"),
    )
    if call.fault and call.fault.mode in (Mode.THROTTLE, Mode.SERVER_ERROR):
        return _fail(received, call.fault)
    mistake = _mistake(chat, text, None if method == "Message" else file)
    if mistake:
        return _refuse(received, 400, mistake)
    if call.fault and call.fault.mode is Mode.REFUSE:
        code = call.fault.code or 403
        return _refuse(received, code, _REFUSALS.get(code, "Bad Request: message was refused"))
    return _accept(replace(received, provider_id=str(call.serial)), bot, call.serial)


def _read(request: Request) -> dict[str, Any]:
    if request.headers.get_content_type() == "application/json":
        return read_object(request.body)
    return dict(read_form(request.body))


def _mistake(chat: str, text: str, file: str | None) -> str | None:
    if not chat:
        return "Bad Request: chat_id is empty"
    if file is not None:
        # Telegram fetches a file by itself.
        is_address = file.startswith(("http://", "https://"))
        return None if is_address else "Bad Request: invalid file HTTP URL specified"
    if not text.strip():
        return "Bad Request: message text is empty"
    # Telegram counts UTF-16 units: https://core.telegram.org/api/entities#entity-length
    if len(text.encode("utf-16-le")) // 2 > LONGEST_TEXT:
        return "Bad Request: message is too long"
    return None


def _fail(received: Received, fault: Fault) -> Outcome:
    if fault.mode is Mode.SERVER_ERROR:
        return _refuse(received, 500, "Internal Server Error")
    seconds = max(1, round(fault.seconds))
    description = f"Too Many Requests: retry after {seconds}"
    return _refuse(received, 429, description, {"parameters": {"retry_after": seconds}})


def _refuse(
    received: Received, code: int, description: str, more: dict[str, Any] | None = None
) -> Outcome:
    error = {"ok": False, "error_code": code, "description": description, **(more or {})}
    return Outcome(json_response(code, error), replace(received, error=description))


def _accept(received: Received, bot: TelegramBot, message_id: int) -> Outcome:
    chat = received.to[0]
    is_number = _CHAT_ID.fullmatch(chat)
    result = {
        "message_id": message_id,
        "from": {
            "id": bot.bot_id,
            "is_bot": True,
            "first_name": bot.username,
            "username": bot.username,
        },
        # Negative numbers are groups, names are public channels.
        "chat": {"id": int(chat), "type": "group" if chat.startswith("-") else "private"}
        if is_number
        else {"username": chat.removeprefix("@"), "type": "channel"},
        "date": int(received.at.timestamp()),
        **({"text": received.body} if received.body else {}),
    }
    return Outcome(json_response(200, {"ok": True, "result": result}), received)
