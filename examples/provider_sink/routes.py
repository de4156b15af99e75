"""Which path leads where: the providers' own paths, and the sink's under /_sink/."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from urllib.parse import unquote

from examples.provider_sink import (
    aws_sms,
    callbacks,
    connect,
    line,
    media,
    meta,
    page,
    qq,
    ses,
    setting_up,
    telegram,
    twilio,
    vonage,
    wechat,
    wecom,
    whatsapp,
)
from examples.provider_sink.accounts import Accounts, Secrets
from examples.provider_sink.exchange import (
    MalformedBodyError,
    Request,
    Response,
    json_response,
    read_object,
    read_query,
)
from examples.provider_sink.faults import Fault, Faults, InvalidFaultError, Mode
from examples.provider_sink.kf_log import KfLog
from examples.provider_sink.received import Call, Inbox, Outcome
from examples.provider_sink.retry_keys import RetryKeys

PROVIDERS = {
    "twilio": twilio,
    "telegram": telegram,
    "ses": ses,
    "aws": aws_sms,
    "line": line,
    "whatsapp": whatsapp,
    "meta": meta,
    "vonage": vonage,
    "wechat": wechat,
    "qq": qq,
    "wecom": wecom,
}
# The others are only posted to.
_METHODS = {"wecom": ("GET", "POST")}


def _serials() -> "count[int]":
    # From the clock, so that a restarted sink gives no message id a second time.
    return count(int(time.time()))


@dataclass(frozen=True, slots=True)
class Sink:
    secrets: Secrets
    calls_back: bool
    inbox: Inbox = field(default_factory=Inbox)
    faults: Faults = field(default_factory=Faults)
    retry_keys: RetryKeys = field(default_factory=RetryKeys)
    files: media.Files = field(default_factory=media.Files)
    kf_log: KfLog = field(default_factory=KfLog)
    serials: "count[int]" = field(default_factory=_serials)


def answer(sink: Sink, request: Request) -> Response | None:
    """Answer the request; None means: close the connection without an answer."""
    own = _OWN_ROUTES.get((request.method, request.path))
    if own:
        try:
            return own(sink, request)
        except (MalformedBodyError, InvalidFaultError) as error:
            return json_response(400, {"error": str(error)})
    told = _tell(sink, request, sink.secrets.accounts())
    if told:
        return told
    for name, provider in PROVIDERS.items():
        match = provider.PATH.fullmatch(request.path)
        if match and request.method in _METHODS.get(name, ("POST",)):
            arguments = {key: unquote(value) for key, value in match.groupdict(default="").items()}
            return _answer_as(name, provider.answer, sink, request, arguments)
    return json_response(404, {"error": f"nothing answers {request.method} {request.path}"})


def _tell(sink: Sink, request: Request, accounts: Accounts) -> Response | None:
    """What providers tell and hand out, apart from sending."""
    if request.method == "GET" and aws_sms.PATH.match(request.path):
        return aws_sms.publish(request, accounts)
    if request.method == "GET" and connect.PATH.fullmatch(request.path):
        return connect.describe(request)
    return setting_up.answer(request, accounts) or media.answer(sink.files, request, accounts)


def _answer_as(
    name: str,
    provider: Callable[[Call, Accounts], Outcome],
    sink: Sink,
    request: Request,
    arguments: dict[str, str],
) -> Response | None:
    fault = sink.faults.take(name)
    mode = fault.mode if fault else None
    if mode is Mode.HANG_UP_BEFORE:
        return None
    if fault and mode is Mode.SLOW:
        time.sleep(fault.seconds)
    accounts = sink.secrets.accounts()
    fresh = (datetime.now(UTC), next(sink.serials), uuid.uuid4().hex)
    call = Call(request, arguments, fault, *fresh, sink.retry_keys, sink.kf_log)
    outcome = provider(call, accounts)
    received = sink.inbox.add(outcome.received) if outcome.received else None
    if received and name == "twilio" and accounts.twilio and sink.calls_back:
        callbacks.report_delivery(received, accounts.twilio)
    return None if mode is Mode.HANG_UP_AFTER else outcome.response


def _list_messages(sink: Sink, request: Request) -> Response:
    query = read_query(request.query)
    after = query.get("after", "0")
    if not after.isdecimal():
        raise MalformedBodyError("after must be the number n of a message")
    messages = sink.inbox.select(
        provider=query.get("provider", ""), to=query.get("to", ""), after=int(after)
    )
    return json_response(200, [message.to_json() for message in messages])


def _empty_messages(sink: Sink, request: Request) -> Response:
    sink.inbox.clear()
    return json_response(200, {"ok": True})


def _add_fault(sink: Sink, request: Request) -> Response:
    sink.faults.add(Fault.from_json(read_object(request.body)))
    return json_response(201, {"ok": True})


def _clear_faults(sink: Sink, request: Request) -> Response:
    sink.faults.clear()
    return json_response(200, {"ok": True})


def _add_file(sink: Sink, request: Request) -> Response:
    sink.files.add(read_object(request.body))
    return json_response(201, {"ok": True})


def _add_kf_messages(sink: Sink, request: Request) -> Response:
    said = read_object(request.body)
    name, messages = said.get("open_kfid"), said.get("messages")
    is_list = isinstance(messages, list) and all(isinstance(one, dict) for one in messages)
    if not isinstance(name, str) or not name or not isinstance(messages, list) or not is_list:
        raise MalformedBodyError("say open_kfid, and messages, a list of objects")
    return json_response(201, {"ok": True, "messages": sink.kf_log.add(name, messages)})


def _show_page(sink: Sink, request: Request) -> Response:
    language = page.choose_language(
        read_query(request.query).get("lang", ""), request.headers.get("Accept-Language", "")
    )
    return page.render(sink.inbox.select(), language)


def _show_health(sink: Sink, request: Request) -> Response:
    return json_response(200, {"ok": True})


_OWN_ROUTES: dict[tuple[str, str], Callable[[Sink, Request], Response]] = {
    ("GET", "/"): _show_page,
    ("GET", "/health"): _show_health,
    ("GET", "/_sink/messages"): _list_messages,
    ("DELETE", "/_sink/messages"): _empty_messages,
    ("POST", "/_sink/files"): _add_file,
    ("POST", "/_sink/kf"): _add_kf_messages,
    ("POST", "/_sink/faults"): _add_fault,
    ("DELETE", "/_sink/faults"): _clear_faults,
}
