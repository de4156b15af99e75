"""What a search found on the terminal: the cases, why each, and what was looked through."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from caseweave.cli.cells import date_time, plain
from caseweave.cli.labels import label


def render_found(found: Mapping[str, Any], language: str) -> RenderableType:
    """The page of `GET /v1/search`."""
    lines: list[RenderableType] = [_render_reading(found["read_as"], language)]
    if found["items"]:
        lines.append(_render_cases(found["items"], language))
    else:
        lines.append(label("no_cases", language))
    if found["covers"] is not None:
        lines.append(_render_cover(found["covers"], language))
    if found["next"]:
        lines.append(Text(label("more_cases", language), style="dim"))
    return Group(*lines)


def _render_reading(readings: list[Mapping[str, Any]], language: str) -> Text:
    """As what the query was read."""
    told = [_name(one, language) for one in readings]
    return plain(f"{label('looked_for', language)}: {', '.join(told)}", "dim")


def _render_cases(items: list[Mapping[str, Any]], language: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("reference", "state", "opened_at"):
        table.add_column(label(name, language), no_wrap=True)
    table.add_column(label("subject", language), no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column(label("found_by", language), overflow="fold", ratio=2)
    for item in items:
        case = item["case"]
        table.add_row(
            case["ref"],
            label(case["state"], language),
            date_time(case["opened_at"]),
            plain(case["subject"]),
            Text("\n").join(_describe_match(one, language) for one in item["matches"]),
        )
    return table


def _describe_match(match: Mapping[str, Any], language: str) -> Text:
    if match["kind"] == "text":
        return plain(match["excerpt"])
    return plain(_name(match, language))


def _name(thing: Mapping[str, Any], language: str) -> str:
    """A thing with its kind; of a card there is nothing to show."""
    return f"{label('by_' + thing['kind'], language)} {thing['value'] or '•••'}"


def _render_cover(covers: Mapping[str, Any], language: str) -> Text:
    """Of which messages the words were looked through, since when, and whether all were."""
    told = [label(f"covers_{covers['messages']}", language)]
    if covers["since"]:
        told.append(f"{label('since', language)} {date_time(covers['since'])}")
    if covers["most_terms"]:
        told.append(label("covers_terms", language).format(covers["most_terms"]))
    if covers["is_cut"]:
        told.append(label("covers_cut", language))
    return Text("; ".join(told), style="dim")
