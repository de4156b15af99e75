"""How an account is set up, as the providers tell their owners; here all of it is right.

https://core.telegram.org/bots/api#getwebhookinfo
https://developers.line.biz/en/reference/messaging-api/#get-webhook-endpoint-information
https://developers.facebook.com/docs/graph-api/reference/page/subscribed_apps
https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
https://developer.vonage.com/en/api/numbers#getOwnedNumbers
"""

import base64
import hmac
import re
from collections.abc import Callable, Mapping
from typing import Any

from examples.provider_sink import graph
from examples.provider_sink.accounts import Accounts
from examples.provider_sink.exchange import (
    Request,
    Response,
    is_authorized,
    json_response,
    read_query,
)

_BOT_USER = "U00000000000000000000000000000001"
_PAGE = {"id": "page-1", "name": "Local page"}
_PAGE_FIELDS = ["messages", "messaging_postbacks", "message_deliveries", "message_reactions"]
_UPDATES = ["message", "edited_message", "callback_query", "message_reaction"]


def answer(request: Request, accounts: Accounts) -> Response | None:
    """None for a request about anything else."""
    for path, tell in _ROUTES:
        match = path.fullmatch(request.path)
        if match and request.method == "GET":
            return tell(request, accounts, match.groupdict())
    return None


def _tell_bot(request: Request, accounts: Accounts, named: Mapping[str, str]) -> Response:
    bot = accounts.telegram
    if bot is None or not hmac.compare_digest(named["token"].encode(), bot.token.encode()):
        return json_response(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
    told: dict[str, Any] = {"id": bot.bot_id, "is_bot": True, "username": bot.username}
    if named["method"] == "WebhookInfo":
        told = {
            "url": f"{accounts.api_url}/intake/messenger/telegram",
            "has_custom_certificate": False,
            "pending_update_count": 0,
            "allowed_updates": _UPDATES,
        }
    return json_response(200, {"ok": True, "result": told})


def _tell_line(request: Request, accounts: Accounts, named: Mapping[str, str]) -> Response:
    if not is_authorized(request, "Bearer", accounts.tokens.get("line")):
        return json_response(401, {"message": "Authentication failed"})
    if named["what"] == "info":
        return json_response(
            200, {"userId": _BOT_USER, "displayName": "Local account", "chatMode": "bot"}
        )
    endpoint = f"{accounts.api_url}/intake/messenger/line"
    return json_response(200, {"endpoint": endpoint, "active": True})


def _tell_page(request: Request, accounts: Accounts, named: Mapping[str, str]) -> Response:
    refused = _refuse_graph(request, accounts, "meta")
    if refused:
        return refused
    apps = {"data": [{"id": "app-1", "name": "Local app", "subscribed_fields": _PAGE_FIELDS}]}
    return json_response(200, apps if named["apps"] else _PAGE)


def _tell_number(request: Request, accounts: Accounts, named: Mapping[str, str]) -> Response:
    refused = _refuse_graph(request, accounts, "whatsapp")
    if refused:
        return refused
    url = f"{accounts.api_url}/intake/messenger/whatsapp"
    number = {
        "id": named["id"],
        "display_phone_number": "+1 555 0001",
        "verified_name": "Local desk",
        "quality_rating": "GREEN",
        "webhook_configuration": {"application": url},
    }
    return json_response(200, number)


def _refuse_graph(request: Request, accounts: Accounts, provider: str) -> Response | None:
    """The token has to be ours, and its proof made with the app's secret."""
    token = accounts.tokens.get(provider)
    if token is None or not is_authorized(request, "Bearer", token):
        return graph.tell(graph.UNAUTHORIZED)
    proof = hmac.digest(accounts.app_secrets[provider].encode(), token.encode(), "sha256").hex()
    if read_query(request.query).get("appsecret_proof") != proof:
        message = "Invalid appsecret_proof provided in the API argument"
        return graph.tell(graph.GraphError(400, 100, message))
    return None


def _tell_twilio_numbers(
    request: Request, accounts: Accounts, named: Mapping[str, str]
) -> Response:
    account = accounts.twilio
    if account is None or not _is_signed_in(request, account.sid, account.auth_token):
        return json_response(401, {"code": 20003, "message": "Authenticate", "status": 401})
    number = {
        "phone_number": account.number,
        "sms_url": f"{accounts.api_url}/intake/sms/twilio",
        "sms_method": "POST",
        "voice_url": f"{accounts.api_url}/intake/voice/twilio",
        "voice_method": "POST",
        "capabilities": {"sms": True, "mms": True, "voice": True},
    }
    is_asked = read_query(request.query).get("PhoneNumber", account.number) == account.number
    return json_response(200, {"incoming_phone_numbers": [number] if is_asked else []})


def _tell_vonage_numbers(
    request: Request, accounts: Accounts, named: Mapping[str, str]
) -> Response:
    account = accounts.vonage
    if account is None or not _is_signed_in(request, account.api_key, account.api_secret):
        return json_response(
            401, {"error-code": "401", "error-code-label": "authentication failed"}
        )
    number = {
        "country": "US",
        "msisdn": read_query(request.query).get("pattern", ""),
        "moHttpUrl": f"{accounts.api_url}/intake/sms/vonage",
        "type": "mobile-lvn",
        "features": ["SMS"],
    }
    return json_response(200, {"count": 1, "numbers": [number]})


def _is_signed_in(request: Request, user: str, password: str) -> bool:
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    return is_authorized(request, "Basic", basic)


_Tell = Callable[[Request, Accounts, Mapping[str, str]], Response]
_ROUTES: tuple[tuple[re.Pattern[str], _Tell], ...] = (
    (re.compile(r"/telegram/bot(?P<token>[^/]+)/get(?P<method>Me|WebhookInfo)"), _tell_bot),
    (re.compile(r"/line/v2/bot/(?P<what>info|channel/webhook/endpoint)"), _tell_line),
    (re.compile(r"/meta/me(?P<apps>/subscribed_apps)?"), _tell_page),
    # Its files have numbers too, and are asked for by media.py without a proof.
    (re.compile(r"/whatsapp/(?P<id>106540352242922)"), _tell_number),
    (
        re.compile(r"/twilio/2010-04-01/Accounts/[^/]+/IncomingPhoneNumbers\.json"),
        _tell_twilio_numbers,
    ),
    (re.compile(r"/vonage/account/numbers"), _tell_vonage_numbers),
)
