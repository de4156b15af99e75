"""What the modules of providers offer; mypy holds each in a registry against its protocol."""

from dataclasses import replace
from datetime import datetime
from typing import Protocol, runtime_checkable

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


@runtime_checkable
class Challenger(Protocol):
    """What the module of a provider offers that asks, among its webhooks, whether one is ours.

    None is for every other request. What is answered is kept nowhere, so it need not be signed.
    """

    def answer_challenge(self, request: WebhookRequest, credentials: Credentials) -> str | None: ...


@runtime_checkable
class Dated(Protocol):
    """What the module of a provider offers that signs the time."""

    PROVIDER: str

    def is_fresh(self, request: WebhookRequest, now: datetime) -> bool: ...


@runtime_checkable
class Attributor(Protocol):
    """What the module of a provider offers that tells only by its secret which account it means."""

    def find_account(self, request: WebhookRequest, credentials: Credentials) -> str: ...


def attribute(
    provider: Provider, request: WebhookRequest, credentials: Credentials
) -> WebhookRequest:
    """The verified request with its account, which must be kept: its secret is not."""
    if not isinstance(provider, Attributor):
        return request
    return replace(request, account=provider.find_account(request, credentials))


def answer_challenge(
    provider: Provider, request: WebhookRequest, credentials: Credentials
) -> str | None:
    """The answer to a provider's challenge, as JSON; None for everything else."""
    if not isinstance(provider, Challenger):
        return None
    return provider.answer_challenge(request, credentials)


def verify_time(provider: object, request: WebhookRequest, now: datetime) -> None:
    """Raises InvalidSignatureError for a verified request that was signed long before *now*."""
    if isinstance(provider, Dated) and not provider.is_fresh(request, now):
        raise InvalidSignatureError(provider.PROVIDER)
