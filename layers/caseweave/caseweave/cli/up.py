"""`caseweave up`: the whole stack on this machine."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from caseweave.cli.local_stack import DEFAULT_PORTS, Outputs, Ports, start_stack
from caseweave.cli.state_dir import state_dir_option


@click.command()
@state_dir_option
@click.option(
    "--port-base",
    envvar="CASEWEAVE_PORT_BASE",
    type=click.IntRange(1024, 65530),
    default=DEFAULT_PORTS.emulator,
    show_default=True,
    help="First of the ports to use (this, +4 and +5). Also CASEWEAVE_PORT_BASE.",
)
def up(state_dir: Path, port_base: int) -> None:
    """Start the local cloud, build and deploy template.yaml, print the addresses.

    Run it again after a change: what runs is kept, and only the change is deployed.
    """
    console = Console()
    steps = Steps(console)
    outputs = start_stack(state_dir, Ports.from_base(port_base), step=steps)
    _print_addresses(console, outputs)


class Steps:
    """Says what is being done, and how long it took."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def __call__(self, text: str) -> Iterator[None]:
        started = time.monotonic()
        with self._console.status(text):
            yield
        seconds = time.monotonic() - started
        self._console.print(f"[green]✓[/green] {text} [dim]{seconds:.1f} s[/dim]")


def _print_addresses(console: Console, outputs: Outputs) -> None:
    for label, name in (
        ("API", "ApiUrl"),
        ("Local cloud", "EndpointUrl"),
        ("Provider sink", "SinkUrl"),
        ("Platform", "PlatformUrl"),
    ):
        # no table: a narrow terminal would cut the addresses
        console.print(f"  [bold]{label:<14}[/bold] {outputs[name]}", soft_wrap=True)
