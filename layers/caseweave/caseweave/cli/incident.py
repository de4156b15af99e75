"""`caseweave incident`: something is broken; the customers it touches shall hear of it."""

from pathlib import Path

import click

from caseweave.cli.desk_api import sign_in
from caseweave.cli.state_dir import state_dir_option


@click.group()
def incident() -> None:
    """Incidents: declared once, told to every customer they touch, once each."""


@incident.command()
@state_dir_option
@click.option("--title", required=True, help="What agents see.")
@click.option("--product", "products", multiple=True, help="Customers with a case on it are told.")
@click.option("--user", "users", multiple=True, help="A platform user who is touched: u-1001.")
@click.option("--zh", required=True, help="What customers are told in Chinese.")
@click.option("--en", required=True, help="What customers are told in English.")
def declare(
    state_dir: Path,
    title: str,
    products: tuple[str, ...],
    users: tuple[str, ...],
    zh: str,
    en: str,
) -> None:
    """Declare an incident; within a minute the schedule tells the customers it touches."""
    if not products and not users:
        raise click.UsageError("Say whom it touches: --product game-topup, or --user u-1001")
    declared = sign_in(state_dir, "lead").declare_incident(
        {
            "title": title,
            "products": list(products),
            "platform_users": list(users),
            "notice": {"zh-CN": zh, "en": en},
        }
    )
    click.echo(f"Incident {declared['id']} is {declared['state']}.")


@incident.command()
@state_dir_option
@click.argument("incident_id")
@click.option("--zh", required=True, help="What customers are told in Chinese.")
@click.option("--en", required=True, help="What customers are told in English.")
def resolve(state_dir: Path, incident_id: str, zh: str, en: str) -> None:
    """It is over; within a minute whoever was told hears so."""
    notice = {"zh-CN": zh, "en": en}
    resolved = sign_in(state_dir, "lead").resolve_incident(incident_id, notice)
    click.echo(f"Incident {resolved['id']} is {resolved['state']}.")
