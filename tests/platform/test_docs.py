"""docs/platform-connector.md: its example is a platform, and its words are the code's."""

import re
from datetime import UTC, datetime, timedelta
from http.server import HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from caseweave.platform.answer import State, Trouble
from caseweave.platform.connector import Connector, World
from caseweave.platform.records import Account
from caseweave.platform.transport import open_url
from tests.platform.sample import FIRST, SECOND

PAGE = (Path(__file__).parents[2] / "docs" / "platform-connector.md").read_text("utf-8")
(EXAMPLE,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def example():
    """The example, served on a free port; its address."""
    code, _, start = EXAMPLE.strip().rpartition("\n")
    assert start.startswith("HTTPServer(")
    written = {}
    exec(code.replace("whsec_…", FIRST), written)
    with HTTPServer(("127.0.0.1", 0), written["Desk"]) as server:
        written["Desk"].log_message = lambda *_: None
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(5)


def ask(url, user, *secrets):
    connector = Connector(
        url,
        World(
            now=lambda: datetime.now(UTC),
            sleep=lambda seconds: None,
            draw=lambda: 0.0,
            new_id=lambda: "question-1",
            open_url=open_url,
            read_secrets=lambda: secrets,
        ),
    )
    return connector.account(user, connector.deadline(timedelta(seconds=3)))


def test_the_example_is_a_platform(example):
    assert ask(example, "u-1001", FIRST).value == Account("u-1001", "林小雨", "vip")
    assert ask(example, "u-1001", SECOND, FIRST).is_ok
    unknown = ask(example, "u-1002", FIRST)
    assert (unknown.state, unknown.value) == (State.OK, None)


def test_the_example_answers_nobody_else(example):
    assert ask(example, "u-1001", SECOND).trouble is Trouble.REFUSED


def test_the_example_is_short():
    assert len([line for line in EXAMPLE.splitlines() if line.strip()]) <= 32


def test_every_reason_is_explained():
    explained = set(re.findall(r"`(\w+)`", PAGE))

    assert {*Trouble, "no_user", "unknown_user"} <= explained
