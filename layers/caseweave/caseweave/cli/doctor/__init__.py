"""`caseweave doctor`: what is wrong with the set-up of the channels, and what to change."""

import json
from pathlib import Path

import click

from caseweave.cli.doctor.asking import ask
from caseweave.cli.doctor.examine import NAMES, examine, is_set_up, summary
from caseweave.cli.doctor.finding import Level
from caseweave.cli.language import language_option
from caseweave.cli.place import find_deployed, find_local, stack_options
from caseweave.cli.state_dir import state_dir_option

_COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "red"}
_LABELS = {
    "en": {Level.OK: "ok", Level.WARNING: "warning", Level.PROBLEM: "PROBLEM"},
    "zh-CN": {Level.OK: "正常", Level.WARNING: "注意", Level.PROBLEM: "问题"},
}
_LEFT_OUT = {"en": "not set up: ", "zh-CN": "未配置："}


@click.command()
@click.argument("providers", nargs=-1, type=click.Choice(NAMES), metavar="[PROVIDER]...")
@state_dir_option
@stack_options
@click.option("--api-url", default="", help="A domain of your own before the stack's API.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@language_option
def doctor(
    providers: tuple[str, ...],
    state_dir: Path,
    stack: str | None,
    region: str | None,
    api_url: str,
    language: str,
    *,
    as_json: bool,
) -> None:
    """Check secrets, webhooks and what the providers say; all that is set up, or those named.

    Ends with 1 if there is a problem.
    """
    place = find_deployed(stack, region, api_url) if stack else find_local(state_dir)
    chosen = providers or tuple(name for name in NAMES if is_set_up(name, place))
    findings = {name: examine(name, place, ask) for name in chosen}
    if as_json:
        click.echo(json.dumps(summary(findings), ensure_ascii=False, indent=2))
    else:
        for name, found in findings.items():
            click.secho(name, bold=True)
            for one in found:
                label = click.style(_LABELS[language][one.level], fg=_COLOURS[one.level])
                click.echo(f"  {label}  {one.in_language(language)}")
        left_out = [name for name in NAMES if name not in chosen and not providers]
        if left_out:
            click.echo(_LEFT_OUT[language] + ", ".join(left_out))
    if any(one.level is Level.PROBLEM for found in findings.values() for one in found):
        raise click.exceptions.Exit(1)
