"""QQ bot in webhook mode: events in, replies out.

https://bot.q.qq.com/wiki/develop/api-v2/dev-prepare/interface-framework/event-emit.html
https://bot.q.qq.com/wiki/develop/api-v2/server-inter/message/send-receive/send.html
https://bot.q.qq.com/wiki/develop/api-v2/dev-prepare/interface-framework/api-use.html
https://bot.q.qq.com/wiki/develop/api-v2/dev-prepare/error-trace/openapi.html

The `provider_ref` of an attachment is its URL, which needs no token and is good for a while.
"""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from caseweave.channels import qq_content
from caseweave.channels.credentials import Credentials
from caseweave.channels.json_reading import object_in, text_in
from caseweave.channels.qq_signature import is_event_signed, read_challenge, sign_challenge
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
    WebhookRequest,
    read_json_object,
    read_said,
)
from caseweave.domain.message import Contact, InboundEvent
from caseweave.errors import InvalidSignatureError

PROVIDER = qq_content.PROVIDER
# HTTP Callback ACK
ACKNOWLEDGED = ("application/json", '{"op":12}')
API_URL = "https://api.sgroup.qq.com"
TOKEN_URL = "https://bots.qq.com"
# QQ does not say how long a text may be. Files would have to be uploaded first.
_ABILITIES = Abilities(longest_body=2000)
# How far the signed time may be from ours. QQ does not say for how long it repeats, nor whether it
# signs anew; the signature covers the body, so an old one can only repeat what the ledger knows.
LONGEST_AGE = timedelta(hours=1)
_JSON = {"Content-Type": "application/json"}

_PATHS = {
    "users": "/v2/users/{}/messages",
    "groups": "/v2/groups/{}/messages",
    "channels": "/channels/{}/messages",
    "dms": "/dms/{}/messages",
}
_GUILD_SCENES = ("channels", "dms")
# Taken before under the same number, which is made from the outbox key.
_TAKEN_BEFORE = 40054005
_STALE_TOKEN = (11241, 11242, 11243, 11244)
_REFUSALS = {
    **dict.fromkeys(_STALE_TOKEN, Refusal.TRANSIENT),
    # The message that this answers is too old, was answered too often, or is not known any more;
    # and what may be said unasked is used up or not allowed.
    **dict.fromkeys((304027, 304103, 40034005, 40034128), Refusal.WINDOW_CLOSED),
    **dict.fromkeys(range(40034024, 40034028), Refusal.WINDOW_CLOSED),
    **dict.fromkeys(range(304045, 304051), Refusal.WINDOW_CLOSED),
    **dict.fromkeys((40034100, 40034102, 40034105), Refusal.WINDOW_CLOSED),
    304031: Refusal.OPTED_OUT,  # private talks are closed
    40054004: Refusal.OPTED_OUT,  # no friend any more
    40054013: Refusal.OPTED_OUT,
    **dict.fromkeys((20028, 22009, 1100100, 1100308), Refusal.THROTTLED),
}


def verify(request: WebhookRequest, credentials: Credentials) -> None:
    """Check `X-Signature-Ed25519` over the time and the body with every live `app_secret`.

    A challenge that QQ did not sign passes: it is answered and kept nowhere. Whether the time is
    near is for `is_fresh`. Raises InvalidSignatureError.
    """
    bot = request.headers.get("x-bot-appid", "")
    secrets = credentials.of_account(bot).live("app_secret")
    if bot and bot not in credentials.live("app_id"):
        raise InvalidSignatureError(PROVIDER)
    signature = request.headers.get("x-signature-ed25519", "")
    timestamp = _signed_time(request)
    if not signature and not timestamp and read_challenge(request):
        return
    if not is_event_signed(signature, timestamp, request.body, secrets):
        raise InvalidSignatureError(PROVIDER)


def is_fresh(request: WebhookRequest, now: datetime) -> bool:
    """Was a verified event signed at most LONGEST_AGE before *now*, and not after it by more?"""
    seconds = int(_signed_time(request))
    # Digits enough for milliseconds are too many for a time.
    return seconds < 2**33 and abs(now - datetime.fromtimestamp(seconds, UTC)) <= LONGEST_AGE


def _signed_time(request: WebhookRequest) -> str:
    return request.headers.get("x-signature-timestamp", "")


def answer_challenge(request: WebhookRequest, credentials: Credentials) -> str | None:
    """What to answer when the address is set up; None for everything else."""
    challenge = read_challenge(request)
    if challenge is None:
        return None
    bot = credentials.of_account(request.headers.get("x-bot-appid", ""))
    signature = sign_challenge(challenge, bot.current("app_secret"))
    return json.dumps({"plain_token": challenge.plain_token, "signature": signature})


