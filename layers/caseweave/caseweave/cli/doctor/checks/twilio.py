"""https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from caseweave.channels.json_reading import object_in, objects_in, text_in
from caseweave.channels.request import ProviderAnswer, ProviderRequest
from caseweave.channels.twilio_sending import API_URL
from caseweave.cli.doctor.checks.account import Account, read_object
from caseweave.cli.doctor.finding import Finding, compare_address, ok, problem, warning

__all__ = ["API_URL", "build_questions", "read_answers"]


def build_questions(account: Account) -> dict[str, ProviderRequest]:
    sid, token = (account.credentials.current(one) for one in ("account_sid", "auth_token"))
    basic = b64encode(f"{sid}:{token}".encode()).decode()
    query = urlencode({"PhoneNumber": account.credentials.current("from")})
    url = f"{account.base_url}/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers.json?{query}"
    return {"numbers": ProviderRequest(url, {"Authorization": f"Basic {basic}"}, method="GET")}


def read_answers(account: Account, answers: Mapping[str, ProviderAnswer]) -> Iterator[Finding]:
    answer, number = answers["numbers"], account.text("from")
    said = read_object(answer)
    if answer.status != 200:
        told = f"{text_in(said, 'code') or answer.status} {text_in(said, 'message')}".strip()
        yield problem(
            f"Twilio refuses account_sid and auth_token ({told}): copy both from the console, of "
            "the account that owns the number",
            f"Twilio 拒绝 account_sid 与 auth_token（{told}）：请从拥有该号码的账号控制台复制",
        )
        return
    found = [
        one
        for one in objects_in(said, "incoming_phone_numbers")
        if text_in(one, "phone_number") == number
    ]
    if not found:
        yield warning(
            f"the account owns no number {number}: right only for a short code, an alphanumeric "
            "sender or a WhatsApp sender, whose webhook is to be looked up in the console",
            f"该账号没有号码 {number}：仅当它是短号码、字母发件人或 WhatsApp 发件人时正确，"
            "其 webhook 请在控制台核对",
        )
        return
    yield ok(f"the account owns {number}", f"该账号拥有 {number}")
    yield from _read_number(account, found[0])


def _read_number(account: Account, number: Mapping[str, Any]) -> Iterator[Finding]:
    if object_in(number, "capabilities").get("sms") is False:
        yield problem("the number takes no SMS: buy one that does", "该号码不支持短信：请更换号码")
    wanted = [("sms", "twilio")] + ([("voice", "voice")] if account.text("voice_url") else [])
    for kind, provider in wanted:
        place = f"the number's {kind}_url"
        yield compare_address(place, text_in(number, f"{kind}_url"), account.address(provider))
        method = text_in(number, f"{kind}_method")
        if method not in ("", "POST"):
            yield problem(
                f"the number's {kind}_method is {method}: choose POST",
                f"号码的 {kind}_method 为 {method}：请选择 POST",
            )
    yield warning(
        "where the number is in a Messaging Service, the service's own webhook counts: compare it",
        "若号码属于 Messaging Service，则以该服务的 webhook 为准：请核对",
    )
