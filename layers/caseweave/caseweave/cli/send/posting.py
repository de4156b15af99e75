"""What all commands share: the stack they write to, and what they say of its answer."""

from pathlib import Path

import click

from caseweave.cli.local_stack import read_outputs, read_secrets
from caseweave.cli.outside.customers import Outside
from caseweave.cli.outside.http import Reply

text_option = click.option("--text", required=True, help="What the customer writes.")


def outside_of(state_dir: Path) -> Outside:
    """Raises LocalStackError when no stack is up."""
    return Outside(read_outputs(state_dir), read_secrets(state_dir))


def report(reply: Reply) -> None:
    """Status, and the reference where the channel answers with one; exit code 1 if refused."""
    is_json = "json" in {key.lower(): value for key, value in reply.headers.items()}.get(
        "content-type", ""
    )
    said = reply.json() if is_json and reply.body else {}
    reference = said.get("reference") if isinstance(said, dict) else None
    click.echo(f"{reply.status} {reference}" if reference else str(reply.status))
    if reply.status >= 400:
        raise click.exceptions.Exit(1)
