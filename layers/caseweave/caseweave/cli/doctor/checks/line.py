"""https://developers.line.biz/en/reference/messaging-api/#get-webhook-endpoint-information"""

from collections.abc import Iterator, Mapping

from caseweave.channels.json_reading import text_in
from caseweave.channels.line_sending import API_URL
from caseweave.channels.request import ProviderAnswer, ProviderRequest
from caseweave.cli.doctor.checks.account import Account, read_object
from caseweave.cli.doctor.finding import Finding, compare_address, ok, problem, warning

__all__ = ["API_URL", "build_questions", "read_answers"]


def build_questions(account: Account) -> dict[str, ProviderRequest]:
    token = account.credentials.current("channel_access_token")
    headers = {"Authorization": f"Bearer {token}"}
    return {
        name: ProviderRequest(f"{account.base_url}/v2/bot/{path}", headers, method="GET")
        for name, path in (("bot", "info"), ("webhook", "channel/webhook/endpoint"))
    }


def read_answers(account: Account, answers: Mapping[str, ProviderAnswer]) -> Iterator[Finding]:
    bot = read_object(answers["bot"])
    if answers["bot"].status != 200:
        told = text_in(bot, "message") or str(answers["bot"].status)
        yield problem(
            f"LINE refuses the channel_access_token ({told}): issue a long-lived one there",
            f"LINE 拒绝 channel_access_token（{told}）：请在控制台重新签发长期 token",
        )
        return
    user_id, name = text_in(bot, "userId"), text_in(bot, "displayName")
    if account.name and account.name != user_id:
        yield problem(
            f"the token is that of {name}, {user_id}: rename accounts.{account.name} to {user_id}",
            f"token 属于 {name}（{user_id}）：请将 accounts.{account.name} 改名为 {user_id}",
        )
    else:
        yield ok(f"the token is that of {name}, {user_id}", f"token 属于 {name}（{user_id}）")
    if text_in(bot, "chatMode") == "chat":
        yield warning(
            "the account is in chat mode: people answer in LINE's own manager beside the desk",
            "账号处于聊天模式：LINE 后台也会有人回复",
        )
    yield from _read_webhook(account, answers["webhook"])


def _read_webhook(account: Account, answer: ProviderAnswer) -> Iterator[Finding]:
    webhook = read_object(answer)
    if answer.status not in (200, 404):
        yield warning(
            f"LINE does not tell its webhook address ({answer.status}): look into the console",
            f"LINE 未返回 webhook 地址（{answer.status}）：请在控制台查看",
        )
        return
    yield compare_address("LINE's webhook", text_in(webhook, "endpoint"), account.address("line"))
    if webhook.get("endpoint") and webhook.get("active") is not True:
        yield problem(
            "LINE's webhook is switched off: turn on Use webhook in the console",
            "LINE 的 webhook 未启用：请在控制台打开 Use webhook",
        )
