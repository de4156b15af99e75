"""What belongs to a case, and who else has it before them."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from caseweave.cli.cells import clock_time, plain
from caseweave.cli.labels import label


def render_relations(file: Mapping[str, Any], language: str) -> Iterator[Table | Text]:
    """Nothing for a case that stands alone."""
    if file["asked_for"]:
        refs = f"{file['asked_for']['ref']} → {file['case']['ref']}"
        yield Text(f"{refs}: {label('case_merged', language)}", style="yellow")
    for one in file["present"]:
        doing = f"{label(one['doing'], language)} ({clock_time(one['since'])})"
        yield Text.assemble(plain(one["agent"].partition("@")[0]), " ", (doing, "yellow"))
    merged = [("merged-from", case) for case in file["merged"]]
    linked = [(link["kind"], link["case"]) for link in file["links"]]
    if merged or linked:
        yield _tabulate([*merged, *linked], language)


def _tabulate(related: list[tuple[str, Mapping[str, Any]]], language: str) -> Table:
    table = Table(
        title=label("links", language),
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        expand=True,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for name in ("link", "reference", "state"):
        table.add_column(label(name, language), no_wrap=True)
    table.add_column(label("subject", language), no_wrap=True, overflow="ellipsis", ratio=1)
    for kind, case in related:
        table.add_row(
            label(kind, language), case["ref"], label(case["state"], language),
            plain(case["subject"]),
        )  # fmt: skip
    return table
