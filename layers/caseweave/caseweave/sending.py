"""How a message leaves, by channel: the pure request of its provider, carried by real I/O."""

from collections.abc import Sequence

import urllib3

from caseweave.aws.mailer import send_mail
from caseweave.aws.secrets import read_credentials
from caseweave.channels import ses
from caseweave.channels.registry import SENDERS
from caseweave.channels.request import (
    Outgoing,
    ProviderAnswer,
    ProviderRequest,
    Refusal,
    Refused,
    SendResult,
    Sent,
)
from caseweave.domain.message import Channel, Message
from caseweave.errors import MissingSecretError
from caseweave.storage.outbox import OutboxKey

_POOL = urllib3.PoolManager(timeout=urllib3.Timeout(connect=3, read=10), retries=False, maxsize=4)


def send_message(
    message: Message,
    key: OutboxKey,
    prefix: str,
    provider_api_url: str,
    support_address: str,
    signing_keys: Sequence[bytes],
) -> SendResult:
    """Send one message by the channel and provider that its contact names.

    *provider_api_url* stands in for all providers, each under its name, on the local cloud; empty,
    each is asked at its own address.
    """
    if message.contact is None:
        return Refused(Refusal.PERMANENT, "the message has nobody to go to")
    if message.channel is Channel.WEB:
        # The customer's page fetches it; from now on it is there to be fetched.
        return Sent(message.id)
    if message.channel is Channel.EMAIL:
        return _send_mail(message, support_address, signing_keys)
    return _send_by_provider(message.contact.provider, message, key, prefix, provider_api_url)


def _send_by_provider(
    name: str, message: Message, key: OutboxKey, prefix: str, provider_api_url: str
) -> SendResult:
    provider = SENDERS.get(name)
    if provider is None or message.contact is None:
        return Refused(Refusal.PERMANENT, f"no answer can be sent by {name}")
    if len(message.body) > provider.LONGEST_BODY:
        most = provider.LONGEST_BODY
        return Refused(Refusal.PERMANENT, f"{name} takes {most} characters: write two messages")
    base_url = f"{provider_api_url}/{name}" if provider_api_url else provider.API_URL
    try:
        credentials = read_credentials(prefix, name).of_account(message.contact.account)
        outgoing = Outgoing(message.contact, str(key), message.body)
        request = provider.build_send(outgoing, base_url, credentials)
    except MissingSecretError as error:
        # Certainly not sent: ops may still set it while the queue tries again.
        return Refused(Refusal.THROTTLED, str(error))
    answer = _post(request)
    return provider.read_answer(answer) if isinstance(answer, ProviderAnswer) else answer


def _send_mail(message: Message, support_address: str, keys: Sequence[bytes]) -> SendResult:
    recipient = ses.find_recipient(message)
    if not recipient:
        return Refused(Refusal.PERMANENT, "the customer's mail has no sender address")
    try:
        raw = ses.compose_mail(message, support_address, keys)
    except (ValueError, UnicodeError) as error:
        return Refused(Refusal.PERMANENT, f"no mail can be written to {recipient!r}: {error}")
    return send_mail(raw, recipient)


def _post(request: ProviderRequest) -> ProviderAnswer | Refused:
    """Never having reached the provider can be tried again; losing its answer cannot."""
    try:
        answer = _POOL.request(
            "POST", request.url, body=request.body, headers=dict(request.headers)
        )
    except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
        return Refused(Refusal.THROTTLED, f"not reached: {type(error).__name__}")
    except urllib3.exceptions.HTTPError as error:
        return Refused(Refusal.UNKNOWN, f"no answer: {type(error).__name__}")
    return ProviderAnswer(answer.status, answer.data)
