"""Cases on the terminal: one with its whole history, or many with a line each."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from caseweave.cli.case_relations import render_relations
from caseweave.cli.case_timeline import render_events, render_timeline
from caseweave.cli.cells import date_time, plain
from caseweave.cli.labels import label

_PRIORITY_STYLES = {"urgent": "red", "high": "yellow"}


def render_file(file: Mapping[str, Any], language: str) -> RenderableType:
    """The unified case as the API gives it: head, timeline over all channels, what happened."""
    return Group(
        render_head(file["case"], language),
        *render_relations(file, language),
        render_timeline(file["messages"], language, file["case"]["ref"]),
        render_events(file["events"], language),
    )


def render_head(case: Mapping[str, Any], language: str) -> Panel:
    grid = Table.grid(padding=(0, 2), expand=True)
    for _ in range(2):
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold", ratio=1)
    facts = _facts(case, language)
    for left, right in zip(facts[::2], facts[1::2], strict=True):
        grid.add_row(label(left[0], language), left[1], label(right[0], language), right[1])
    title = Text.assemble((case["ref"], "bold"), "  ", plain(case["subject"], "bold"))
    return Panel(grid, title=title, title_align="left", box=box.ROUNDED)


def _facts(case: Mapping[str, Any], language: str) -> list[tuple[str, Text]]:
    assignee = case["assignee"] or label("nobody", language)
    channels = " · ".join(label(name, language) for name in case["channels"])
    return [
        ("state", plain(label(case["state"], language))),
        ("priority", _priority(case)),
        ("category", plain(case["category"])),
        ("team", plain(f"{case['team']} · {label('level', language)} {case['level']}")),
        ("customer", plain(case["customer_id"])),
        ("assignee", plain(assignee)),
        ("channels", plain(channels)),
        ("due_at", plain(date_time(case["due_at"]))),
        ("opened_at", plain(date_time(case["opened_at"]))),
        ("incident_id", plain(case["incident_id"] or "–")),
    ]


def render_list(cases: Iterable[Mapping[str, Any]], language: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("reference", "state", "priority", "team", "assignee", "due_at"):
        table.add_column(label(name, language), no_wrap=True)
    table.add_column(label("channels", language), overflow="fold", max_width=15)
    table.add_column(label("subject", language), no_wrap=True, overflow="ellipsis", ratio=1)
    for case in cases:
        table.add_row(
            case["ref"],
            label(case["state"], language),
            _priority(case),
            plain(case["team"]),
            plain(case["assignee"].partition("@")[0] or "–"),
            date_time(case["due_at"])[-5:],
            " ".join(label(name, language) for name in case["channels"]),
            plain(case["subject"]),
        )
    return table


def _priority(case: Mapping[str, Any]) -> Text:
    return Text(case["priority"], style=_PRIORITY_STYLES.get(case["priority"], ""))
