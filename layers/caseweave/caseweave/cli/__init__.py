"""The caseweave command, for developers and ops. Not part of the Lambda layer."""

import importlib
from typing import Any, cast

import click

from caseweave import __version__
from caseweave.errors import CaseweaveError

# name: (where it is, what --help says). A module is imported only when its command is called, so
# that `caseweave --help` does not wait for boto3. A command with parts (`config check`) is a
# click group in a module of its own.
COMMANDS = {
    "demo": ("caseweave.cli.demo:demo", "Play a day of a support desk, and check what it shows."),
    "up": ("caseweave.cli.up:up", "Start the local cloud, build and deploy, print the addresses."),
    "down": ("caseweave.cli.down:down", "Stop the local stack."),
    "config": ("caseweave.cli.config:config", "Check the configuration files of the desk."),
    "token": ("caseweave.cli.sign_in:token", "Print an ID token for the API of the local stack."),
    "cases": ("caseweave.cli.cases:cases", "List cases."),
    "case": ("caseweave.cli.cases:case", "Show one case with its whole history."),
    "search": ("caseweave.cli.search:search", "Find cases by numbers, names or words."),
    "timeline": ("caseweave.cli.timeline:timeline", "Show a customer's history on all channels."),
    "customer": ("caseweave.cli.customer:customer", "Show one customer as an agent sees them."),
    "send": ("caseweave.cli.send:send", "Write to the desk as a customer, on any channel."),
    "doctor": ("caseweave.cli.doctor:doctor", "Check how the channels are set up."),
    "replay": ("caseweave.cli.replay:replay", "Try again what was not understood."),
    "evidence": ("caseweave.cli.evidence:evidence", "Export evidence of a case, and verify it."),
    "privacy": ("caseweave.cli.privacy:privacy", "Export, erase, and keep to the retention rules."),
    "incident": ("caseweave.cli.incident:incident", "Tell customers that something is broken."),
}


class LazyGroup(click.Group):
    """Imports a command when it is called, and shows our own errors without a trace."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, function = COMMANDS[cmd_name][0].split(":")
        return cast("click.Command", getattr(importlib.import_module(module), function))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CaseweaveError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Run Caseweave here, look into its cases, check its configuration."""
