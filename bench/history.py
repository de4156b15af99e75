"""What reading and writing costs when the history is long: the same as when it is short.

One customer with 1 000, 10 000 and 100 000 messages in cases of fifty; all of them name one order
and say one word. Measured are the calls and request units of an intake, a case read, a page of the
timeline and searches; the run fails unless each is exactly what it was with the shortest history.

The table is moto's, loaded directly: units are computed from what goes in and comes out, by
DynamoDB's own rounding, so the engine does not matter to them. Times are moto's, which walks all
items of an index; they say nothing about DynamoDB.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from pynamodb.connection import Connection

from bench.engine import make_request, recorded_calls, take_in
from bench.request_units import item_size, write_units
from caseweave.agents.caller import Caller
from caseweave.agents.search import TABLE, Searching, search
from caseweave.agents.timelines import show_timeline
from caseweave.config.desk import load_desk
from caseweave.storage.cases import read_file
from caseweave.storage.items import make_item
from caseweave.storage.table import PointerRow, PostingRow, entity_key, posting_key, use_table
from caseweave.text_search import find_in_table

SIZES = (1_000, 10_000, 100_000)
MESSAGES_A_CASE = 50
ROOT = Path(__file__).resolve().parent.parent
# What the customer writes from, and what each message names (`engine.make_request`).
PHONE, OTHER, ORDER = "+8613600000009", "+8613600000008", "T20261123-7731"
COMMON, RARE = "到账", "琥珀"
# The case that is read, the one with all of its chain.
WHOLE_CASE, FIRST_EVENT = 1, "EVT#00000001"
FIRST_DAY, KEYS = date(2020, 1, 1), [b"k" * 32]
AGENT = Caller("bench", ("agent",))
_REGION = "us-east-1"


@dataclass
class Cost:
    """Calls to the store, and their request units."""

    calls: int = 0
    read: float = 0.0
    write: int = 0
    seconds: float = field(default=0.0, compare=False)

    def __str__(self) -> str:
        return f"{self.calls} calls, {self.read:.1f} read, {self.write} write"


def run() -> None:
    """Raises SystemExit where a cost has grown."""
    measured = [_measure(size) for size in SIZES]
    sizes = ", ".join(f"{size:,}" for size in SIZES)
    print(f"history of {sizes} messages: units at the first, ratios at each, moto's own ms at each")
    for name, first in measured[0].items():
        costs = [costs[name] for costs in measured]
        ratios = ", ".join(f"{_ratio(first, cost):.1f}" for cost in costs)
        times = ", ".join(f"{cost.seconds * 1000:.0f}" for cost in costs)
        print(f"history, {name}: {first}; ratios {ratios}; ms {times}", flush=True)
        if any(cost != first for cost in costs):
            sys.exit(f"history: the cost of {name} grows: {'; '.join(map(str, costs))}")


def _ratio(first: Cost, cost: Cost) -> float:
    """The largest of the ratios of calls and units; 1.0 where nothing grew."""
    pairs = [(first.calls, cost.calls), (first.read, cost.read), (first.write, cost.write)]
    return max(new / old for old, new in pairs if old)


def _measure(size: int) -> dict[str, Cost]:
    """What each way costs with a history of *size* messages, in a table of its own."""
    with mock_aws():
        history = History(_make_table())
        for number in range(size // MESSAGES_A_CASE):
            history.load_case(number)
        costs = {}
        for name, way in _ways(history).items():
            with _metered() as cost:
                way()
            costs[name] = cost
    return costs


def _ways(history: "History") -> dict[str, Callable[[], Any]]:
    desk = load_desk(ROOT / "config")
    searching = Searching(desk, KEYS, find_in_table, TABLE, datetime.now(UTC))
    show = partial(_show, history.customer_id)
    later = show(order="asc")["next"]
    return {
        "case read": lambda: read_file(_case_id(WHOLE_CASE)),
        "newest page of the timeline": partial(show, order="desc"),
        "oldest page of the timeline": partial(show, order="asc"),
        "a later page of the timeline": partial(show, order="asc", cursor=later),
        "search for an order number": partial(_find, searching, ORDER),
        "search for common words": partial(_find, searching, COMMON, kind="text"),
        "search for a rare and a common word": partial(
            _find, searching, f"{COMMON} {RARE}", kind="text"
        ),
        "intake": lambda: take_in(make_request(PHONE, "SMhistory2")),
    }


def _show(customer: str, **query: str) -> dict[str, Any]:
    return show_timeline(customer, {"limit": "50", **query}, AGENT)


def _find(searching: Searching, q: str, **query: str) -> dict[str, Any]:
    found = search({"q": q, "limit": "20", **query}, AGENT, searching)
    if not found["items"]:
        sys.exit(f"history: nothing was found for {q}")
    return found


# ---------------------------------------------------------------- the cost of calls


@contextmanager
def _metered() -> Iterator[Cost]:
    """Counts what the store is asked meanwhile."""
    cost, original = Cost(), Connection._make_api_call

    def meter(self: Connection, operation: str, arguments: dict[str, Any]) -> Any:
        answer = original(self, operation, arguments)
        cost.calls += 1
        read, write = _units(operation, arguments, answer)
        cost.read += read
        cost.write += write
        return answer

    Connection._make_api_call = meter  # type: ignore[method-assign]
    started = time.perf_counter()
    try:
        yield cost
    finally:
        cost.seconds = time.perf_counter() - started
        Connection._make_api_call = original  # type: ignore[method-assign]


def _units(
    operation: str, arguments: Mapping[str, Any], answer: Mapping[str, Any]
) -> tuple[float, int]:
    """Each record of a BatchGetItem is rounded by itself, a page of a Query as a whole."""
    if operation == "Query":
        size = sum(item_size(item) for item in answer["Items"])
        return _read_units(size, arguments.get("ConsistentRead", False)), 0
    if operation == "GetItem":
        size = item_size(answer.get("Item", {}))
        return _read_units(size, arguments.get("ConsistentRead", False)), 0
    if operation == "BatchGetItem":
        read = 0.0
        for name, asked in arguments["RequestItems"].items():
            found = [item_size(item) for item in answer["Responses"].get(name, [])]
            sizes = found + [0] * (len(asked["Keys"]) - len(found))
            consistent = asked.get("ConsistentRead", False)
            read += sum(_read_units(size, consistent) for size in sizes)
        return read, 0
    if operation == "TransactWriteItems":
        puts = [one["Put"]["Item"] for one in arguments["TransactItems"] if "Put" in one]
        return 0.0, sum(write_units(item) for item in puts)
    sys.exit(f"history: {operation} has no price here")


def _read_units(size: int, is_consistent: bool) -> float:  # noqa: FBT001 - as the store names it
    return max(1, math.ceil(size / 4096)) * (1.0 if is_consistent else 0.5)


# ---------------------------------------------------------------- the long history


class History:
    """A customer with one open case, and as many closed ones as are loaded: each a copy of one
    that our own intake wrote, a day after the one before.
    """

    def __init__(self, table: Any) -> None:
        self._table = table
        with recorded_calls() as calls:
            take_in(make_request(PHONE, "SMhistory1"))
        self.customer_id = _named(_puts(calls), "customer")
        with recorded_calls() as calls:
            for number in range(MESSAGES_A_CASE):
                take_in(make_request(OTHER, f"SMcase{number:04}"))
        puts = _puts(calls)
        kept = {
            (item["pk"]["S"], item["sk"]["S"]): item
            for item in puts
            if item["kind"]["S"] in ("case", "message", "event")
        }
        self._day = _named(puts, "case", "opened_at")[:10]
        self._text = json.dumps(list(kept.values()), ensure_ascii=False).replace(
            _named(puts, "customer"), self.customer_id
        )
        self._case_id = _named(puts, "case")

    def load_case(self, number: int) -> None:
        day = (FIRST_DAY + timedelta(days=number)).isoformat()
        text = self._text.replace(self._case_id, _case_id(number)).replace(self._day, day)
        if number == 0:
            text = text.replace("麻烦", RARE, 1)
        items = json.loads(text)
        if number != WHOLE_CASE:
            # What is said in chains adds weight, and nothing that is read by anybody here.
            items = [item for item in items if item["sk"]["S"] <= FIRST_EVENT or _is_message(item)]
        messages = [item for item in items if _is_message(item)]
        for term in (COMMON, RARE):
            items += [
                make_item(PostingRow, posting_key(term, (one["pk"]["S"], one["sk"]["S"])))
                for one in messages
                if term in one["body"]["S"]
            ]
        pointer = entity_key("order_no", ORDER, _case_id(number))
        items.append(make_item(PointerRow, pointer, case_id=_case_id(number)))
        for item in items:
            self._table.put_item(item)


def _is_message(item: Mapping[str, Any]) -> bool:
    return bool(item["kind"]["S"] == "message")


def _case_id(number: int) -> str:
    return f"01{number:024}"


def _puts(calls: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Any]:
    return [
        one["Put"]["Item"]
        for name, arguments in calls
        if name == "TransactWriteItems"
        for one in arguments["TransactItems"]
        if "Put" in one
    ]


def _named(puts: Sequence[Any], kind: str, attribute: str = "") -> str:
    """The id, or something in the head, of the record of a kind that was written last."""
    (*_, item) = (item for item in puts if item["kind"]["S"] == kind)
    if attribute:
        return str(json.loads(item["head"]["S"])[attribute])
    return str(item["pk"]["S"].partition("#")[2])


def _make_table() -> Any:
    """The table that `infra/storage.yaml` describes, bound to our rows; moto's own object."""
    os.environ.update(
        AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing", AWS_DEFAULT_REGION=_REGION
    )
    os.environ.pop("AWS_ENDPOINT_URL", None)
    formation = boto3.client("cloudformation", region_name=_REGION)
    formation.create_stack(
        StackName="history",
        TemplateBody=(ROOT / "infra" / "storage.yaml").read_text(),
        Parameters=[{"ParameterKey": "DeletionProtection", "ParameterValue": "false"}],
    )
    outputs = formation.describe_stacks(StackName="history")["Stacks"][0]["Outputs"]
    (name,) = [one["OutputValue"] for one in outputs if one["OutputKey"] == "TableName"]
    table = dynamodb_backends[DEFAULT_ACCOUNT_ID][_REGION].get_table(name)
    # Nobody reads its stream, and no transaction is refused: moto would copy both for each.
    table.stream_shard = None
    type(table).__deepcopy__ = lambda self, _: self
    use_table(name)
    return table


if __name__ == "__main__":
    run()
