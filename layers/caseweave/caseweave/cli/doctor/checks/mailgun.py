"""https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/routes"""

from base64 import b64encode
from collections.abc import Iterator, Mapping

from caseweave.channels.json_reading import objects_in
from caseweave.channels.mailgun import API_URL
from caseweave.channels.request import ProviderAnswer, ProviderRequest
from caseweave.cli.doctor.checks.account import Account, read_object, texts_in
from caseweave.cli.doctor.finding import Finding, ok, problem, warning

__all__ = ["API_URL", "build_questions", "read_answers"]


def build_questions(account: Account) -> dict[str, ProviderRequest]:
    """Nothing can be asked with the signing key alone."""
    key = account.text("api_key")
    basic = b64encode(f"api:{key}".encode()).decode()
    headers, url = {"Authorization": f"Basic {basic}"}, f"{account.base_url}/v3/routes?limit=1000"
    return {"routes": ProviderRequest(url, headers, method="GET")} if key else {}


def read_answers(account: Account, answers: Mapping[str, ProviderAnswer]) -> Iterator[Finding]:
    ours = account.address("mailgun")
    answer = answers.get("routes")
    if answer is None:
        yield warning(
            f"the routes cannot be asked without an api_key: one has to forward to {ours}/mime",
            f"没有 api_key，无法查询路由：应有一条 forward 到 {ours}/mime",
        )
        return
    if answer.status != 200:
        yield problem(
            f"Mailgun refuses the api_key ({answer.status}): take one with access to routes; of an "
            "account in Europe the routes cannot be asked here",
            f"Mailgun 拒绝 api_key（{answer.status}）：请使用有路由权限的密钥（欧洲区无法查询）",
        )
        return
    actions = [
        action
        for route in objects_in(read_object(answer), "items")
        for action in texts_in(route, "actions")
    ]
    if any("forward(" in action and f"{ours}/mime" in action for action in actions):
        yield ok(f"a route forwards to {ours}/mime", f"已有路由转发到 {ours}/mime")
    elif any("forward(" in action and ours in action for action in actions):
        yield warning(
            f"a route forwards to {ours}: {ours}/mime gets the raw mail, which is read best",
            f"路由转发到 {ours}：改为 {ours}/mime 可得到原始邮件，解析最准",
        )
    else:
        yield problem(
            f'no route forwards to us: create one with the action forward("{ours}/mime")',
            f'没有转发到本系统的路由：请新建动作为 forward("{ours}/mime") 的路由',
        )
