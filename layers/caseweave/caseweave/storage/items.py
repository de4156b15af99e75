"""Records in the form in which the store keeps them: made from, and read by, the rows' schema.

A model instance for every record costs half a millisecond of CPU for each inbound message, a
seventh of the whole (docs/benchmarks.md). What is written in transactions, and what intake reads,
goes through here instead; the rows in `table.py` stay the one place that says what a record has.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter
from typing import Any

from pynamodb.attributes import (
    Attribute,
    DiscriminatorAttribute,
    JSONAttribute,
    UnicodeAttribute,
)
from pynamodb.connection.table import TableConnection
from pynamodb.exceptions import PutError, PynamoDBException
from pynamodb.expressions.condition import Condition as StoreCondition

from caseweave.errors import UnavailableError
from caseweave.storage.table import Key, Row

# {attribute name: {type letter: value}}
Item = dict[str, dict[str, Any]]
# A BatchGetItem takes no more.
_MOST_KEYS = 100
# Nor a BatchWriteItem; what it leaves over comes again after a growing pause.
_MOST_WRITES, _MOST_PAUSES, _PAUSE = 25, 5, 0.05


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of a record for it to be written."""

    expression: str
    names: Mapping[str, str] = field(default_factory=dict)
    values: Item = field(default_factory=dict)

    def arguments(self) -> dict[str, Any]:
        found: dict[str, Any] = {"ConditionExpression": self.expression}
        if self.names:
            found["ExpressionAttributeNames"] = dict(self.names)
        if self.values:
            found["ExpressionAttributeValues"] = self.values
        return found


IS_NEW = Condition("attribute_not_exists(pk)")
IS_THERE = Condition("attribute_exists(pk)")


def has(row: type[Row], **expected: Any) -> Condition:
    """That each attribute has this value; None is for one that is not there."""
    there = {name: value for name, value in expected.items() if value is not None}
    return Condition(
        " AND ".join(
            f"#{name} = :{name}" if name in there else f"attribute_not_exists(#{name})"
            for name in expected
        ),
        {f"#{name}": name for name in expected},
        {f":{name}": _encode(_schema(row)[name], value) for name, value in there.items()},
    )


def make_item(row: type[Row], key: Key, **values: Any) -> Item:
    """The stored form of a record of a kind; attributes that are None are left out."""
    schema = _schema(row)
    item: Item = {"pk": {"S": key[0]}, "sk": {"S": key[1]}, "kind": {"S": _kind(row)}}
    for name, value in values.items():
        if value is not None:
            item[name] = _encode(schema[name], value)
    return item


def read_item(item: Item) -> tuple[str, dict[str, Any]]:
    """The kind of a stored record, and its values; attributes it lacks are None.

    The keys of indexes are left out: everything in them stands in the record itself.
    """
    kind = item["kind"]["S"]
    readers = _readers(_row_of(kind))
    values: dict[str, Any] = dict.fromkeys(readers)
    for name, stored in item.items():
        read = readers.get(name)
        if read is not None:
            values[name] = read(stored)
    return kind, values


def batch_get(keys: Sequence[Key], *, consistent: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """The kind and values of each record that is there, in no order."""
    wanted: Any = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in dict.fromkeys(keys)]
    while wanted:
        asked, wanted = wanted[:_MOST_KEYS], wanted[_MOST_KEYS:]
        answer = table_connection().batch_get_item(asked, consistent_read=consistent)
        for items in answer["Responses"].values():
            yield from map(read_item, items)
        unprocessed = answer.get("UnprocessedKeys") or {}
        wanted += [key for one in unprocessed.values() for key in one["Keys"]]


def batch_put(items: Sequence[Item]) -> None:
    """Write single records, in no order; whoever is interrupted writes them again.

    Raises UnavailableError.
    """
    _write_batches(items, lambda some: table_connection().batch_write_item(put_items=some))


def batch_delete(keys: Sequence[Key]) -> None:
    """Take single records away, in no order; those that are not there count as taken.

    Raises UnavailableError.
    """
    names = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in keys]
    _write_batches(names, lambda some: table_connection().batch_write_item(delete_items=some))


def _write_batches(records: Sequence[Any], write: Callable[[Sequence[Any]], Any]) -> None:
    wanted, pauses = list(records), 0
    while wanted:
        asked, wanted = wanted[:_MOST_WRITES], wanted[_MOST_WRITES:]
        try:
            left = write(asked).get("UnprocessedItems") or {}
        except PynamoDBException as error:
            raise UnavailableError(f"the store cannot be written: {error}") from error
        if left:
            pauses += 1
            if pauses > _MOST_PAUSES:
                raise UnavailableError("the store takes no more for now")
            time.sleep(_PAUSE * 2**pauses)
        wanted += [_unwrap(request) for found in left.values() for request in found]


