"""Customers' messages in a few words, and the storage crashing at a chosen call."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from pynamodb.connection import Connection

from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import Channel, InboundMessage
from caseweave.errors import UnavailableError
from caseweave.intake import Door, Landed, receive_message
from caseweave.storage.ledger import RawInput

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
YEAR = timedelta(days=365)


def phone(number: str) -> Address:
    return Address(AddressKind.PHONE, number)


def email(address: str) -> Address:
    return Address(AddressKind.EMAIL, address)


def platform(user: str) -> Address:
    return Address(AddressKind.PLATFORM, user)


def telegram(user: str) -> Address:
    return Address(AddressKind.TELEGRAM, user)


def unproven(name: str) -> Address:
    return Address(AddressKind.UNPROVEN, name)


def proven(*addresses: Address, proof: Proof = Proof.PROVIDER) -> tuple[ProvenAddress, ...]:
    return tuple(ProvenAddress(address, proof) for address in addresses)


def sms(number: str, body: str = "还没到账", event: str = "SM1", **more: object) -> InboundMessage:
    return message(Channel.SMS, "twilio", proven(phone(number)), body, event, **more)


def message(
    channel: Channel,
    provider: str,
    senders: tuple[ProvenAddress, ...],
    body: str,
    event: str,
    claims: tuple[Address, ...] = (),
    **more: object,
) -> InboundMessage:
    return InboundMessage(
        channel=channel,
        provider=provider,
        account="account",
        event_id=event,
        provider_id=event,
        sender=Sender(proven=senders, claims=claims),
        body=body,
        **more,
    )


def raw(at: datetime = NOON, body: bytes = b"raw") -> RawInput:
    return RawInput("twilio", "account", at, YEAR, body)


def receive(inbound: InboundMessage, door: Door, at: datetime = NOON) -> Landed:
    return receive_message(inbound, raw(at), door)


class CrashError(UnavailableError):
    """The process died here."""


@contextmanager
def crash_at_call(number: int, *, after: bool) -> Iterator[list[str]]:
    """Let the store's *number*-th call die, before or after it took effect; yields the calls."""
    calls: list[str] = []
    original = Connection._make_api_call

    def dying(self: Connection, operation: str, arguments: dict) -> dict:
        calls.append(operation)
        is_fatal = len(calls) == number
        if is_fatal and not after:
            raise CrashError(operation)
        answer = original(self, operation, arguments)
        if is_fatal:
            raise CrashError(operation)
        return answer

    Connection._make_api_call = dying  # type: ignore[method-assign]
    try:
        yield calls
    finally:
        Connection._make_api_call = original  # type: ignore[method-assign]
