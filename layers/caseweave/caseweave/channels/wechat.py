"""WeChat Official Account (公众号): messages in, customer-service messages out.

https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Access_Overview.html
https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html
https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Message_encryption_and_decryption_instructions.html
https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Service_Center_messages.html
https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/getStableAccessToken.html

The `provider_ref` of an attachment is a MediaId: `GET /cgi-bin/media/get?access_token=&media_id=`
for three days. What cannot be had is told as JSON with status 200.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from caseweave.channels import wechat_content
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
    WebhookRequest,
    read_said,
)
from caseweave.channels.wechat_crypto import is_signed, open_sealed
from caseweave.channels.wechat_xml import read_xml
from caseweave.domain.message import Contact, InboundEvent
from caseweave.domain.splitting import Unit
from caseweave.errors import InvalidSignatureError, MissingSecretError, UnparseableError

PROVIDER = wechat_content.PROVIDER
ACKNOWLEDGED = ("text/plain", "success")
API_URL = "https://api.weixin.qq.com"
# Files would have to be uploaded first.
_ABILITIES = Abilities(longest_body=2048, unit=Unit.BYTES, most_choices=10, longest_choice=50)
_JSON = {"Content-Type": "application/json"}

# https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Global_Return_Code.html
_STALE_TOKEN = (40001, 40014, 41001, 42001)
_REFUSALS = {
    **dict.fromkeys(_STALE_TOKEN, Refusal.TRANSIENT),
    -1: Refusal.TRANSIENT,  # "system busy"
    45009: Refusal.THROTTLED,
    45011: Refusal.THROTTLED,
    45015: Refusal.WINDOW_CLOSED,  # 48 hours are over
    45047: Refusal.WINDOW_CLOSED,  # as many as they take until the customer writes again
    43004: Refusal.OPTED_OUT,  # follows us no more
    48002: Refusal.OPTED_OUT,  # follows us, and takes no messages
    50005: Refusal.OPTED_OUT,
}


def verify(request: WebhookRequest, credentials: Credentials) -> None:
    """Check `msg_signature`, which covers a sealed body; a plain one only where we have no key.

    The `signature` of the plain mode covers no body: whoever saw one address could send anything.
    Raises InvalidSignatureError, also for what is sealed for somebody else's account.
    """
    envelope = _read_envelope(request.body)
    own = credentials.of_account(envelope.get("ToUserName", "").strip())
    tokens, keys, query = own.live("token"), _keys(own), _first_values(request)
    signed = (query.get("timestamp", ""), query.get("nonce", ""))
    sealed = envelope.get("Encrypt", "")
    if sealed.strip():
        is_genuine = is_signed(query.get("msg_signature", ""), tokens, *signed, sealed)
        is_genuine = is_genuine and _is_for_us(sealed, own, keys)
    else:
        is_genuine = is_signed(query.get("signature", ""), tokens, *signed) and not keys
    if not is_genuine:
        raise InvalidSignatureError(PROVIDER)


def greet(request: WebhookRequest, credentials: Credentials) -> str:
    """What to answer when the address is set up. Raises InvalidSignatureError."""
    query = _first_values(request)
    signed = (query.get("timestamp", ""), query.get("nonce", ""))
    if not is_signed(query.get("signature", ""), credentials.live("token"), *signed):
        raise InvalidSignatureError(PROVIDER)
    return query.get("echostr", "")


def _read_envelope(body: bytes) -> Mapping[str, str]:
    """Nothing for what is no XML: that is for people to see, if it is signed."""
    try:
        return read_xml(body)
    except UnparseableError:
        return {}


def _first_values(request: WebhookRequest) -> dict[str, str]:
    return dict(reversed(request.query))


def _keys(credentials: Credentials) -> list[str]:
    try:
        return credentials.live("encoding_aes_key")
    except MissingSecretError:
        return []


def _is_for_us(sealed: str, own: Credentials, keys: list[str]) -> bool:
    """What no key of ours opens may be: it is kept until we have the right one."""
    try:
        opened = open_sealed(sealed, keys)
    except UnparseableError:
        return True
    return opened.receive_id in own.live("app_id")


def parse(request: WebhookRequest, credentials: Credentials) -> list[InboundEvent]:
    """The one message or event of a request. Raises UnparseableError."""
    return [wechat_content.understand(_read_message(request.body, credentials))]


def _read_message(body: bytes, credentials: Credentials) -> Mapping[str, str]:
    """What is sealed counts, whatever stands beside it (the compatible mode sends both)."""
    envelope = read_xml(body)
    sealed = envelope.get("Encrypt", "")
    if not sealed.strip():
        return envelope
    own = credentials.of_account(envelope.get("ToUserName", "").strip())
    opened = open_sealed(sealed, _keys(own))
    message = read_xml(opened.message)
    # Else who has the keys of one account could speak for the followers of another.
    named = credentials.of_account(message.get("ToUserName", "").strip())
    if opened.receive_id not in named.live("app_id"):
        raise UnparseableError("sealed for another account than the one it names")
    return message


def abilities(contact: Contact) -> Abilities:  # noqa: ARG001
    return _ABILITIES


def build_send(outgoing: Outgoing, base_url: str, credentials: Credentials) -> ProviderRequest:
    """The request that sends *outgoing*. Pictures would have to be uploaded first: a file is sent
    as the address from which it can be fetched.
    """
    # Accounts and followers have ids without dots.
    openid = outgoing.contact.address.value.rpartition(".")[2]
    said = {"touser": outgoing.contact.context.get("openid", openid), **_content(outgoing)}
    token = quote(credentials.current("access_token"), safe="")
    return ProviderRequest(
        url=f"{base_url}/cgi-bin/message/custom/send?access_token={token}",
        headers=_JSON,
        # WeChat shows escapes as they are written.
        body=json.dumps(said, ensure_ascii=False).encode("utf-8", "replace"),
    )


def _content(outgoing: Outgoing) -> dict[str, Any]:
    media = outgoing.media
    text = f"{media.name}\n{media.url}" if media else outgoing.body
    if not outgoing.quick_replies:
        return {"msgtype": "text", "text": {"content": text}}
    # What is tapped comes back as a text message.
    choices = [
        {"id": str(number), "content": words}
        for number, words in enumerate(outgoing.quick_replies, 1)
    ]
    return {"msgtype": "msgmenu", "msgmenu": {"head_content": text, "list": choices}}


def read_answer(answer: ProviderAnswer) -> SendResult:
    """What WeChat said, always with status 200. It names no message, so that `Sent` has no id."""
    said = read_said(answer)
    code = _code(said)
    if code is None or answer.status != 200:
        return Refused(Refusal.UNKNOWN, f"{answer.status} {_describe(said)}".strip())
    if code == 0:
        return Sent("")
    kind = _REFUSALS.get(code, Refusal.PERMANENT)
    return Refused(kind, _describe(said), is_token_stale=code in _STALE_TOKEN)


def build_token_request(base_url: str, credentials: Credentials) -> ProviderRequest:
    """Ask for a token. The stable one leaves that of other programs of the account as it is; the
    setting `token_api` = "token" asks for the older kind, of which there is one at a time.
    """
    app = {"appid": credentials.current("app_id"), "secret": credentials.current("app_secret")}
    asked = {"grant_type": "client_credential", **app}
    if credentials.values.get("token_api") == "token":
        return ProviderRequest(f"{base_url}/cgi-bin/token?{urlencode(asked)}", {}, method="GET")
    body = json.dumps(asked).encode()
    return ProviderRequest(f"{base_url}/cgi-bin/stable_token", _JSON, body)


def read_token(answer: ProviderAnswer) -> AccessToken | Refused:
    """The token and its lifetime. Nothing was sent yet: whatever is unclear can be tried again."""
    said = read_said(answer)
    value, seconds = said.get("access_token"), said.get("expires_in")
    if isinstance(value, str) and value and isinstance(seconds, int) and 0 < seconds < 10**6:
        return AccessToken(value, timedelta(seconds=seconds))
    detail = f"no access token: {_describe(said) or answer.status}"
    code = _code(said)
    if answer.status != 200 or not code:
        return Refused(Refusal.TRANSIENT, detail)
    return Refused(_REFUSALS.get(code, Refusal.PERMANENT), detail)


def _code(said: dict[str, Any]) -> int | None:
    code = said.get("errcode")
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _describe(said: dict[str, Any]) -> str:
    """`45015 response out of time limit`"""
    told = [str(said.get(name, "")) for name in ("errcode", "errmsg")]
    return " ".join(filter(None, told))[:500]
