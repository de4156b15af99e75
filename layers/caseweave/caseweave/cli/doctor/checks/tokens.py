"""WeChat, WeCom and QQ: can an access token be had, from this address?

https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Global_Return_Code.html
https://developer.work.weixin.qq.com/document/path/90313
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from caseweave.channels.protocols import TokenIssuer
from caseweave.channels.request import AccessToken, ProviderAnswer, ProviderRequest
from caseweave.cli.doctor.checks.account import Account
from caseweave.cli.doctor.finding import Finding, ok, problem, warning

_ADDRESS_REFUSED = re.compile(r"\b(40164|60020|11298)\b")
_IP = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b(?:[0-9a-fA-F]{1,4}:){2,7}[0-9a-fA-F]{1,4}\b")


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """*secret* is the field that proves who asks; *console* is where addresses are listed."""

    issuer: TokenIssuer
    secret: str
    console: str

    @property
    def API_URL(self) -> str:  # noqa: N802 - as the modules of the other checks have it
        return self.issuer.API_URL

    def build_questions(self, account: Account) -> dict[str, ProviderRequest]:
        """The older token of WeChat is not asked for: that would end the one in use."""
        if account.text("token_api") == "token":
            return {}
        request = self.issuer.build_token_request(account.base_url, account.credentials)
        return {"token": request}

    def read_answers(
        self, account: Account, answers: Mapping[str, ProviderAnswer]
    ) -> Iterator[Finding]:
        if "token" not in answers:
            yield warning(
                "no token was asked for: with token_api = token that would end the one in use",
                "未尝试获取 token：token_api = token 时会使正在使用的 token 失效",
            )
        else:
            yield self._read(answers["token"])
        ours = account.address(account.credentials.provider)
        yield warning(
            "the functions leave from other addresses than this machine: list theirs "
            f"({self.console}), and compare the webhook address there with {ours}",
            f"函数的出口地址与本机不同：请加入白名单（{self.console}），并核对回调地址为 {ours}",
        )

    def _read(self, answer: ProviderAnswer) -> Finding:
        found = self.issuer.read_token(answer)
        if isinstance(found, AccessToken):
            return ok("an access token can be fetched", "可以获取 access token")
        if _ADDRESS_REFUSED.search(found.detail):
            ip = _IP.search(found.detail)
            which = ip.group() if ip else "this machine's"
            return problem(
                f"the address {which} is not allowed ({found.detail}): add it to {self.console}",
                f"IP {which} 未被允许（{found.detail}）：请加入 {self.console}",
            )
        return problem(
            f"no access token is handed out ({found.detail}): compare the id and {self.secret} "
            "with the console",
            f"无法获取 access token（{found.detail}）：请与控制台核对 ID 与 {self.secret}",
        )
