"""The outbox: outbound messages move forward by conditional writes only (promise P6)."""

from dataclasses import dataclass, replace
from datetime import datetime

from pynamodb.exceptions import DoesNotExist, UpdateError

from caseweave.domain.event import Actor, CaseChange, EventKind, begin_change
from caseweave.domain.message import Channel, Delivery, DeliveryState, Message, advances
from caseweave.domain.times import to_rfc3339
from caseweave.errors import ContentionError, NotFoundError, UnavailableError
from caseweave.storage import table
from caseweave.storage.cases import put_change, read_head
from caseweave.storage.items import has, make_item
from caseweave.storage.rows import message_item, read_message
from caseweave.storage.table import MessageRow, SentRow
from caseweave.storage.transaction import RefusedError, Transaction, retry_on_contention

_EVENTS = {
    DeliveryState.ACCEPTED: EventKind.MESSAGE_ACCEPTED,
    DeliveryState.DELIVERED: EventKind.MESSAGE_DELIVERED,
    DeliveryState.READ: EventKind.MESSAGE_DELIVERED,
    DeliveryState.FAILED: EventKind.MESSAGE_FAILED,
    DeliveryState.UNKNOWN: EventKind.MESSAGE_UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class OutboxKey:
    """Where an outbound message is: what the queue carries, and what receipts come back with."""

    case_id: str
    occurred_at: str
    message_id: str

    def __str__(self) -> str:
        return f"{self.case_id}~{self.occurred_at}~{self.message_id}"


def outbox_key(message: Message) -> OutboxKey:
    return OutboxKey(message.case_id, to_rfc3339(message.occurred_at), message.id)


def parse_outbox_key(text: str) -> OutboxKey:
    """The key that `str` made. Raises NotFoundError for anything else."""
    parts = text.split("~")
    if len(parts) != 3 or not all(parts):
        raise NotFoundError("That names no message.")
    return OutboxKey(*parts)


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


def claim_message(key: OutboxKey, now: datetime) -> bool:
    """Take a queued message for sending. False if it is not queued (any more)."""
    return _swap_state(key, DeliveryState.QUEUED, DeliveryState.CLAIMED, now)


def release_message(key: OutboxKey, now: datetime) -> bool:
    """Put a claimed message back: the provider certainly did not take it."""
    return _swap_state(key, DeliveryState.CLAIMED, DeliveryState.QUEUED, now)


def _swap_state(key: OutboxKey, expected: DeliveryState, new: DeliveryState, now: datetime) -> bool:
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
            return False
        if error.cause_response_code == "TransactionConflictException":
            raise ContentionError("the message is being written") from error
        raise UnavailableError(f"the outbox cannot be written: {error}") from error
    return True


def settle_message(key: OutboxKey, delivery: Delivery, actor: Actor) -> bool:
    """Record what became of a message, with its event in the case's chain.

    Only ever forward: False, and nothing written, when the message is that far or further.
    """
    return retry_on_contention(lambda _: _settle_once(key, delivery, actor))


def _settle_once(key: OutboxKey, delivery: Delivery, actor: Actor) -> bool:
    message = read_outbound(key)
    current = message.delivery
    if current is None or not advances(current.state, delivery.state):
        return False
    change = begin_change(read_head(key.case_id)).record(
        _EVENTS[delivery.state],
        actor,
        delivery.at,
        {
            "message_id": message.id,
            "channel": str(message.channel),
            "state": str(delivery.state),
            "provider_id": delivery.provider_id or current.provider_id,
            "error": delivery.error,
        },
    )
    _commit_settlement(change, message, current, delivery)
    return True


def _commit_settlement(
    change: CaseChange, message: Message, current: Delivery, delivery: Delivery
) -> None:
    write = Transaction()
    put_change(write, change)
    # A later word may lack the provider's id, which an earlier one told.
    known_id = delivery.provider_id or current.provider_id
    item = message_item(replace(message, delivery=replace(delivery, provider_id=known_id)))
    write.put("delivery", item, has(MessageRow, delivery_state=str(current.state)))
    if known_id and known_id != current.provider_id and message.channel is not Channel.WEB:
        name = table.sent_key(message.provider, known_id)
        write.put("sent", make_item(SentRow, name, outbox_key=str(outbox_key(message))))
    try:
        write.commit()
    except RefusedError as error:
        raise ContentionError(str(error)) from error
