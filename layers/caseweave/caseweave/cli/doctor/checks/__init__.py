"""Which providers can be asked how they are set up. Modules are the values, as in `registry.py`."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from caseweave.channels.registry import TOKEN_ISSUERS
from caseweave.channels.request import ProviderAnswer, ProviderRequest
from caseweave.cli.doctor.checks import line, mailgun, meta, telegram, twilio, vonage, whatsapp
from caseweave.cli.doctor.checks.account import Account
from caseweave.cli.doctor.checks.tokens import TokenCheck
from caseweave.cli.doctor.finding import Finding, warning


class Check(Protocol):
    """What to ask of a provider, and what its answers mean; no answer is missing."""

    @property
    def API_URL(self) -> str: ...  # noqa: N802 - a constant of a module

    def build_questions(self, account: Account) -> dict[str, ProviderRequest]: ...

    def read_answers(
        self, account: Account, answers: Mapping[str, ProviderAnswer]
    ) -> Iterable[Finding]: ...


CHECKS: dict[str, Check] = {
    "line": line,
    "mailgun": mailgun,
    "meta": meta,
    "qq": TokenCheck(TOKEN_ISSUERS["qq"], "app_secret", "开发设置 → IP 白名单"),
    "telegram": telegram,
    "twilio": twilio,
    "vonage": vonage,
    "wechat": TokenCheck(TOKEN_ISSUERS["wechat"], "app_secret", "基本配置 → IP 白名单"),
    "wecom": TokenCheck(TOKEN_ISSUERS["wecom"], "secret", "应用 → 企业可信IP"),
    "whatsapp": whatsapp,
}
# What nobody can be asked about with the values that we have.
BY_HAND: dict[str, Finding] = {
    "aliyun": warning(
        "Alibaba Cloud cannot be asked with a push token: under 通用设置 → 国内消息 the push of "
        "SmsUp has to be our address with ?token=…",
        "仅有推送 token 无法查询阿里云：请在 通用设置 → 国内消息 核对 SmsUp 地址（含 ?token=…）",
    ),
    "tencent": warning(
        "Tencent Cloud cannot be asked with a callback token: under 应用管理 → 事件回调配置 the "
        "callback of replies has to be our address with ?token=…",
        "仅有回调 token 无法查询腾讯云：请在 应用管理 → 事件回调配置 核对回复地址（含 ?token=…）",
    ),
    "postmark": warning(
        "Postmark cannot be asked with the webhook's password: compare the inbound stream's "
        "webhook, and that it includes the raw email",
        "仅有 webhook 密码无法查询 Postmark：请核对 inbound stream 的 webhook，并勾选 raw email",
    ),
    "sendgrid": warning(
        "SendGrid cannot be asked with a public key: compare the URL under Inbound Parse, that it "
        "posts the raw message, and that the security policy is attached to it",
        "仅有公钥无法查询 SendGrid：请核对 Inbound Parse 的 URL、raw 选项与 security policy",
    ),
    "connect": warning(
        "Connect sends its contact events by EventBridge without any setting; for transcripts "
        "compare ConnectTranscripts with the instance's bucket, and that the bucket sends to "
        "EventBridge",
        "Connect 的联系事件经 EventBridge 送达，无需配置；需要转写时请核对 ConnectTranscripts "
        "是否为实例的存储桶，且该桶已开启 EventBridge 通知",
    ),
}
