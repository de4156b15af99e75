"""Customers' messages in a few words, and the storage crashing at a chosen call."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TypeVar

from pynamodb.connection import Connection

from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import Channel, InboundMessage
from caseweave.errors import UnavailableError
from caseweave.intake import Door, Landed, receive_message
from caseweave.storage.ledger import RawInput

T = TypeVar("T")
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


@contextmanager
def many_writers() -> Iterator[None]:
    """Let threads share the store: one call at a time, as moto needs it, in any order."""
    lock = Lock()
    original = Connection._make_api_call

    def waiting(self: Connection, operation: str, arguments: dict) -> dict:
        with lock:
            return original(self, operation, arguments)

    Connection._make_api_call = waiting  # type: ignore[method-assign]
    try:
        yield
    finally:
        Connection._make_api_call = original  # type: ignore[method-assign]


def at_once(work: Callable[[int], T], count: int = 16) -> list[T]:
    """What *work* makes of 0, 1, 2, … when all run at the same time."""
    with many_writers(), ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


class CrashError(UnavailableError):
    """The process died here."""


@contextmanager
def crash_at_call(number: int, *, after: bool, client: type = Connection) -> Iterator[list[str]]:
    """Let the *number*-th call of the store, or of another *client*, die before or after it took
    effect; yields the calls.
    """
    calls: list[str] = []
    original = client._make_api_call

    def dying(self: object, operation: str, arguments: dict) -> dict:
        calls.append(operation)
        is_fatal = len(calls) == number
        if is_fatal and not after:
            raise CrashError(operation)
        answer = original(self, operation, arguments)
        if is_fatal:
            raise CrashError(operation)
        return answer

    client._make_api_call = dying
    try:
        yield calls
    finally:
        client._make_api_call = original


@contextmanager
def just_before_write(action: Callable[[], object], number: int = 1) -> Iterator[None]:
    """Let *action* happen after everything was read for the *number*-th transaction, and before it
    is written: the moment in which somebody else may be faster.
    """
    original = Connection._make_api_call
    left = [number]

    def racing(self: Connection, operation: str, arguments: dict) -> dict:
        if operation == "TransactWriteItems":
            left[0] -= 1
            if left[0] == 0:
                action()
        return original(self, operation, arguments)

    Connection._make_api_call = racing  # type: ignore[method-assign]
    try:
        yield
    finally:
        Connection._make_api_call = original  # type: ignore[method-assign]
