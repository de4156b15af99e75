"""Which providers there are. Modules are the values; mypy holds each against its protocol."""

from typing import Protocol

from caseweave.channels import (
    aliyun,
    line,
    meta,
    telegram,
    tencent,
    twilio,
    vonage,
    whatsapp,
)
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import ProviderAnswer, ProviderRequest, SendResult, WebhookRequest
from caseweave.domain.message import InboundEvent, Message


class Provider(Protocol):
    """What every webhook provider's module offers."""

    PROVIDER: str
    ACKNOWLEDGED: tuple[str, str]

    def verify(self, request: WebhookRequest, credentials: Credentials) -> None: ...

    def parse(self, request: WebhookRequest, credentials: Credentials) -> list[InboundEvent]: ...


class Sender(Protocol):
    """What the module of a provider offers by which answers can leave.

    LONGEST_BODY is in characters: what is longer is refused for people to see, never cut.
    """

    API_URL: str
    LONGEST_BODY: int

    def build_send(
        self, message: Message, base_url: str, credentials: Credentials, outbox_key: str
    ) -> ProviderRequest: ...

    def read_answer(self, answer: ProviderAnswer) -> SendResult: ...


class Greeter(Protocol):
    """What the module of a provider offers that asks, by GET, whether a webhook is ours."""

    def greet(self, request: WebhookRequest, credentials: Credentials) -> str: ...


SMS: dict[str, Provider] = {
    "aliyun": aliyun,
    "tencent": tencent,
    "twilio": twilio,
    "vonage": vonage,
}
MESSENGERS: dict[str, Provider] = {
    "line": line,
    "meta": meta,
    "telegram": telegram,
    "whatsapp": whatsapp,
}
SENDERS: dict[str, Sender] = {
    "line": line,
    "meta": meta,
    "telegram": telegram,
    "twilio": twilio,
    "vonage": vonage,
    "whatsapp": whatsapp,
}
GREETERS: dict[str, Greeter] = {"meta": meta, "whatsapp": whatsapp}
