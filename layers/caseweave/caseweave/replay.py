"""Replay: what was taken in, or was not understood, is tried again by today's parsers (P1, P2).

An event that the ledger knows changes nothing, whatever it is. What was quarantined and is
understood now becomes messages, dated by when it came, and leaves the list.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from caseweave.channels.credentials import Credentials
from caseweave.domain.message import InboundEvent, MailReport
from caseweave.errors import CaseweaveError, ContentionError, UnavailableError
from caseweave.intake import Door, take_in
from caseweave.quarantine import release
from caseweave.rereading import reread
from caseweave.returned_mail import find_reported
from caseweave.storage.ledger import (
    LedgerEntry,
    LedgerName,
    LedgerState,
    bound_event_id,
    list_quarantined,
    read_entries,
)


class Outcome(StrEnum):
    # Every event of it was taken in before.
    KNOWN = "known"
    TAKEN_IN = "taken_in"
    NOT_UNDERSTOOD = "not_understood"
    # Try again: the store or a bucket could not be asked.
    FAILED = "failed"
    # No such entry: its time is over.
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one entry; `new` counts the events that were taken in now."""

    name: LedgerName
    outcome: Outcome
    new: int = 0
    reason: str = ""

    @property
    def is_understood(self) -> bool:
        return self.outcome in (Outcome.KNOWN, Outcome.TAKEN_IN)


@dataclass(frozen=True, slots=True)
class Replayer:
    """What trying again needs."""

    files_bucket: str
    read_credentials: Callable[[str], Credentials]
    door: Door
    retention: timedelta

    def replay_named(self, names: Sequence[LedgerName]) -> list[Replayed]:
        """Try these again in the order in which they came. Raises UnavailableError."""
        entries = read_entries(names)
        gone = [Replayed(name, Outcome.GONE) for name in names if name not in entries]
        return self._replay(sorted(entries.values(), key=lambda one: one.received_at)) + gone

    def replay_quarantined(self, limit: int) -> list[Replayed]:
        """Try the newest *limit* quarantined entries again, the oldest of them first."""
        return self._replay(reversed(list(list_quarantined(limit))))

    def _replay(self, entries: Iterable[LedgerEntry]) -> list[Replayed]:
        """One that fails does not stop the others."""
        done = []
        for entry in entries:
            try:
                done.append(self._replay_one(entry))
            except (UnavailableError, ContentionError) as error:
                done.append(Replayed(entry.name, Outcome.FAILED, reason=str(error)))
            except CaseweaveError as error:
                done.append(Replayed(entry.name, Outcome.NOT_UNDERSTOOD, reason=str(error)))
        return done

    def _replay_one(self, entry: LedgerEntry) -> Replayed:
        if entry.state is LedgerState.ERASED:
            return Replayed(entry.name, Outcome.GONE)
        reading = reread(entry, self.read_credentials)
        known = read_entries([name_event(event) for event in reading.events])
        new = [event for event in reading.events if not _is_settled(known.get(name_event(event)))]
        for event in new:
            if isinstance(event, MailReport):
                # One that is about no mail of ours stays where people see it.
                find_reported(event, self.door.signing_keys)
        if new:
            reading.keep_files(self.files_bucket)
        take_in(new, entry.as_raw(self.retention, self.files_bucket), self.door)
        release(entry, self.retention)
        return Replayed(entry.name, Outcome.TAKEN_IN if new else Outcome.KNOWN, len(new))


def _is_settled(entry: LedgerEntry | None) -> bool:
    return entry is not None and entry.state is not LedgerState.QUARANTINED


def name_event(event: InboundEvent) -> LedgerName:
    """The name of its entry, if it was taken in before."""
    return LedgerName(event.provider, event.account, bound_event_id(event.event_id))
