"""threading.yaml: how long conversations last, and what becomes of closed cases.

Every intake function needs it before its first message, and reading YAML costs more than all else
that they load: so the layer's build writes it as JSON too (`python -m caseweave.config.threading`,
see config/Makefile), which is what they read.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caseweave.config.folder import config_folder
from caseweave.domain.message import Channel
from caseweave.domain.open_cases import CLOSED_FOR
from caseweave.domain.threading import After, ClosedRule, Several, ThreadingPolicy

if TYPE_CHECKING:
    from caseweave.config.nodes import Node

COMPILED = "threading.json"
# The categories that no playbook makes.
_OWN_CATEGORIES = ("incident", "consent")
_LONGEST_WINDOW = timedelta(days=30)


@cache
def deployed_threading() -> ThreadingPolicy:
    """The policy that was deployed with this function. Raises InvalidConfigError without one."""
    folder = config_folder()
    compiled = folder / COMPILED
    if compiled.exists():
        return read_compiled(json.loads(compiled.read_bytes()))
    return load_threading(folder)


def load_threading(folder: Path) -> ThreadingPolicy:
    """Raises InvalidConfigError with file, line and what to write instead."""
    from caseweave.config.nodes import read_file  # noqa: PLC0415 - YAML is slow to load

    root = read_file(folder / "threading.yaml").mapping(
        "conversations", "closed_cases", "several_open", "topics"
    )
    playbooks = read_file(folder / "playbooks.yaml")
    nodes = [*playbooks.get("playbooks").each(), playbooks.get("fallback")]
    categories = [node.get("category").text() for node in nodes]
    windows = root.get("conversations").mapping(*[str(channel) for channel in Channel])
    closed = _read_closed(root.get("closed_cases"), categories)
    return ThreadingPolicy(
        windows={channel: _read_window(windows.get(channel)) for channel in Channel},
        default=closed.pop("default"),
        closed=closed,
        several=Several(root.get("several_open").one_of([str(known) for known in Several])),
        topics={"form": _find_forms(nodes), **_read_topics(root.get("topics"), categories)},
    )


def _read_window(node: "Node") -> timedelta:
    return _read_time(node, _LONGEST_WINDOW)


def _read_time(node: "Node", longest: timedelta) -> timedelta:
    from caseweave.config.durations import read_duration  # noqa: PLC0415 - only for YAML

    span = node.convert(read_duration, "write a time such as 0s, 30m, 12h or 7d")
    if span > longest:
        raise node.fail(f"write at most {longest.days}d")
    return span


def _read_closed(node: "Node", categories: Sequence[str]) -> dict[str, ClosedRule]:
    node.mapping("default", *_OWN_CATEGORIES, *categories).get("default")
    return {category: _read_closed_rule(rule) for category, rule in node.items()}


def _read_closed_rule(node: "Node") -> ClosedRule:
    node.mapping("reopen_within", "after")
    return ClosedRule(
        _read_time(node.get("reopen_within"), CLOSED_FOR),
        After(node.get("after").one_of([str(known) for known in After])),
    )


def _read_topics(node: "Node", categories: Sequence[str]) -> dict[str, dict[str, str]]:
    node.mapping("queue", "product")
    return {
        name: {value: topic.one_of(categories) for value, topic in known.items()}
        for name, known in node.items()
    }


def _find_forms(playbooks: "Sequence[Node]") -> dict[str, str]:
    """The category of each form that a playbook lists."""
    return {
        form: playbook.get("category").text()
        for playbook in playbooks
        if (forms := playbook.find("forms"))
        for form in forms.texts()
    }


def compile_policy(policy: ThreadingPolicy) -> dict[str, Any]:
    """The policy as JSON; times in seconds."""
    return {
        "windows": {name: window.total_seconds() for name, window in policy.windows.items()},
        "closed": {
            name: [rule.reopen_within.total_seconds(), rule.after]
            for name, rule in (("", policy.default), *policy.closed.items())
        },
        "several": policy.several,
        "topics": policy.topics,
    }


def read_compiled(compiled: Mapping[str, Any]) -> ThreadingPolicy:
    closed = {
        name: ClosedRule(timedelta(seconds=within), After(after))
        for name, (within, after) in compiled["closed"].items()
    }
    return ThreadingPolicy(
        windows={Channel(n): timedelta(seconds=s) for n, s in compiled["windows"].items()},
        default=closed.pop(""),
        closed=closed,
        several=Several(compiled["several"]),
        topics=compiled["topics"],
    )


if __name__ == "__main__":
    json.dump(compile_policy(load_threading(Path(sys.argv[1]))), sys.stdout, ensure_ascii=False)
