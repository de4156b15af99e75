"""`caseweave timeline`: everything of a customer, over all channels and cases, from a terminal."""

from itertools import islice
from pathlib import Path

import click
from rich.console import Console

from caseweave.cli.customer_timeline import render_customer_timeline
from caseweave.cli.desk_api import sign_in
from caseweave.cli.labels import label
from caseweave.cli.language import language_option
from caseweave.cli.state_dir import state_dir_option
from caseweave.domain.reference import parse_reference

LONGEST_PAGE = 200


@click.command()
@state_dir_option
@language_option
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@click.option("--newest-first", is_flag=True, help="Instead of in order of occurrence.")
@click.argument("customer")
def timeline(
    state_dir: Path, language: str, limit: int, customer: str, *, newest_first: bool
) -> None:
    """Show all that CUSTOMER and the desk said to each other: an id, or the reference of a case."""
    api = sign_in(state_dir, "agent")
    if parse_reference(customer):
        customer = api.read_case(customer)["case"]["customer_id"]
    order = "desc" if newest_first else "asc"
    page = str(min(limit, LONGEST_PAGE))
    shown = list(islice(api.list_timeline(customer, order=order, limit=page), limit))
    console = Console()
    if shown:
        console.print(render_customer_timeline(shown, language))
    else:
        console.print(label("no_history", language))
