"""`caseweave config check`: are the desk's files right, and if not, what to write instead."""

from pathlib import Path

import click

from caseweave.config.desk import load_desk
from caseweave.config.forms import check_claims, load_forms
from caseweave.config.media import load_media_limits
from caseweave.config.privacy import load_privacy
from caseweave.config.threading import load_threading
from caseweave.config.web import load_web_rules


@click.group()
def config() -> None:
    """The desk's configuration files."""


@config.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path("config"),
    show_default=True,
)
def check(folder: Path) -> None:
    """Read every file as a deployment would; complain with file and line."""
    load_media_limits(folder)
    desk, forms = load_desk(folder), load_forms(folder)
    check_claims(folder)
    load_web_rules(folder)
    load_privacy(folder)
    load_threading(folder)
    click.echo(
        f"{folder}: fine. {len(desk.playbooks)} playbooks, {len(desk.policies)} policies, "
        f"{len(desk.calendars)} calendars, {len(desk.teams)} teams, {len(desk.texts)} texts, "
        f"{len(forms)} forms."
    )
