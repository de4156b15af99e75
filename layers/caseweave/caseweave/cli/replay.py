"""`caseweave replay`: what came in is tried again."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click

from caseweave.cli.desk_api import DeskApi, sign_in
from caseweave.cli.local_stack.cloud import tool_environment
from caseweave.cli.place import find_deployed, find_local, stack_options
from caseweave.cli.state_dir import state_dir_option
from caseweave.config.threading import load_threading
from caseweave.domain.threading import ThreadingPolicy
from caseweave.domain.times import from_rfc3339
from caseweave.settings import Settings
from caseweave.storage.ledger_pages import LedgerFilter

# As many as the API tries in one call.
BATCH = 50
_PARTS = ("provider", "account", "event_id")


# The settings of a function that are parameters of the stack (template.yaml).
_SETTINGS = {
    "DEFAULT_TEAM": "DefaultTeam",
    "RAW_RETENTION_DAYS": "RawRetentionDays",
    "SUPPORT_ADDRESS": "SupportAddress",
}


@click.command()
@state_dir_option
@click.option("--from", "since", default="", metavar="TIME", help="Received from then on.")
@click.option("--to", "until", default="", metavar="TIME", help="Received before.")
@click.option("--provider", default="", help="What one provider sent.")
@click.option("--quarantined", is_flag=True, help="What was not understood.")
@click.option("--into", default="", metavar="TABLE", help="Rebuild the cases in an empty table.")
@click.option(
    "--config",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("config"),
    show_default=True,
    help="With --into: the folder of the desk's files.",
)
@stack_options
def replay(
    state_dir: Path,
    since: str,
    until: str,
    provider: str,
    into: str,
    config: Path,
    stack: str | None,
    region: str | None,
    *,
    quarantined: bool,
) -> None:
    """Try input of the local stack again, after a fix, in the order in which it came.

    What is understood now becomes messages, once. What was taken in before changes nothing. TIME is
    like 2026-11-23T05:24:33Z.

    --into runs here, for the local stack or with your AWS keys for --stack; see docs/replay.md.
    """
    if into:
        if quarantined:
            raise click.UsageError("--into takes in everything: leave --quarantined out.")
        wanted = LedgerFilter(_read_time(since), _read_time(until), provider)
        threading = load_threading(config)
        _rebuild(_enter(state_dir, stack, region), into, wanted, threading)
        return
    if stack:
        raise click.UsageError("--stack is for --into; a deployed desk has POST /v1/replay.")
    if not (since or until or provider or quarantined):
        raise click.UsageError("Say what: --from, --to, --provider, --quarantined.")
    api = sign_in(state_dir, "lead")
    state = "quarantined" if quarantined else ""
    found = api.list_ledger(**{"from": since, "to": until, "provider": provider, "state": state})
    counts, new = replay_all(api, found)
    told = ", ".join(f"{outcome} {count}" for outcome, count in sorted(counts.items()))
    click.echo(f"{counts.total()} tried again: {told or 'nothing there'}. {new} taken in now.")


def _enter(state_dir: Path, stack: str | None, region: str | None) -> Settings:
    """The settings of a function of that stack. From then on this process asks the AWS it is on."""
    if stack:
        place = find_deployed(stack, region, "")
        if region:
            os.environ["AWS_DEFAULT_REGION"] = region
    else:
        place = find_local(state_dir)
        environment = tool_environment(place.outputs["EndpointUrl"])
        os.environ.clear()  # a profile of the caller, too
        os.environ.update(environment)
    known = {
        "TABLE_NAME": place.outputs["TableName"],
        "FILES_BUCKET": place.outputs["FilesBucket"],
        "PARAMETER_PREFIX": place.prefix,
        **{name: place.settings[one] for name, one in _SETTINGS.items() if one in place.settings},
    }
    # Who has the old table alone, without its stack, names it in the environment.
    return Settings.from_env({**known, **os.environ})


def _rebuild(
    settings: Settings, into: str, wanted: LedgerFilter, threading: ThreadingPolicy
) -> None:
    from caseweave.rebuild import Deviation, Rebuilder  # noqa: PLC0415 - reads every provider
    from caseweave.wiring import replayer  # noqa: PLC0415 - the same

    def tell(deviation: Deviation) -> None:
        name = deviation.name
        click.echo(f"{name.provider:<10} {name.event_id[:40]:<40} {deviation.reason}")

    count = Rebuilder(settings.table_name, into, replayer(settings, threading)).rebuild(
        wanted, tell
    )
    click.echo(f"{count} entries taken into {into}.")


def _read_time(text: str) -> datetime | None:
    try:
        return from_rfc3339(text) if text else None
    except ValueError as error:
        raise click.UsageError(f"{text} is no time: write 2026-11-23T05:24:33Z.") from error


def replay_all(api: DeskApi, found: Iterable[Mapping[str, Any]]) -> tuple[Counter[str], int]:
    """How many came out how, and how many events were new; what stays is printed."""
    counts: Counter[str] = Counter()
    new = 0
    for batch in _batches(sorted(found, key=lambda entry: str(entry["received_at"]))):
        done = api.replay([{part: str(entry[part]) for part in _PARTS} for entry in batch])
        new += done["new"]
        for one in done["items"]:
            counts[one["outcome"]] += 1
            if one["outcome"] != "known":
                reason = f"{one['outcome']} {one['reason']}".strip()
                click.echo(f"{one['provider']:<10} {one['event_id'][:40]:<40} {reason}")
    return counts, new


def _batches(entries: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    waiting = iter(entries)
    while batch := list(islice(waiting, BATCH)):
        yield batch
