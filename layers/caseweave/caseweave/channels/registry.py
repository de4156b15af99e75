"""Which providers there are. Modules are the values; mypy holds each against `Provider`."""

from typing import Protocol

from caseweave.channels import telegram, twilio
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import ProviderAnswer, ProviderRequest, SendResult, WebhookRequest
from caseweave.domain.message import InboundEvent, Message


class Provider(Protocol):
    """What every webhook provider's module offers."""

    PROVIDER: str
    ACKNOWLEDGED: tuple[str, str]

    def verify(self, request: WebhookRequest, credentials: Credentials) -> None: ...

    def parse(self, request: WebhookRequest, credentials: Credentials) -> list[InboundEvent]: ...

    def build_send(
        self, message: Message, base_url: str, credentials: Credentials, outbox_key: str
    ) -> ProviderRequest: ...

    def read_answer(self, answer: ProviderAnswer) -> SendResult: ...


SMS: dict[str, Provider] = {"twilio": twilio}
MESSENGERS: dict[str, Provider] = {"telegram": telegram}
PROVIDERS: dict[str, Provider] = {**SMS, **MESSENGERS}
