"""Which providers there are. Modules are the values; mypy holds each against its protocol."""

from datetime import datetime
from typing import Protocol

from caseweave.channels import (
    aliyun,
    aws_sms,
    line,
    line_sending,
    meta,
    meta_sending,
    qq,
    telegram,
    telegram_sending,
    tencent,
    twilio,
    twilio_sending,
    twilio_voice,
    vonage,
    vonage_sending,
    wechat,
    wecom,
    wecom_sending,
    whatsapp,
    whatsapp_sending,
)
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import (
    Abilities,
    AccessToken,
    Outgoing,
    ProviderAnswer,
    ProviderRequest,
    Refused,
    SendResult,
    WebhookRequest,
)
from caseweave.domain.message import Contact, InboundEvent
from caseweave.errors import InvalidSignatureError


class Provider(Protocol):
    """What every webhook provider's module offers."""

    PROVIDER: str
    ACKNOWLEDGED: tuple[str, str]

    def verify(self, request: WebhookRequest, credentials: Credentials) -> None: ...

    def parse(self, request: WebhookRequest, credentials: Credentials) -> list[InboundEvent]: ...


class Sender(Protocol):
    """What the module of a provider offers by which answers can leave.

    `abilities` says what one request can carry to a contact: a longer message leaves in several.
    """

    API_URL: str

    def abilities(self, contact: Contact) -> Abilities: ...

    def build_send(
        self, outgoing: Outgoing, base_url: str, credentials: Credentials
    ) -> ProviderRequest: ...

    def read_answer(self, answer: ProviderAnswer) -> SendResult: ...


class TokenIssuer(Protocol):
    """What the module of a provider offers whose access tokens live for some hours only.

    The token is kept for all functions and refreshed under a lock; `build_send` finds it in its
    credentials as `access_token`.
    """

    API_URL: str

    def build_token_request(self, base_url: str, credentials: Credentials) -> ProviderRequest: ...

    def read_token(self, answer: ProviderAnswer) -> AccessToken | Refused: ...


class Greeter(Protocol):
    """What the module of a provider offers that asks, by GET, whether a webhook is ours."""

    def greet(self, request: WebhookRequest, credentials: Credentials) -> str: ...


class Challenger(Protocol):
    """What the module of a provider offers that asks, among its webhooks, whether one is ours.

    None is for every other request. What is answered is kept nowhere, so it need not be signed.
    """

    def answer_challenge(self, request: WebhookRequest, credentials: Credentials) -> str | None: ...


class Dated(Protocol):
    """What the module of a provider offers that signs the time."""

    def is_fresh(self, request: WebhookRequest, now: datetime) -> bool: ...


SMS: dict[str, Provider] = {
    "aliyun": aliyun,
    "aws": aws_sms,
    "tencent": tencent,
    "twilio": twilio,
    "vonage": vonage,
}
MESSENGERS: dict[str, Provider] = {
    "line": line,
    "meta": meta,
    "qq": qq,
    "telegram": telegram,
    "wechat": wechat,
    "wecom": wecom,
    "whatsapp": whatsapp,
}
VOICE: dict[str, Provider] = {"twilio": twilio_voice}
SENDERS: dict[str, Sender] = {
    "line": line_sending,
    "meta": meta_sending,
    "qq": qq,
    "telegram": telegram_sending,
    "twilio": twilio_sending,
    "vonage": vonage_sending,
    "wechat": wechat,
    "wecom": wecom_sending,
    "whatsapp": whatsapp_sending,
}
TOKEN_ISSUERS: dict[str, TokenIssuer] = {
    "qq": qq,
    "wechat": wechat,
    "wecom": wecom_sending,
}
# Sent by an API of AWS, which signs requests by itself.
SENT_BY_AWS = frozenset({"aws"})
GREETERS: dict[str, Greeter] = {
    "meta": meta,
    "wechat": wechat,
    "wecom": wecom,
    "whatsapp": whatsapp,
}
CHALLENGERS: dict[str, Challenger] = {"qq": qq}
DATED: dict[str, Dated] = {"qq": qq}


def answer_challenge(name: str, request: WebhookRequest, credentials: Credentials) -> str | None:
    """The answer to a provider's challenge, as JSON; None for everything else."""
    challenger = CHALLENGERS.get(name)
    return None if challenger is None else challenger.answer_challenge(request, credentials)


def verify_time(name: str, request: WebhookRequest, now: datetime) -> None:
    """Raises InvalidSignatureError for a verified request that was signed long before *now*."""
    dated = DATED.get(name)
    if dated is not None and not dated.is_fresh(request, now):
        raise InvalidSignatureError(name)
