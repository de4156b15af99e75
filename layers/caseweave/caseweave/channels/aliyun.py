"""Alibaba Cloud SMS (阿里云短信服务): uplink messages (SmsUp) in. Nothing out.

https://help.aliyun.com/zh/sms/developer-reference/smsup-http
https://help.aliyun.com/zh/sms/developer-reference/configure-delivery-receipts-1

Outgoing SMS need a template that was approved beforehand (SendSms), so there is no answer in free
words: no build_send and no read_answer. Requests are not signed.
"""

import re
from datetime import timedelta, timezone
from typing import Any

from caseweave.channels.credentials import Credentials
from caseweave.channels.identities import identify_phone
from caseweave.channels.json_reading import bare_text_in, digest_json, read_iso_time
from caseweave.channels.request import WebhookRequest, read_json
from caseweave.channels.token_in_query import verify_token
from caseweave.domain.identity import (
    Address,
    AddressKind,
    Proof,
    ProvenAddress,
    Sender,
)
from caseweave.domain.message import Channel, IgnoredEvent, InboundEvent, InboundMessage
from caseweave.errors import UnparseableError

PROVIDER = "aliyun"
# Only that `code` is a number counts; anything else is sent again after 1, 5 and 10 minutes.
ACKNOWLEDGED = ("application/json", '{"code":0,"msg":"接收成功"}')
API_URL = "https://dysmsapi.aliyuncs.com"
_LONGEST_TEXT = 200
# The clock on the wall in China, Asia/Shanghai, which has had no other offset since 1991.
_SHANGHAI = timezone(timedelta(hours=8))
_NUMBER = re.compile(r"\+?[0-9]{3,20}", re.ASCII)
_MOBILE = re.compile(r"(?:0086|86)?(1[3-9][0-9]{9})", re.ASCII)


def verify(request: WebhookRequest, credentials: Credentials) -> None:
    """Compare `?token=` with the live `token`s. Raises InvalidSignatureError."""
    verify_token(PROVIDER, request, credentials)


def parse(request: WebhookRequest, credentials: Credentials) -> list[InboundEvent]:  # noqa: ARG001
    """Every message of a push. Raises UnparseableError."""
    pushed = read_json(request.body)
    if not isinstance(pushed, list):
        raise UnparseableError("not a JSON list")
    return [_understand(item) for item in pushed]


def _understand(item: Any) -> InboundEvent:
    """One item by itself: what is wrong with it costs no other."""
    digest = digest_json(item)
    if not isinstance(item, dict):
        return IgnoredEvent(PROVIDER, "", digest, "not understood: no object")
    extension = bare_text_in(item, "dest_code")[:_LONGEST_TEXT]
    if "report_time" in item or "biz_id" in item:
        return IgnoredEvent(PROVIDER, extension, digest, "a delivery report: we sent nothing")
    try:
        return _message(item, extension, digest)
    except UnparseableError as error:
        return IgnoredEvent(PROVIDER, extension, digest, f"not understood: {error}")


def _message(item: dict[str, Any], extension: str, digest: str) -> InboundMessage:
    content = item.get("content")
    if not isinstance(content, str):
        raise UnparseableError("no content")
    phone = Address(AddressKind.PHONE, read_chinese_phone(bare_text_in(item, "phone_number")))
    # A number in the older documents, a text in the present one. The id counts for one extension.
    sequence_id = bare_text_in(item, "sequence_id")[:_LONGEST_TEXT] or digest
    context = {"dest_code": extension, "sign_name": bare_text_in(item, "sign_name")[:_LONGEST_TEXT]}
    return InboundMessage(
        channel=Channel.SMS,
        provider=PROVIDER,
        account=extension,
        event_id=sequence_id,
        provider_id=sequence_id,
        sender=Sender(proven=(ProvenAddress(phone, Proof.PROVIDER),)),
        body=content,
        occurred_at=read_iso_time(bare_text_in(item, "send_time"), _SHANGHAI),
        context={name: value for name, value in context.items() if value},
    )


def read_chinese_phone(number: str) -> str:
    """E.164 of a number as a Chinese carrier tells it: a mobile one there lacks its +86.

    Short codes stay a row of digits. Raises UnparseableError.
    """
    if not _NUMBER.fullmatch(number):
        raise UnparseableError("the sender is no phone number")
    mobile = _MOBILE.fullmatch(number)
    number = f"+{number[2:]}" if number.startswith("00") else number
    return identify_phone(f"+86{mobile[1]}" if mobile else number)
