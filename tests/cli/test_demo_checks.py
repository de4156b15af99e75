from pathlib import Path

import pytest

from caseweave.cli.demo import name_program, stage
from caseweave.cli.demo.stage import DemoError, Stage, require, require_status
from caseweave.cli.outside.http import Reply


def test_what_is_not_as_it_should_be_says_what_was_seen():
    with pytest.raises(DemoError, match=r"^Expected one notice, but it is 2\.$"):
        require(False, "one notice", 2)


def test_an_unexpected_status_shows_the_answer():
    with pytest.raises(DemoError, match=r"status 200 or 201, but it is .*403 .*Forbidden"):
        require_status(Reply(403, {}, b"Forbidden"), 200, 201)


def test_waiting_ends_with_what_was_waited_for(monkeypatch):
    monkeypatch.setattr(stage, "PATIENCE", 0.0)
    waiting = Stage(*[None] * 7)

    with pytest.raises(DemoError, match="for an answer, and it did not come"):
        waiting.wait_for("an answer", lambda: None)


def test_waiting_ends_with_what_is_seen(monkeypatch):
    monkeypatch.setattr(stage, "PAUSE", 0.0)
    seen = iter([None, None, "an answer"])

    assert Stage(*[None] * 7).wait_for("an answer", lambda: next(seen)) == "an answer"


@pytest.mark.parametrize(
    ("called", "name"),
    [
        (".venv/bin/caseweave", ".venv/bin/caseweave"),
        ("/srv/desk/.venv/bin/caseweave", ".venv/bin/caseweave"),
        ("/usr/local/bin/caseweave", "caseweave"),
        ("/srv/desk/.venv/bin/pytest", "caseweave"),
    ],
)
def test_what_to_do_next_can_be_typed_as_it_is_printed(called, name):
    assert name_program(Path(called), Path("/srv/desk")) == name
