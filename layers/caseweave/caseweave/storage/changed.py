"""Which chains changed on a day, and where they end: what that day's digest is made of."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from pynamodb.exceptions import PynamoDBException

from caseweave.domain.digests import Leaf
from caseweave.domain.event import OwnerKind
from caseweave.errors import UnavailableError
from caseweave.storage import table
from caseweave.storage.items import batch_get, table_connection
from caseweave.storage.rows import read_case, read_customer


def list_changed(day: date) -> Iterator[Leaf]:
    """The ends of the chains whose last change is of *day*, as they are now.

    A chain that has changed again since then is told of by its new day. Costs what changed, however
    many cases there are. Raises UnavailableError.
    """
    keys = [
        key for partition in table.changed_partitions(day.isoformat()) for key in _find(partition)
    ]
    try:
        for kind, values in batch_get(keys, consistent=True):
            owner = read_case(values) if kind == OwnerKind.CASE else read_customer(values)
            yield Leaf(kind, owner.id, owner.seq, owner.chain)
    except PynamoDBException as error:
        raise UnavailableError(f"the table cannot be read: {error}") from error


def _find(partition: str) -> Iterator[table.Key]:
    """Page by page; an index of keys alone does not say of what kind a record is."""
    start: Any = None
    while True:
        try:
            answer = table_connection().query(
                partition, index_name="changed", exclusive_start_key=start
            )
        except PynamoDBException as error:
            raise UnavailableError(f"the table cannot be read: {error}") from error
        for item in answer["Items"]:
            yield item["pk"]["S"], item["sk"]["S"]
        start = answer.get("LastEvaluatedKey")
        if start is None:
            return