def _unwrap(request: Mapping[str, Any]) -> Any:
    """The record or key of a request that the store left over."""
    if "PutRequest" in request:
        return request["PutRequest"]["Item"]
    return request["DeleteRequest"]["Key"]


def put_if(item: Item, condition: StoreCondition) -> bool:
    """Write one record by itself; False if *condition* does not hold. Raises UnavailableError."""
    key = item["pk"]["S"], item["sk"]["S"]
    try:
        table_connection().put_item(*key, attributes=item, condition=condition)
    except PutError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise UnavailableError(f"the store cannot be written: {error}") from error
    return True


def scan(**arguments: Any) -> dict[str, Any]:
    """One page of the whole table, as the store answers. Raises UnavailableError."""
    try:
        return dict(table_connection().scan(**arguments))
    except PynamoDBException as error:
        raise UnavailableError(f"the table cannot be read: {error}") from error


def query_partition(pk: str) -> Iterator[Item]:
    """Every record of a partition as it is stored, by consistent reads. Raises UnavailableError."""
    start: Any = None
    while True:
        try:
            answer = table_connection().query(pk, consistent_read=True, exclusive_start_key=start)
        except PynamoDBException as error:
            raise UnavailableError(f"the table cannot be read: {error}") from error
        yield from answer["Items"]
        start = answer.get("LastEvaluatedKey")
        if start is None:
            return


def put_item(item: Item) -> None:
    """Write one record, whatever was there. Raises UnavailableError."""
    try:
        table_connection().put_item(item["pk"]["S"], item["sk"]["S"], attributes=item)
    except PynamoDBException as error:
        raise UnavailableError(f"the store cannot be written: {error}") from error


def replace_item(before: Item, after: Item | None) -> bool:
    """Write *after* in the place of *before*, None for nothing; False if that has changed since.

    Raises UnavailableError.
    """
    # Every attribute must be as it was read: records of all kinds are told apart by nothing else.
    names = {f"#a{place}": name for place, name in enumerate(before)}
    values = {f":a{place}": value for place, value in enumerate(before.values())}
    pairs = zip(names, values, strict=True)
    arguments: dict[str, Any] = {
        "TableName": table_connection().table_name,
        "ConditionExpression": " AND ".join(f"{name} = {value}" for name, value in pairs),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
    connection = table_connection().connection
    try:
        if after is None:
            key = {"pk": before["pk"], "sk": before["sk"]}
            connection.dispatch("DeleteItem", {**arguments, "Key": key})
        else:
            connection.dispatch("PutItem", {**arguments, "Item": after})
    except PynamoDBException as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise UnavailableError(f"the store cannot be written: {error}") from error
    return True


def table_connection() -> TableConnection:
    return Row._get_connection()  # noqa: SLF001 - opened by `use_table`


def _encode(attribute: Attribute[Any], value: Any) -> dict[str, Any]:
    return {attribute.attr_type: attribute.serialize(value)}


@cache
def _schema(row: type[Row]) -> dict[str, Attribute[Any]]:
    return dict(row.get_attributes())


@cache
def _readers(row: type[Row]) -> dict[str, Callable[[dict[str, Any]], Any]]:
    """What turns each stored attribute into its value."""
    own = row.get_attributes().keys() - Row.get_attributes().keys()
    return {name: _reader(_schema(row)[name]) for name in ("pk", "sk", *own)}


def _reader(attribute: Attribute[Any]) -> Callable[[dict[str, Any]], Any]:
    if type(attribute) is UnicodeAttribute:
        return itemgetter("S")
    if type(attribute) is JSONAttribute:
        # PynamoDB's own way makes a new decoder each time.
        return lambda stored: json.loads(stored["S"])
    return lambda stored: attribute.deserialize(attribute.get_value(stored))


@cache
def _kind(row: type[Row]) -> str:
    attribute = row.get_attributes()["kind"]
    kind = attribute.get_discriminator(row) if isinstance(attribute, DiscriminatorAttribute) else ""
    if not kind:
        raise TypeError(f"{row.__name__} has no kind of its own")
    return str(kind)


@cache
def _row_of(kind: str) -> type[Row]:
    return next(row for row in Row.__subclasses__() if _kind(row) == kind)
