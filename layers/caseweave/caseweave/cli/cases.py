"""`caseweave cases` and `caseweave case`: look into the desk's cases from a terminal."""

from itertools import islice
from pathlib import Path

import click
from rich.console import Console

from caseweave.cli.case_table import render_file, render_list
from caseweave.cli.desk_api import sign_in
from caseweave.cli.labels import label
from caseweave.cli.language import language_option
from caseweave.cli.state_dir import state_dir_option

LONGEST_PAGE = 200


@click.command()
@state_dir_option
@language_option
@click.option("--team", default="", help="Only this team's.")
@click.option("--state", default="", help="Only in these states: new,open,pending,resolved,closed.")
@click.option("--assignee", default="", help="Only this agent's: zhou.min@caseweave.local.")
@click.option("--customer", default="", help="Only this customer's, closed ones too.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
def cases(
    state_dir: Path,
    language: str,
    team: str,
    state: str,
    assignee: str,
    customer: str,
    limit: int,
) -> None:
    """List cases: without options, all in which there is work, the most pressing first."""
    found = sign_in(state_dir, "agent").list_cases(
        team=team,
        state=state,
        assignee=assignee,
        customer=customer,
        limit=str(min(limit, LONGEST_PAGE)),
    )
    shown = list(islice(found, limit))
    console = Console()
    console.print(render_list(shown, language) if shown else label("no_cases", language))


@click.command()
@state_dir_option
@language_option
@click.argument("reference")
def case(state_dir: Path, language: str, reference: str) -> None:
    """Show the case with REFERENCE (C-7K3F-9Q2M): head, timeline, what happened."""
    found = sign_in(state_dir, "agent").read_case(reference)
    Console().print(render_file(found, language))
