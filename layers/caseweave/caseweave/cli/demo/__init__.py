"""`caseweave demo`: a scripted day over HTTP with real signatures, checked as it goes."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from caseweave.cli.case_table import render_file
from caseweave.cli.demo.arrival import Opened
from caseweave.cli.demo.customer import play_customer
from caseweave.cli.demo.customer_view import show_customer
from caseweave.cli.demo.deadline import play_deadline
from caseweave.cli.demo.impostors import play_impostors
from caseweave.cli.demo.narration import narrate
from caseweave.cli.demo.outage import play_outage
from caseweave.cli.demo.reply import AGENT, play_reply
from caseweave.cli.demo.stage import Stage
from caseweave.cli.desk_api import sign_in
from caseweave.cli.language import language_option
from caseweave.cli.local_stack import (
    DEFAULT_PORTS,
    Outputs,
    Ports,
    read_outputs,
    read_secrets,
    start_stack,
)
from caseweave.cli.local_stack.errors import LocalStackError
from caseweave.cli.local_stack.processes import find_running
from caseweave.cli.local_stack.programs import NAMES
from caseweave.cli.outside.customers import Outside
from caseweave.cli.outside.received import count_received
from caseweave.cli.state_dir import state_dir_option
from caseweave.cli.up import Steps

WHERE_TO_LOOK = 28  # cells


@click.command()
@state_dir_option
@language_option
@click.option(
    "--port-base",
    envvar="CASEWEAVE_PORT_BASE",
    type=click.IntRange(1024, 65530),
    default=DEFAULT_PORTS.emulator,
    show_default=True,
    help="First of the ports to use if the stack has to be started. Also CASEWEAVE_PORT_BASE.",
)
def demo(state_dir: Path, language: str, port_base: int) -> None:
    """Play a day of a support desk on the local stack, and show the case it makes.

    Every step is checked: exit code 1 and what was wrong, if anything was.
    """
    console = Console()
    outputs = _ensure_up(state_dir, port_base, console)
    began = time.monotonic()
    console.print(f"\n[bold]{narrate('title', language)}[/bold]")
    stage = _set_stage(state_dir, language, outputs, console)
    hers = play_customer(stage)
    play_impostors(stage, hers)
    play_reply(stage, hers)
    mayas = play_deadline(stage)
    play_outage(stage, hers, mayas)
    console.print()
    console.rule(f"[bold]{narrate('unified', language)}", align="left", style="cyan")
    console.print(render_file(stage.agent.read_case(hers.ref), language))
    show_customer(stage, hers)
    _print_next(stage, hers)
    seconds = f"{time.monotonic() - began:.1f}"
    console.print(f"\n[bold green]✓ {narrate('total', language, seconds=seconds)}")


def _ensure_up(state_dir: Path, port_base: int, console: Console) -> Outputs:
    """What runs is left as it is; otherwise the stack is started as `caseweave up` does."""
    try:
        outputs = read_outputs(state_dir)
    except LocalStackError:
        outputs = {}
    if outputs and all(find_running(state_dir, name) for name in NAMES):
        return outputs
    return start_stack(state_dir, Ports.from_base(port_base), step=Steps(console))


def _set_stage(state_dir: Path, language: str, outputs: Outputs, console: Console) -> Stage:
    return Stage(
        outside=Outside(outputs, read_secrets(state_dir)),
        agent=sign_in(state_dir, "agent", AGENT.partition("@")[0]),
        lead=sign_in(state_dir, "lead", "he.jing"),
        console=console,
        language=language,
        began_at=datetime.now(UTC),
        first_seen=count_received(outputs["SinkUrl"]),
    )


def _print_next(stage: Stage, hers: Opened) -> None:
    outputs, caseweave = stage.outside.outputs, name_program(Path(sys.argv[0]), Path.cwd())
    stage.console.print(f"\n[bold]{narrate('next', stage.language)}[/bold]")
    for key, where in (
        ("sink", outputs["SinkUrl"]),
        ("api", f"{outputs['ApiUrl']}/v1/cases"),
        ("platform", outputs["PlatformUrl"]),
        ("token", f"{caseweave} token --role agent"),
        ("list", f"{caseweave} cases"),
        ("show", f"{caseweave} case {hers.ref}"),
        ("customer", f"{caseweave} customer {hers.ref}"),
        ("write", f"{caseweave} send sms --phone +8613800138000 --text 到账了,谢谢"),
        ("stop", "make down"),
    ):
        said = Text(narrate(key, stage.language), style="dim")
        # Chinese takes two cells a character, so the text is aligned by cells.
        said.pad_right(max(0, WHERE_TO_LOOK - said.cell_len))
        # no table: a narrow terminal would cut the addresses
        stage.console.print(Text.assemble("  ", said, where), soft_wrap=True)


def name_program(called: Path, here: Path) -> str:
    """How to call this program again from *here*: `make demo` has it on no one's PATH."""
    path = here / called
    is_ours = called.name == "caseweave" and path.is_relative_to(here)
    return str(path.relative_to(here)) if is_ours else "caseweave"
