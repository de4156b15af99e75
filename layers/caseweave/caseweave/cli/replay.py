"""`caseweave replay`: what came in verified and was not understood is tried again."""

from pathlib import Path

import click

from caseweave.cli.desk_api import sign_in
from caseweave.cli.state_dir import state_dir_option


@click.command()
@state_dir_option
@click.option("--quarantined", is_flag=True, required=True, help="Replay the quarantine.")
def replay(state_dir: Path, quarantined: bool) -> None:  # noqa: ARG001, FBT001 - says what is replayed
    """Try quarantined input again, after a fix; what is understood becomes messages, once."""
    done = sign_in(state_dir, "lead").replay_quarantine()
    for one in done["items"]:
        outcome = "understood" if one["understood"] else f"kept: {one['reason']}"
        click.echo(f"{one['provider']:<10} {one['event_id'][:40]:<40} {outcome}")
    click.echo(f"{done['understood']} of {len(done['items'])} understood.")
