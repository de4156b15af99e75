"""How a message leaves, by channel: the pure request of its provider, carried by real I/O."""

from collections.abc import Sequence
from datetime import datetime

from caseweave.aws.mailer import send_mail
from caseweave.channels import ses
from caseweave.channels.registry import SENDERS
from caseweave.channels.request import (
    Outgoing,
    ProviderAnswer,
    Refusal,
    Refused,
    SendResult,
    Sent,
)
from caseweave.domain.message import Channel, Message
from caseweave.errors import MissingSecretError, UnavailableError
from caseweave.provider_api import ask, find_base_url, forget_token, resolve_account
from caseweave.storage.outbox import OutboxKey


def send_message(
    message: Message,
    key: OutboxKey,
    prefix: str,
    provider_api_url: str,
    support_address: str,
    signing_keys: Sequence[bytes],
    now: datetime,
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
    return _send_by_provider(message.contact.provider, message, key, prefix, provider_api_url, now)


def _send_by_provider(
    name: str, message: Message, key: OutboxKey, prefix: str, provider_api_url: str, now: datetime
) -> SendResult:
    provider = SENDERS.get(name)
    if provider is None or message.contact is None:
        return Refused(Refusal.PERMANENT, f"no answer can be sent by {name}")
    if len(message.body) > provider.LONGEST_BODY:
        most = provider.LONGEST_BODY
        return Refused(Refusal.PERMANENT, f"{name} takes {most} characters: write two messages")
    base_url = find_base_url(name, provider.API_URL, provider_api_url)
    try:
        credentials = resolve_account(name, message.contact.account, prefix, provider_api_url, now)
        outgoing = Outgoing(message.contact, str(key), message.body)
        request = provider.build_send(outgoing, base_url, credentials)
    except (MissingSecretError, UnavailableError) as error:
        # Certainly not sent: ops may still set it, or the token may come, while the queue tries.
        return Refused(Refusal.TRANSIENT, str(error))
    answer = ask(request)
    result = provider.read_answer(answer) if isinstance(answer, ProviderAnswer) else answer
    if isinstance(result, Refused) and result.is_token_stale:
        forget_token(name, credentials, provider_api_url)
    return result


def _send_mail(message: Message, support_address: str, keys: Sequence[bytes]) -> SendResult:
    recipient = ses.find_recipient(message)
    if not recipient:
        return Refused(Refusal.PERMANENT, "the customer's mail has no sender address")
    try:
        raw = ses.compose_mail(message, support_address, keys)
    except (ValueError, UnicodeError) as error:
        return Refused(Refusal.PERMANENT, f"no mail can be written to {recipient!r}: {error}")
    return send_mail(raw, recipient)
