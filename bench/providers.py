"""Our CPU for one inbound message of each provider: at the door, and for the whole intake call.

The requests are those of `tests/contract`, each provider's own, signed as it signs. The whole call
takes the event in under a fresh id, so that every one is a new message of the same customer.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.engine import DOOR, bind
from caseweave.intake import receive_message
from caseweave.storage.ledger import RawInput
from tests.contract.specimens import VERIFIED

MESSAGES, ROUNDS = 20, 5


def run(outputs: dict[str, str]) -> None:
    """A line for each provider."""
    bind(outputs)
    print(f"intake by provider, {ROUNDS} x {MESSAGES} messages, our CPU a message:")
    for specimen in sorted(VERIFIED, key=lambda one: one.name):
        request, account = specimen.signed(), specimen.holding(["new", "old"])
        (event,) = specimen.parse(request)
        raw = RawInput(
            event.provider, event.account, datetime.now(UTC), timedelta(days=400), request.body
        )

        def at_the_door(
            _: str, one: Any = specimen, request: Any = request, account: Any = account
        ) -> None:
            one.admit(one, request, account, one.now())
            one.parse(request)

        def whole(name: str, event: Any = event, raw: Any = raw, door: Any = at_the_door) -> None:
            door(name)
            receive_message(replace(event, event_id=name), raw, DOOR)

        print(
            f"  {specimen.name:<14} {_milliseconds(specimen.name, at_the_door):5.2f} ms "
            f"at the door, {_milliseconds(specimen.name, whole):5.2f} ms whole"
        )


def _milliseconds(name: str, work: Callable[[str], None]) -> float:
    """The median of the rounds, after one that warms up."""
    found = []
    for number in range(ROUNDS + 1):
        started = time.process_time()
        for message in range(MESSAGES):
            work(f"{name}.{work.__name__}.{number}.{message}")
        found.append((time.process_time() - started) / MESSAGES * 1000)
    return statistics.median(found[1:])
