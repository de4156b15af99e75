"""What every act of the demo needs: the world outside, the desk, and a way to tell the story."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from rich.console import Console
from rich.padding import Padding

from caseweave.cli.case_timeline import name_channel
from caseweave.cli.cells import plain
from caseweave.cli.demo.narration import narrate
from caseweave.cli.desk_api import DeskApi
from caseweave.cli.outside.customers import Outside
from caseweave.cli.outside.http import Reply
from caseweave.cli.outside.received import list_received
from caseweave.cli.up import Steps
from caseweave.errors import CaseweaveError

T = TypeVar("T")
# Far longer than a message takes; a cold stack on a busy machine needs some of it.
PATIENCE = 45.0
PAUSE = 0.1

_PROVIDER_CHANNELS = {"twilio": "sms", "telegram": "messenger", "ses": "email"}


class DemoError(CaseweaveError):
    """Something was not as it should be; the message says what was expected and what was seen."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One run of the demo. `first_seen` is the sink's newest message when it began."""

    outside: Outside
    agent: DeskApi
    lead: DeskApi
    console: Console
    language: str
    began_at: datetime
    first_seen: int

    def act(self, number: int, key: str) -> None:
        self.console.print()
        text = narrate(key, self.language)
        self.console.rule(f"[bold]{number} · {text}", align="left", style="cyan")

    def step(self, key: str, **values: object) -> AbstractContextManager[None]:
        """A step of the story, printed with its time when it is done."""
        return Steps(self.console)(narrate(key, self.language, **values))

    def tell(self, text: str, style: str = "", indent: int = 4) -> None:
        """A line, or some, below a step."""
        self.console.print(Padding(plain(text, style), (0, 0, 0, indent), expand=False))

    def tell_key(self, key: str, style: str = "", **values: object) -> None:
        self.tell(narrate(key, self.language, **values), style)

    def tell_received(self, message: dict[str, Any]) -> None:
        """A message as the provider got it for the customer."""
        provider = str(message["provider"])
        named = {"channel": _PROVIDER_CHANNELS[provider], "provider": provider}
        channel = name_channel(named, self.language)
        self.tell_key("received", "green", channel=channel, to=message["to"])
        self.tell(message["body"], "dim", indent=6)

    def wait_for(self, what: str, look: Callable[[], T | None]) -> T:
        """What *look* sees, as soon as it sees something. Raises DemoError when it never does."""
        deadline = time.monotonic() + PATIENCE
        while True:
            seen = look()
            if seen is not None:
                return seen
            if time.monotonic() > deadline:
                raise DemoError(
                    f"Waited {PATIENCE:.0f} s for {what}, and it did not come. Either the stack is "
                    "busy with something else, or it failed: see `logs` in its state folder."
                )
            time.sleep(PAUSE)

    def let_second_pass(self) -> None:
        """Telegram and mail tell the time to the second: a timeline cannot order what came within
        one, and nobody writes that fast.
        """
        second = int(time.time())
        self.wait_for("the next second", lambda: int(time.time()) > second or None)

    def wait_received(self, to: str, text: str) -> dict[str, Any]:
        """The message to *to* of this run in which *text* occurs."""

        def look() -> dict[str, Any] | None:
            return next(iter(self.find_received(to, text)), None)

        return self.wait_for(f"a message to {to} with {text!r}", look)

    def find_received(self, to: str, text: str) -> list[dict[str, Any]]:
        found = list_received(self.outside.outputs["SinkUrl"], to, self.first_seen)
        return [m for m in found if text in m["body"] and m["status"] == "accepted"]


def require(claim: bool, expected: str, seen: object = None) -> None:  # noqa: FBT001 (a check)
    """Raise DemoError unless *claim* holds."""
    if not claim:
        got = "" if seen is None else f", but it is {seen!r}"
        raise DemoError(f"Expected {expected}{got}.")


def require_status(reply: Reply, *expected: int) -> Reply:
    wanted = " or ".join(map(str, expected))
    require(reply.status in expected, f"status {wanted}", f"{reply.status} {reply.body[:200]!r}")
    return reply
