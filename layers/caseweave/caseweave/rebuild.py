"""Rebuilding cases from the ledger, into an empty table: the same ids, references, customers.

What came in is taken in again in the order in which it came, each event at its own time, and cases
are closed, and their topics known, when they were: so the same messages meet the same open cases,
by the rules of today (config/threading.yaml). What the desk did is not
in the ledger (docs/replay.md).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from caseweave.domain.case import Case, CaseState
from caseweave.domain.clocks import stop_clock
from caseweave.domain.event import begin_change
from caseweave.domain.state_change import change_state
from caseweave.errors import CaseweaveError, InvalidRequestError, NotFoundError
from caseweave.intake import Drawn, take_in
from caseweave.parts import SWEPT, sweep_parts
from caseweave.replay import Replayer, name_event
from caseweave.rereading import Reading, reread
from caseweave.storage.cases import commit_change, read_head
from caseweave.storage.closings import Closing, Triage, is_empty, list_turns
from caseweave.storage.customers import read_customer_of
from caseweave.storage.ledger import (
    LedgerEntry,
    LedgerName,
    LedgerState,
    keep_without_message,
    read_entries,
)
from caseweave.storage.ledger_pages import LedgerFilter, LedgerLine, list_all
from caseweave.storage.open_cases import note_topic
from caseweave.storage.table import use_table


@dataclass(frozen=True, slots=True)
class Deviation:
    """An entry that did not land where it had, and why."""

    name: LedgerName
    reason: str


@dataclass(frozen=True, slots=True)
class Rebuilder:
    """From which table into which, and what taking in needs. Both tables are of this process, one
    at a time.
    """

    source: str
    target: str
    replayer: Replayer

    def rebuild(self, wanted: LedgerFilter, deviates: Callable[[Deviation], None]) -> int:
        """How many entries there were. Raises InvalidRequestError for a target that has records,
        UnavailableError.
        """
        use_table(self.target)
        if not is_empty():
            advice = "name a new table, made from infra/storage.yaml"
            raise InvalidRequestError("The table has records.", (("into", advice),))
        use_table(self.source)
        lines = list(list_all(wanted))
        steps: list[LedgerLine | Closing | Triage] = [*lines, *list_turns()]
        steps.sort(key=_time_of)
        for _, together in groupby(steps, key=_time_of):
            self._take_moment(list(together), deviates)
        return len(lines)

    def _take_moment(
        self,
        steps: Sequence[LedgerLine | Closing | Triage],
        deviates: Callable[[Deviation], None],
    ) -> None:
        """What has the same time: the events of one request, in their order there."""
        use_table(self.source)
        names = [step.name for step in steps if isinstance(step, LedgerLine)]
        entries = read_entries(names)
        heads = map(_find_head, {entry.case_id for entry in entries.values()})
        drawn = {}
        for case in filter(None, heads):
            customer = read_customer_of(case.customer_id)
            drawn[case.id] = Drawn(case.ref, case.seal)
            drawn[customer.id] = Drawn("", customer.seal)
        use_table(self.target)
        door = replace(self.replayer.door, drawn=drawn)
        target = replace(self.replayer, door=door)
        for entry, reading in _in_order(entries.values(), target):
            if reason := _take_entry(entry, reading, target):
                deviates(Deviation(entry.name, reason))
        for step in steps:
            if isinstance(step, Closing):
                _close(step)
            elif isinstance(step, Triage):
                _triage(step)


def _time_of(step: LedgerLine | Closing | Triage) -> datetime:
    return step.received_at if isinstance(step, LedgerLine) else step.at


def _find_head(case_id: str) -> Case | None:
    try:
        return read_head(case_id) if case_id else None
    except NotFoundError:
        return None


def _in_order(
    entries: Iterable[LedgerEntry], replayer: Replayer
) -> Iterator[tuple[LedgerEntry, Reading | None]]:
    read = []
    for entry in entries:
        reading = _read_or_none(entry, replayer)
        names = [name_event(event) for event in reading.events] if reading else []
        place = names.index(entry.name) if entry.name in names else len(names)
        read.append((place, entry.name.key, entry, reading))
    for _, _, entry, reading in sorted(read, key=lambda one: one[:2]):
        yield entry, reading


def _read_or_none(entry: LedgerEntry, replayer: Replayer) -> Reading | None:
    if entry.state is LedgerState.ERASED:
        return None
    try:
        return reread(entry, replayer.read_credentials)
    except CaseweaveError:
        return None


def _take_entry(entry: LedgerEntry, reading: Reading | None, replayer: Replayer) -> str:
    """Why it did not land where it had; "" if it did."""
    raw = entry.as_raw(replayer.retention, replayer.files_bucket)
    events = reading.events if reading else ()
    event = next((one for one in events if name_event(one) == entry.name), None)
    try:
        if entry.provider == SWEPT:
            sweep_parts(replayer.door, replayer.retention, entry.received_at)
        elif reading is not None and event is not None:
            reading.keep_files(replayer.files_bucket)
            take_in([event], raw, replayer.door)
        else:
            # Not understood then or now: it stays for people to read, or done with.
            keep_without_message(raw, entry.event_id, entry.state, entry.reason)
    except CaseweaveError as error:
        return f"{type(error).__name__}: {error}"
    if entry.state is LedgerState.ERASED:
        # The guard alone: what it guards is gone from both.
        return ""
    landed = read_entries([entry.name]).get(entry.name)
    place = (landed.case_id, landed.message_id) if landed else ("", "")
    if place != (entry.case_id, entry.message_id):
        return f"it was in case {entry.case_id or '-'} and is in {place[0] or '-'} now"
    return ""


def _triage(triage: Triage) -> None:
    """Known to the rules alone: the case itself is triaged by the desk that takes it over."""
    case = _find_head(triage.case_id)
    if case is not None:
        note_topic(case.id, case.customer_id, triage.category, triage.at)


def _close(closing: Closing) -> None:
    try:
        case = read_head(closing.case_id)
    except NotFoundError:
        # It began before the range, or by what the desk did.
        return
    if case.is_active:
        clocks = tuple(stop_clock(clock, closing.at) for clock in case.clocks)
        change = begin_change(case)
        commit_change(
            change_state(
                change, CaseState.CLOSED, closing.reason, closing.actor, closing.at, clocks
            )
        )
