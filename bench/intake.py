"""Our CPU for one inbound message, beside the same calls made bare with boto3, on one engine."""

import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from bench.engine import bind, make_request, recorded_calls, take_in

MESSAGES, ROUNDS = 60, 9
BUDGET = 1.15


def run(dynamodb: Any, outputs: dict[str, str]) -> None:
    """Ours and bare in turn, message by message, so that a noisy moment meets both."""
    bind(outputs)
    phone = "+8613700000001"
    for number in range(20):
        take_in(make_request(phone, f"SMwarm{number}"))
    ratios, ours_ms, bare_ms = [], [], []
    for number in range(ROUNDS):
        scripts = _bare_scripts(dynamodb, f"+86138{number:08}", number)
        ours = bare = 0.0
        for n, script in enumerate(scripts):
            request = make_request(phone, f"SM{number}.{n}")
            ours += _cpu_seconds(partial(take_in, request))
            bare += _cpu_seconds(partial(_replay, dynamodb, [script]))
        ratios.append(ours / bare)
        ours_ms.append(ours / MESSAGES * 1000)
        bare_ms.append(bare / MESSAGES * 1000)
    print(
        f"intake, steady state, {ROUNDS} x {MESSAGES} messages: our CPU "
        f"{statistics.median(ours_ms):.2f} ms, bare boto3 {statistics.median(bare_ms):.2f} ms, "
        f"ratio {statistics.median(ratios):.3f} "
        f"({min(ratios):.3f} to {max(ratios):.3f}); budget {BUDGET}"
    )


def _cpu_seconds(work: Callable[[], Any]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _bare_scripts(dynamodb: Any, phone: str, number: int) -> list[list[tuple[str, dict[str, Any]]]]:
    """The store calls of MESSAGES messages, recorded from our intake on one customer and renamed
    to another, so that they can be made again with all their conditions.
    """
    with recorded_calls() as opening:
        take_in(make_request(phone, f"SMbareopen{number}"))
    items = [put["Put"]["Item"] for put in opening[-1][1]["TransactItems"]]
    names = [phone, *(i["pk"]["S"] for i in items if i["kind"]["S"] in ("case", "customer"))]
    _replay(dynamodb, [_renamed([opening[-1]], names)])
    scripts = []
    for n in range(MESSAGES):
        with recorded_calls() as calls:
            take_in(make_request(phone, f"SMbare{number}.{n}"))
        scripts.append(_renamed(calls, names))
    return scripts


def _renamed(
    calls: list[tuple[str, dict[str, Any]]], names: list[str]
) -> list[tuple[str, dict[str, Any]]]:
    """The same calls about another case and customer: *names* are theirs, each gets a zero."""
    text = json.dumps(calls, default=lambda raw: {"__b": raw.decode("latin-1")})
    for name in names:
        text = text.replace(name, name + "0")
    text = text.replace("SMbare", "SMrenamed").replace("REF#C-", "REF#R-")
    renamed = [(name, _revive(arguments)) for name, arguments in json.loads(text)]
    for _, arguments in renamed:
        # Belongs to the recorded call; boto3 makes a new one.
        arguments.pop("ClientRequestToken", None)
    return renamed


def _revive(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"__b"}:
            return value["__b"].encode("latin-1")
        return {name: _revive(one) for name, one in value.items()}
    return [_revive(one) for one in value] if isinstance(value, list) else value


def _replay(dynamodb: Any, scripts: list[list[tuple[str, dict[str, Any]]]]) -> None:
    methods = {
        "BatchGetItem": dynamodb.batch_get_item,
        "TransactWriteItems": dynamodb.transact_write_items,
    }
    for script in scripts:
        for operation, arguments in script:
            methods[operation](**arguments)
