"""The outbox: outbound messages move forward by conditional writes only (promise P6)."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pynamodb.exceptions import DoesNotExist, UpdateError

from caseweave.domain.delivering import advance, settle
from caseweave.domain.event import Actor, EventKind, begin_change
from caseweave.domain.message import Channel, Delivery, DeliveryState, Message, Progress
from caseweave.domain.times import to_rfc3339
from caseweave.errors import ContentionError, NotFoundError, UnavailableError
from caseweave.storage import table
from caseweave.storage.cases import put_change, read_head
from caseweave.storage.encoding import encode_parts
from caseweave.storage.items import has, make_item
from caseweave.storage.rows import message_item, read_message
from caseweave.storage.table import MessageRow, SentRow
from caseweave.storage.transaction import RefusedError, Transaction, retry_on_contention

_EVENTS = {
    DeliveryState.ACCEPTED: EventKind.MESSAGE_ACCEPTED,
    DeliveryState.DELIVERED: EventKind.MESSAGE_DELIVERED,
    DeliveryState.READ: EventKind.MESSAGE_DELIVERED,
    DeliveryState.COMPLAINED: EventKind.MESSAGE_DELIVERED,
    DeliveryState.FAILED: EventKind.MESSAGE_FAILED,
    DeliveryState.UNKNOWN: EventKind.MESSAGE_UNKNOWN,
}


_PART = re.compile(r"([1-9][0-9]{0,3})\.([1-9][0-9]{0,3})", re.ASCII)


@dataclass(frozen=True, slots=True)
class OutboxKey:
    """Where an outbound message is: what the queue carries, and what receipts come back with.

    Of a message that leaves in several requests, each has a key of its own: part `part` of `of`.
    """

    case_id: str
    occurred_at: str
    message_id: str
    part: int = 1
    of: int = 1

    def __str__(self) -> str:
        name = f"{self.case_id}~{self.occurred_at}~{self.message_id}"
        return f"{name}~{self.part}.{self.of}" if self.of > 1 else name


def outbox_key(message: Message) -> OutboxKey:
    return OutboxKey(message.case_id, to_rfc3339(message.occurred_at), message.id)


def parse_outbox_key(text: str) -> OutboxKey:
    """The key that `str` made. Raises NotFoundError for anything else."""
    names = text.split("~")
    part = _PART.fullmatch(names[3]) if len(names) == 4 else None
    number, of = (int(part[1]), int(part[2])) if part else (1, 1)
    is_whole = len(names) == 3 or (part is not None and number <= of)
    if not is_whole or not all(names):
        raise NotFoundError("That names no message.")
    return OutboxKey(names[0], names[1], names[2], number, of)


def find_sent(provider: str, provider_id: str) -> OutboxKey:
    """The message that a provider knows by this id. Raises NotFoundError."""
    try:
        row = SentRow.get(*table.sent_key(provider, provider_id))
    except DoesNotExist:
        raise NotFoundError(f"{provider} sent nothing of ours as {provider_id}.") from None
    return parse_outbox_key(row.outbox_key)


def read_outbound(key: OutboxKey) -> Message:
    """One consistent read. Raises NotFoundError."""
    try:
        row = MessageRow.get(
            *table.message_key(key.case_id, key.occurred_at, key.message_id), consistent_read=True
        )
    except DoesNotExist:
        raise NotFoundError(f"There is no message {key.message_id}.") from None
    return read_message(row.attribute_values)


def claim_message(key: OutboxKey, now: datetime) -> Message | None:
    """Take a queued message for sending its next part. None if it is not queued (any more)."""
    return _swap_state(key, DeliveryState.QUEUED, DeliveryState.CLAIMED, now)


def release_message(key: OutboxKey, now: datetime) -> bool:
    """Put a claimed message back: the provider certainly did not take it."""
    return _swap_state(key, DeliveryState.CLAIMED, DeliveryState.QUEUED, now) is not None


def _swap_state(
    key: OutboxKey, expected: DeliveryState, new: DeliveryState, now: datetime
) -> Message | None:
    row = MessageRow(*table.message_key(key.case_id, key.occurred_at, key.message_id))
    try:
        row.update(
            actions=[
                MessageRow.delivery_state.set(str(new)),
                MessageRow.delivery_at.set(to_rfc3339(now)),
            ],
            condition=MessageRow.delivery_state == str(expected),
        )
    except UpdateError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return None
        if error.cause_response_code == "TransactionConflictException":
            raise ContentionError("the message is being written") from error
        raise UnavailableError(f"the outbox cannot be written: {error}") from error
    return read_message(row.attribute_values)


def record_part(key: OutboxKey, provider_id: str, sent: Progress, now: datetime) -> DeliveryState:
    """Record that the provider took part `key.part`, which is not the last: the next is queued.

    The state of the message; it is not queued if a receipt has told meanwhile that a part failed.
    """

    def attempt(_: int) -> DeliveryState:
        message = read_outbound(key)
        current = message.delivery
        if current is None:
            raise NotFoundError(f"message {key.message_id} is not to be sent")
        delivery = advance(current, provider_id, now, key.part, key.of, sent)
        write = Transaction()
        _put_delivery(write, message, current, delivery, key, provider_id)
        _commit(write)
        return delivery.state

    return retry_on_contention(attempt)


def settle_message(key: OutboxKey, delivery: Delivery, actor: Actor) -> bool:
    """Record what became of a message, or of the part that *key* names.

    What changes the message itself is an event in the case's chain. Only ever forward: False, and
    nothing written, when the message is that far or further.
    """
    return retry_on_contention(lambda _: _settle_once(key, delivery, actor))


def _settle_once(key: OutboxKey, told: Delivery, actor: Actor) -> bool:
    message = read_outbound(key)
    current = message.delivery
    settled = settle(current, told, key.part, key.of, message.channel) if current else None
    if current is None or settled is None or message.erased_at is not None:
        return False
    write = Transaction()
    if settled.state is not current.state:
        change = begin_change(read_head(key.case_id)).record(
            _EVENTS[settled.state], actor, told.at, *_describe(message, settled)
        )
        put_change(write, change)
    _put_delivery(write, message, current, settled, key, told.provider_id)
    _commit(write)
    return True


def _describe(message: Message, delivery: Delivery) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the chain says in the open, and what is personal: providers name the customer in their
    errors, and some (WhatsApp) in their ids.
    """
    told = {
        "message_id": message.id,
        "channel": str(message.channel),
        "state": str(delivery.state),
    }
    if delivery.refusal:
        told["refusal"] = delivery.refusal
    private: dict[str, Any] = {"provider_id": delivery.provider_id, "error": delivery.error}
    if delivery.parts:
        private["part_ids"] = [part.provider_id for part in delivery.parts]
    return told, private


def _put_delivery(
    write: Transaction,
    message: Message,
    before: Delivery,
    after: Delivery,
    key: OutboxKey,
    provider_id: str,
) -> None:
    """The delivery, if it is still as it was read, and the way to it by the provider's id."""
    is_unchanged = has(
        MessageRow,
        delivery_state=str(before.state),
        delivery_parts=encode_parts(before),
        # What was read before an erasure must not come back by what is written after.
        erased_at=None,
    )
    write.put("delivery", message_item(replace(message, delivery=after)), is_unchanged)
    known = {before.provider_id, *(part.provider_id for part in before.parts)}
    if provider_id and provider_id not in known and message.channel is not Channel.WEB:
        name = table.sent_key(message.provider, provider_id)
        write.put("sent", make_item(SentRow, name, outbox_key=str(key)))


def _commit(write: Transaction) -> None:
    try:
        write.commit()
    except RefusedError as error:
        raise ContentionError(str(error)) from error
