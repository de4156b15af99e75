"""Tencent Cloud SMS (腾讯云短信): replies in. Nothing out.

https://www.tencentcloud.com/document/product/382/43548
https://cloud.tencent.com/document/product/382/52077

Outgoing SMS need a template that was approved beforehand, so there is no answer in free words: no
build_send and no read_answer. Requests are not signed, and messages have no id.
"""

import re
from typing import Any

from caseweave.channels.credentials import Credentials
from caseweave.channels.identities import identify_phone
from caseweave.channels.json_reading import SECOND, bare_text_in, digest_json, read_time
from caseweave.channels.request import WebhookRequest, read_json
from caseweave.channels.token_in_query import verify_token
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import Channel, IgnoredEvent, InboundEvent, InboundMessage
from caseweave.errors import UnparseableError

PROVIDER = "tencent"
ACKNOWLEDGED = ("application/json", '{"result":0,"errmsg":"OK"}')
API_URL = "https://sms.tencentcloudapi.com"
_LONGEST_TEXT = 200
# What makes a message this message, for want of an id.
_IDENTITY = ("nationcode", "mobile", "time", "extend", "text")
_COUNTRY = re.compile(r"\+?([1-9][0-9]{0,3})", re.ASCII)
_NUMBER = re.compile(r"[0-9]{3,14}", re.ASCII)
_SHORTEST_SUBSCRIBER = 6


def verify(request: WebhookRequest, credentials: Credentials) -> None:
    """Compare `?token=` with the live `token`s. Raises InvalidSignatureError."""
    verify_token(PROVIDER, request, credentials)


def parse(request: WebhookRequest, credentials: Credentials) -> list[InboundEvent]:  # noqa: ARG001
    """The one message of a reply; the reports of a status callback. Raises UnparseableError."""
    pushed = read_json(request.body)
    if isinstance(pushed, list):
        # Status reports come as a list; replies may one day.
        return [_understand(item) for item in pushed]
    if not isinstance(pushed, dict):
        raise UnparseableError("neither a JSON object nor a list")
    return [_message(pushed)]


def _understand(item: Any) -> InboundEvent:
    """One item by itself: what is wrong with it costs no other."""
    digest = digest_json(item)
    if not isinstance(item, dict):
        return IgnoredEvent(PROVIDER, "", digest, "not understood: no object")
    if "report_status" in item:
        return IgnoredEvent(PROVIDER, "", digest, "a status report: we sent nothing")
    try:
        return _message(item)
    except UnparseableError as error:
        return IgnoredEvent(PROVIDER, "", digest, f"not understood: {error}")


def _message(reply: dict[str, Any]) -> InboundMessage:
    text = reply.get("text")
    if not isinstance(text, str):
        raise UnparseableError("no text")
    phone = Address(AddressKind.PHONE, _phone(reply))
    event_id = digest_json([bare_text_in(reply, name) for name in _IDENTITY])
    extension = bare_text_in(reply, "extend")[:_LONGEST_TEXT]
    context = {"extend": extension, "sign": bare_text_in(reply, "sign")[:_LONGEST_TEXT]}
    return InboundMessage(
        channel=Channel.SMS,
        provider=PROVIDER,
        account=extension,
        event_id=event_id,
        provider_id=event_id,
        sender=Sender(proven=(ProvenAddress(phone, Proof.PROVIDER),)),
        body=text,
        occurred_at=read_time(bare_text_in(reply, "time"), SECOND),
        context={name: value for name, value in context.items() if value},
    )


def _phone(reply: dict[str, Any]) -> str:
    """E.164; a short code has no country, and stays a row of digits."""
    country = _COUNTRY.fullmatch(bare_text_in(reply, "nationcode"))
    mobile = bare_text_in(reply, "mobile")
    if not country or not _NUMBER.fullmatch(mobile):
        raise UnparseableError("the sender is no phone number")
    return (
        identify_phone(f"+{country[1]}{mobile}") if len(mobile) >= _SHORTEST_SUBSCRIBER else mobile
    )
