"""https://developers.facebook.com/docs/graph-api/reference/page/subscribed_apps"""

from collections.abc import Iterator, Mapping

from caseweave.channels.json_reading import objects_in, text_in
from caseweave.channels.meta_sending import API_URL
from caseweave.channels.request import ProviderAnswer, ProviderRequest
from caseweave.cli.doctor.checks import graph
from caseweave.cli.doctor.checks.account import Account, read_object, texts_in
from caseweave.cli.doctor.finding import Finding, ok, problem, warning

__all__ = ["API_URL", "build_questions", "read_answers"]

_NEEDED = ("messages", "messaging_postbacks")
_USEFUL = ("message_deliveries", "message_reactions")


def build_questions(account: Account) -> dict[str, ProviderRequest]:
    return {
        "page": graph.ask(account, "me", fields="id,name"),
        "apps": graph.ask(account, "me/subscribed_apps"),
    }


def read_answers(account: Account, answers: Mapping[str, ProviderAnswer]) -> Iterator[Finding]:
    refused = list(graph.read_refusal(answers["page"]))
    if refused:
        yield from refused
        return
    page = read_object(answers["page"])
    page_id, name = text_in(page, "id"), text_in(page, "name")
    yield ok(
        f"the access_token is that of {name}, {page_id}", f"access_token 属于 {name}（{page_id}）"
    )
    if account.name and account.name != page_id:
        yield warning(
            f"accounts.{account.name} has the token of {page_id}: right only for the Instagram "
            "account of that page",
            f"accounts.{account.name} 使用 {page_id} 的 token：仅当它是该主页的 Instagram 时正确",
        )
    yield from _read_apps(answers["apps"])
    yield warning(
        "the callback URL of the app cannot be asked with a page's token: compare it under "
        "Webhooks in the app's dashboard",
        "无法用主页 token 查询应用的回调地址：请在应用后台 Webhooks 中核对",
    )


def _read_apps(answer: ProviderAnswer) -> Iterator[Finding]:
    fields = {
        field
        for app in objects_in(read_object(answer), "data")
        for field in texts_in(app, "subscribed_fields")
    }
    missing = [field for field in _NEEDED if field not in fields]
    less = [field for field in _USEFUL if field not in fields]
    if missing:
        names = ", ".join(missing)
        yield problem(
            f"the page is not subscribed to {names}: subscribe it under Messenger, API settings",
            f"主页未订阅 {names}：请在 Messenger 的 API 设置中订阅",
        )
    elif less:
        names = ", ".join(less)
        yield warning(
            f"the page is not subscribed to {names}: without them there are no receipts, or no "
            "reactions",
            f"主页未订阅 {names}：将没有回执或表情回应",
        )
