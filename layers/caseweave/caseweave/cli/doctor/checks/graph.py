"""Meta's Graph API: does it take the token, and is the app's secret the right one?

https://developers.facebook.com/docs/graph-api/guides/secure-requests#appsecret_proof
"""

import hmac
from collections.abc import Iterator
from urllib.parse import urlencode

from caseweave.channels.json_reading import object_in, text_in
from caseweave.channels.request import ProviderAnswer, ProviderRequest
from caseweave.cli.doctor.checks.account import Account, read_object
from caseweave.cli.doctor.finding import Finding, problem


def ask(account: Account, path: str, **query: str) -> ProviderRequest:
    """Signed with the newest app_secret: with a wrong one Meta refuses the whole request."""
    token, secret = (account.credentials.current(one) for one in ("access_token", "app_secret"))
    proof = hmac.digest(secret.encode(), token.encode(), "sha256").hex()
    asked = urlencode({**query, "appsecret_proof": proof})
    headers = {"Authorization": f"Bearer {token}"}
    return ProviderRequest(f"{account.base_url}/{path}?{asked}", headers, method="GET")


def read_refusal(answer: ProviderAnswer) -> Iterator[Finding]:
    """What Meta found wrong; nothing if it answered."""
    if answer.status == 200:
        return
    error = object_in(read_object(answer), "error")
    code, told = text_in(error, "code"), text_in(error, "message") or str(answer.status)
    if "appsecret_proof" in told:
        yield problem(
            "the app_secret is not that of the access_token's app: take both from one app",
            "app_secret 与 access_token 不属于同一应用：请使用同一应用的两者",
        )
    elif code == "190":
        yield problem(
            f"Meta refuses the access_token ({told}): generate one of a system user, which does "
            "not expire",
            f"Meta 拒绝 access_token（{told}）：请用系统用户生成不过期的 token",
        )
    else:
        yield problem(
            f"Meta answers {code} {told}: give the token the permissions of the setting-up page",
            f"Meta 返回 {code} {told}：请按配置文档授予权限",
        )