def parse(request: WebhookRequest, credentials: Credentials) -> list[InboundEvent]:
    """The one event of a request. Raises UnparseableError."""
    bot = request.headers.get("x-bot-appid", "") or credentials.current("app_id")
    return [qq_content.read_event(read_json_object(request.body), bot)]


def abilities(contact: Contact) -> Abilities:  # noqa: ARG001
    return _ABILITIES


def build_send(outgoing: Outgoing, base_url: str, credentials: Credentials) -> ProviderRequest:
    """The request that sends *outgoing* as a reply to the customer's last message; others QQ hardly
    takes. Files would have to be uploaded first, and buttons allowed: both are sent as text.
    """
    context = outgoing.contact.context
    scene = context.get("scene", "users")
    # Bots, people and groups have ids without dots.
    target = context.get("target") or outgoing.contact.address.value.rpartition(".")[2]
    said: dict[str, Any] = {"content": _write(outgoing)}
    said |= {name[1]: context[name[0]] for name in _ANSWERED if context.get(name[0])}
    if scene not in _GUILD_SCENES:
        said |= {"msg_type": 0, "msg_seq": _number(outgoing.key)}
    elif outgoing.reply_to:
        quoted = {"message_id": outgoing.reply_to, "ignore_get_message_error": True}
        said["message_reference"] = quoted
    path = _PATHS.get(scene, _PATHS["users"]).format(quote(target, safe=""))
    return ProviderRequest(
        url=f"{base_url}{path}",
        headers={"Authorization": f"QQBot {credentials.current('access_token')}", **_JSON},
        body=json.dumps(said).encode(),
    )


_ANSWERED = (("message_id", "msg_id"), ("event_id", "event_id"))


def _write(outgoing: Outgoing) -> str:
    media = outgoing.media
    text = f"{media.name}\n{media.url}" if media else outgoing.body
    choices = [f"{number}. {words}" for number, words in enumerate(outgoing.quick_replies, 1)]
    return "\n".join([text, *choices])


def _number(key: str) -> int:
    """Another one for each answer, and the same however often one is tried: QQ takes it once."""
    return int.from_bytes(sha256(key.encode()).digest()[:4]) % 0x7FFFFFFF + 1


def read_answer(answer: ProviderAnswer) -> SendResult:
    """What QQ said. 202: it waits for an audit, whose id is the message's until then."""
    said = read_said(answer)
    code = _code(said)
    if answer.status in (200, 201, 202):
        audit = object_in(said.get("data"), "message_audit")
        sent = text_in(said, "id") or text_in(audit, "audit_id")
        return Sent(sent[:200]) if sent else Refused(Refusal.UNKNOWN, _describe(answer, said))
    if code == _TAKEN_BEFORE:
        return Sent("")
    kind = _REFUSALS.get(code) if answer.status < 600 else None
    if answer.status == 401:
        kind = Refusal.TRANSIENT
    elif answer.status == 429:
        kind = Refusal.THROTTLED
    elif kind is None:
        kind = Refusal.PERMANENT if 400 <= answer.status < 500 else Refusal.UNKNOWN
    is_stale = answer.status == 401 or code in _STALE_TOKEN
    return Refused(kind, _describe(answer, said), is_token_stale=is_stale)


def build_token_request(base_url: str, credentials: Credentials) -> ProviderRequest:
    """Tokens are at another host than messages; a *base_url* that is not QQ's own has both."""
    app = {
        "appId": credentials.current("app_id"),
        "clientSecret": credentials.current("app_secret"),
    }
    host = TOKEN_URL if base_url == API_URL else base_url
    return ProviderRequest(f"{host}/app/getAppAccessToken", _JSON, json.dumps(app).encode())


def read_token(answer: ProviderAnswer) -> AccessToken | Refused:
    """The token and its lifetime. Nothing was sent yet: whatever is unclear can be tried again."""
    said = read_said(answer)
    value, seconds = text_in(said, "access_token"), text_in(said, "expires_in")
    is_count = seconds.isascii() and seconds.isdecimal() and len(seconds) <= 6
    if value and is_count and int(seconds):
        return AccessToken(value, timedelta(seconds=int(seconds)))
    is_refused = answer.status < 500 and answer.status != 429 and _code(said)
    kind = Refusal.PERMANENT if is_refused else Refusal.TRANSIENT
    return Refused(kind, f"no access token: {_describe(answer, said)}")


def _code(said: dict[str, Any]) -> int:
    """The more precise of the two, or 0."""
    found = [said.get(name) for name in ("err_code", "code")]
    return next((code for code in found if type(code) is int and code), 0)


def _describe(answer: ProviderAnswer, said: dict[str, Any]) -> str:
    """`400 40034005 the message has expired`"""
    told = (str(answer.status), str(_code(said) or ""), text_in(said, "message"))
    return " ".join(filter(None, told))[:500]
