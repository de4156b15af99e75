"""`caseweave replay`: what came in is tried again."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click

from caseweave.cli.desk_api import DeskApi, sign_in
from caseweave.cli.state_dir import state_dir_option
from caseweave.domain.times import from_rfc3339
from caseweave.storage.ledger_pages import LedgerFilter

# As many as the API tries in one call.
BATCH = 50
_PARTS = ("provider", "account", "event_id")


@click.command()
@state_dir_option
@click.option("--from", "since", default="", metavar="TIME", help="Received from then on.")
@click.option("--to", "until", default="", metavar="TIME", help="Received before.")
@click.option("--provider", default="", help="What one provider sent.")
@click.option("--quarantined", is_flag=True, help="What was not understood.")
@click.option("--into", default="", metavar="TABLE", help="Rebuild the cases in an empty table.")
def replay(
    state_dir: Path, since: str, until: str, provider: str, into: str, *, quarantined: bool
) -> None:
    """Try input again, after a fix, in the order in which it came.

    What is understood now becomes messages, once. What was taken in before changes nothing. TIME is
    like 2026-11-23T05:24:33Z.

    --into runs here, with the credentials of whoever calls it and the settings of a function
    (TABLE_NAME, PARAMETER_PREFIX, FILES_BUCKET); see docs/replay.md.
    """
    if into:
        _rebuild(into, since, until, provider)
        return
    if not (since or until or provider or quarantined):
        raise click.UsageError("Say what: --from, --to, --provider, --quarantined.")
    api = sign_in(state_dir, "lead")
    state = "quarantined" if quarantined else ""
    found = api.list_ledger(**{"from": since, "to": until, "provider": provider, "state": state})
    counts, new = replay_all(api, found)
    told = ", ".join(f"{outcome} {count}" for outcome, count in sorted(counts.items()))
    click.echo(f"{counts.total()} tried again: {told or 'nothing there'}. {new} taken in now.")


def _rebuild(into: str, since: str, until: str, provider: str) -> None:
    from caseweave.rebuild import Deviation, Rebuilder  # noqa: PLC0415 - reads every provider
    from caseweave.wiring import replayer, start  # noqa: PLC0415 - the environment of a function

    def tell(deviation: Deviation) -> None:
        name = deviation.name
        click.echo(f"{name.provider:<10} {name.event_id[:40]:<40} {deviation.reason}")

    try:
        settings = start()
    except KeyError as error:
        raise click.UsageError(f"--into needs {error.args[0]} in the environment.") from error
    wanted = LedgerFilter(_read_time(since), _read_time(until), provider)
    count = Rebuilder(settings.table_name, into, replayer(settings)).rebuild(wanted, tell)
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
