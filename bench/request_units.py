"""What one inbound message costs in DynamoDB request units, from the items themselves.

Write units as the engine charges them; read units computed from the item sizes, which the engine
does not do: half a unit per 4 KB begun and item, eventually consistent.
"""

import json
import math
from typing import Any

from bench.engine import make_request, recorded_calls, take_in


def run(dynamodb: Any, outputs: dict[str, str]) -> None:
    table = outputs["TableName"]
    phone = "+8613600000001"
    _report("first message of a customer", dynamodb, table, phone, "SMunit0")
    for number in range(1, 30):
        take_in(make_request(phone, f"SMunit{number}"))
    _report("thirtieth message of a case", dynamodb, table, phone, "SMunit30")


def _report(label: str, dynamodb: Any, table: str, phone: str, sid: str) -> None:
    with recorded_calls() as calls:
        take_in(make_request(phone, sid))
    reads = [a for name, a in calls if name == "BatchGetItem"]
    (write,) = [a for name, a in calls if name == "TransactWriteItems"]
    read_units = sum(_read_units(dynamodb, table, arguments) for arguments in reads)
    items = [put["Put"]["Item"] for put in write["TransactItems"]]
    charged = sum(write_units(item) for item in items)
    print(
        f"request units, {label}: {read_units:.1f} read ({len(reads)} calls), "
        f"{charged} write ({len(items)} items in 1 transaction, indexes included)"
    )


def _read_units(dynamodb: Any, table: str, arguments: dict[str, Any]) -> float:
    keys = arguments["RequestItems"][table]["Keys"]
    found = dynamodb.batch_get_item(RequestItems={table: {"Keys": keys}})["Responses"][table]
    sizes = [item_size(item) for item in found] + [0] * (len(keys) - len(found))
    return sum(0.5 * max(1, math.ceil(size / 4096)) for size in sizes)


def write_units(item: dict[str, Any]) -> int:
    """Two units per KB begun in a transaction, and one per KB and index that holds the item (an
    update of an index whose key changes costs a second one).
    """
    kilobytes = math.ceil(item_size(item) / 1024)
    indexes = sum(f"{name}_pk" in item for name in ("worklist", "due", "customer", "assignee"))
    return 2 * kilobytes + indexes * kilobytes


def item_size(item: dict[str, Any]) -> int:
    """The stored size: names and values in UTF-8 (near enough for numbers)."""
    return sum(
        len(name.encode())
        + sum(
            len(value) if isinstance(value, bytes) else len(json.dumps(value, ensure_ascii=False))
            for value in typed.values()
        )
        for name, typed in item.items()
    )
