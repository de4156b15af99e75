"""Answers that the customer's page did not fetch: found by time, continued once."""

from collections.abc import Iterator
from datetime import datetime

from caseweave.domain.event import CaseChange
from caseweave.domain.message import Message
from caseweave.domain.times import to_rfc3339
from caseweave.errors import ContentionError
from caseweave.storage import table
from caseweave.storage.cases import put_change
from caseweave.storage.items import has
from caseweave.storage.outbox import OutboxKey, outbox_key
from caseweave.storage.rows import message_item, read_message
from caseweave.storage.table import MessageRow, Row
from caseweave.storage.transaction import RefusedError, Transaction


def list_unread(until: datetime) -> Iterator[OutboxKey]:
    """The answers that were there to be fetched before *until* and were not, the oldest first in
    each shard.
    """
    before = f"{to_rfc3339(until)}~"
    for partition in table.unread_partitions():
        for row in MessageRow.due.query(partition, range_key_condition=Row.due_sk <= before):
            if isinstance(row, MessageRow):
                yield outbox_key(read_message(row.attribute_values))


def commit_continued(change: CaseChange, original: Message) -> None:
    """Write the change of the case (if any) and the original as it is from now on.

    Raises ContentionError when it was fetched meanwhile, or the case has changed: decide again.
    """
    if original.delivery is None:
        raise ValueError(f"message {original.id} is not one of ours")
    write = Transaction()
    if not change.is_empty:
        put_change(write, change)
    state = str(original.delivery.state)
    write.put("original", message_item(original), has(MessageRow, delivery_state=state))
    try:
        write.commit()
    except RefusedError as error:
        raise ContentionError(str(error)) from error
