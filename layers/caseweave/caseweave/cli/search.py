"""`caseweave search`: cases by what was said in them, from a terminal."""

from pathlib import Path

import click
from rich.console import Console

from caseweave.cli.desk_api import sign_in
from caseweave.cli.language import language_option
from caseweave.cli.search_table import render_found
from caseweave.cli.state_dir import state_dir_option

LONGEST_PAGE = 200


@click.command()
@state_dir_option
@language_option
@click.option("--kind", default="", help="What it is: order_no, card, phone, email, name, text, …")
@click.option("--limit", type=click.IntRange(1, LONGEST_PAGE), default=20, show_default=True)
@click.argument("query", nargs=-1, required=True)
def search(state_dir: Path, language: str, kind: str, limit: int, query: tuple[str, ...]) -> None:
    """Find cases by QUERY: a reference, an order or phone number, an amount, a name, or words."""
    api = sign_in(state_dir, "agent")
    found = api.search(q=" ".join(query), kind=kind, limit=str(limit))
    Console().print(render_found(found, language))
