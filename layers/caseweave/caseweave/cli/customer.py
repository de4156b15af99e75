"""`caseweave customer`: a customer as an agent sees them."""

from pathlib import Path

import click
from rich.console import Console

from caseweave.cli.customer_table import render_customer
from caseweave.cli.desk_api import sign_in
from caseweave.cli.language import language_option
from caseweave.cli.state_dir import state_dir_option
from caseweave.domain.reference import parse_reference


@click.command()
@state_dir_option
@language_option
@click.argument("name", metavar="ID")
def customer(state_dir: Path, language: str, name: str) -> None:
    """Show the customer with this ID, or whose case has this reference (C-7K3F-9Q2M)."""
    desk = sign_in(state_dir, "agent")
    is_reference = parse_reference(name) is not None
    customer_id = desk.read_case(name)["case"]["customer_id"] if is_reference else name
    Console().print(render_customer(desk.read_customer(customer_id), language))
