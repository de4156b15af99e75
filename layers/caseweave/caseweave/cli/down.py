"""`caseweave down`: nothing of the local stack keeps running."""

from pathlib import Path

import click

from caseweave.cli.local_stack import stop_stack
from caseweave.cli.state_dir import state_dir_option


@click.command()
@state_dir_option
def down(state_dir: Path) -> None:
    """Stop the local stack; what it stored is gone, its secrets and logs stay."""
    stopped = stop_stack(state_dir)
    click.echo(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")
