"""https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account-to-number-current-status"""

from collections.abc import Iterator, Mapping

from caseweave.channels.json_reading import object_in, text_in
from caseweave.channels.request import ProviderAnswer, ProviderRequest
from caseweave.channels.whatsapp_sending import API_URL
from caseweave.cli.doctor.checks import graph
from caseweave.cli.doctor.checks.account import Account, read_object
from caseweave.cli.doctor.finding import Finding, compare_address, ok, warning

__all__ = ["API_URL", "build_questions", "read_answers"]

_FIELDS = "display_phone_number,verified_name,quality_rating,webhook_configuration"


def build_questions(account: Account) -> dict[str, ProviderRequest]:
    number_id = account.text("phone_number_id") or account.name
    return {"number": graph.ask(account, number_id, fields=_FIELDS)}


def read_answers(account: Account, answers: Mapping[str, ProviderAnswer]) -> Iterator[Finding]:
    refused = list(graph.read_refusal(answers["number"]))
    if refused:
        yield from refused
        return
    number = read_object(answers["number"])
    shown, name = text_in(number, "display_phone_number"), text_in(number, "verified_name")
    yield ok(f"the access_token may use {shown}, {name}", f"access_token 可使用 {shown}（{name}）")
    if text_in(number, "quality_rating") == "RED":
        yield warning(
            "Meta rates the quality of the number RED: customers block or report it",
            "Meta 对该号码的质量评级为 RED：客户在屏蔽或举报",
        )
    told = object_in(number, "webhook_configuration")
    # The nearest one counts.
    places = ("phone_number", "whatsapp_business_account", "application")
    url = next(filter(None, (text_in(told, place) for place in places)), "")
    if url or told:
        yield compare_address("WhatsApp's callback URL", url, account.address("whatsapp"))
    else:
        yield warning(
            "Meta does not tell the callback URL: compare it under WhatsApp, Configuration",
            "Meta 未返回回调地址：请在 WhatsApp 的 Configuration 中核对",
        )
