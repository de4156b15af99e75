"""A customer's history on the terminal: every channel, every case, in order."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from caseweave.cli.cells import date_time, plain
from caseweave.cli.labels import label

_ARROWS = {"inbound": "→", "outbound": "←"}
_LONGEST = 300


def render_customer_timeline(items: Iterable[Mapping[str, Any]], language: str) -> Table:
    """The items of `GET /v1/customers/{id}/timeline`; → came in, ← went out."""
    table = Table(
        title=label("timeline", language),
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        expand=True,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column(label("time", language), no_wrap=True, style="dim")
    table.add_column(label("reference", language), no_wrap=True)
    table.add_column(label("state", language), no_wrap=True)
    table.add_column(label("channel", language), no_wrap=True)
    table.add_column(label("text", language), overflow="fold", ratio=1)
    for item in items:
        case = item["case"]
        table.add_row(
            date_time(item["at"]),
            case["ref"] or "–",
            label(case["state"], language) if case["state"] else "–",
            _channel(item, language),
            _content(item, language),
        )
    return table


def _channel(item: Mapping[str, Any], language: str) -> Text:
    message = item["message"]
    if message is None:
        return Text("")
    arrow = _ARROWS.get(message["direction"])
    if arrow is None:
        return Text(label("note", language), style="yellow")
    is_messenger = item["channel"] == "messenger"
    name = label(message["provider"] if is_messenger else item["channel"], language)
    return Text(f"{arrow} {name}", style="cyan" if arrow == "→" else "green")


def _content(item: Mapping[str, Any], language: str) -> Text:
    message = item["message"]
    if message is None:
        why = f": {item['reason']}" if item["reason"] else ""
        return plain(f"— {label('timeline_' + item['kind'], language)}{why}", "bold")
    is_cut = message["is_cut"] or len(message["body"]) > _LONGEST
    said = plain(message["body"][:_LONGEST] + ("…" if is_cut else ""))
    if message["direction"] == "inbound" and message["subject"]:
        said = Text.assemble(plain(message["subject"], "bold"), "\n", said)
    for file in message["attachments"]:
        words = f"[{label('file', language)}] {file['name']} ({file['media_type']})"
        said = Text.assemble(said, "\n", plain(words, "magenta"))
    return said
