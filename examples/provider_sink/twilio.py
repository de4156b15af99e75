"""Twilio's Messages resource: https://www.twilio.com/docs/messaging/api/message-resource

Error numbers: https://www.twilio.com/docs/api/errors
"""

import base64
import hmac
import re
from dataclasses import replace
from email.utils import format_datetime
from typing import Any

from examples.provider_sink.accounts import Accounts, TwilioAccount
from examples.provider_sink.exchange import MalformedBodyError, json_response, read_form
from examples.provider_sink.faults import Fault, Mode
from examples.provider_sink.received import Call, Outcome, Received
from examples.provider_sink.segments import count_segments

PATH = re.compile(r"/twilio/2010-04-01/Accounts/(?P<sid>[^/]+)/Messages\.json")
API_VERSION = "2010-04-01"
LONGEST_BODY = 1600

_ADDRESS = re.compile(r"(whatsapp:)?\+[1-9][0-9]{6,14}")
_MESSAGES = {
    20003: "Authenticate",
    20404: "The requested resource was not found",
    20429: "Too Many Requests",
    20500: "Internal Server Error",
    21211: "Invalid 'To' Phone Number",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21610: "Attempt to send to unsubscribed recipient",
    21614: "'To' number is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit.",
    21660: "Mismatch between the 'From' number and the account",
}
_STATUSES = {20003: 401, 20404: 404, 20429: 429, 20500: 500}


def answer(call: Call, accounts: Accounts) -> Outcome:
    received = Received(provider="twilio", at=call.at)
    account = accounts.twilio
    if account is None or not _knows(account, call.request.headers.get("Authorization", "")):
        return _refuse(received, 20003)
    if call.arguments["sid"] != account.sid:
        return _refuse(received, 20404)
    try:
        form = read_form(call.request.body)
    except MalformedBodyError:
        form = {}
    sender = form.get("From") or (account.number if form.get("MessagingServiceSid") else "")
    received = replace(
        received,
        to=(form["To"],) if form.get("To") else (),
        sender=sender,
        body=form.get("Body", ""),
        request=form,
        media=(form["MediaUrl"],) if form.get("MediaUrl") else (),
    )
    code = _failure(call.fault) or _mistake(form, sender, account) or _refusal(call.fault)
    if code:
        return _refuse(received, code, call.fault)
    return _accept(replace(received, provider_id=f"SM{call.unique}"), account)


def _knows(account: TwilioAccount, authorization: str) -> bool:
    expected = base64.b64encode(f"{account.sid}:{account.auth_token}".encode()).decode()
    return hmac.compare_digest(authorization.encode(), f"Basic {expected}".encode())


def _failure(fault: Fault | None) -> int | None:
    """Trouble on the provider's side, which comes before any look at the message."""
    return {Mode.THROTTLE: 20429, Mode.SERVER_ERROR: 20500}.get(fault.mode) if fault else None


def _refusal(fault: Fault | None) -> int | None:
    return (fault.code or 21610) if fault and fault.mode is Mode.REFUSE else None


def _mistake(form: dict[str, str], sender: str, account: TwilioAccount) -> int | None:
    body, to = form.get("Body", ""), form.get("To", "")
    mistakes = (
        (not to, 21604),
        (not _ADDRESS.fullmatch(to), 21211),
        (not sender, 21603),
        (sender.removeprefix("whatsapp:") != account.number, 21660),
        (not body and not form.get("MediaUrl"), 21602),
        (len(body) > LONGEST_BODY, 21617),
    )
    return next((code for wrong, code in mistakes if wrong), None)


def _refuse(received: Received, code: int, fault: Fault | None = None) -> Outcome:
    status = _STATUSES.get(code, 400)
    message = _MESSAGES.get(code, "The message was refused")
    error = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    headers = {"Retry-After": f"{fault.seconds:.0f}"} if fault and status == 429 else {}
    if status == 401:
        headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'}
    received = replace(received, error=f"{code} {message}")
    return Outcome(json_response(status, error, headers), received)


def _accept(received: Received, account: TwilioAccount) -> Outcome:
    path = f"/{API_VERSION}/Accounts/{account.sid}/Messages/{received.provider_id}"
    date = format_datetime(received.at)
    message: dict[str, Any] = {
        "account_sid": account.sid,
        "api_version": API_VERSION,
        "body": received.body,
        "date_created": date,
        "date_sent": None,
        "date_updated": date,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": received.sender,
        "messaging_service_sid": received.request.get("MessagingServiceSid"),
        "num_media": "1" if received.request.get("MediaUrl") else "0",
        "num_segments": str(count_segments(received.body)),
        "price": None,
        "price_unit": "USD",
        "sid": received.provider_id,
        "status": "queued",
        "subresource_uris": {"media": f"{path}/Media.json"},
        "to": received.to[0],
        "uri": f"{path}.json",
    }
    return Outcome(json_response(201, message), received)
