"""A customer's open and lately closed cases, as one record: all that choosing between them needs.

A merged customer's cases stand in the record of the customer that everything was merged into.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from caseweave.domain.case import Case

# A record holds 400 KB and is read with every message.
MOST_CASES = 50
MOST_CLOSED = 10
MOST_ENTITIES = 20
# No window in which a word opens a closed case again is longer (config/threading.py).
CLOSED_FOR = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class ListedCase:
    """One case of the customer, or of one who was merged into them (`customer_id`).

    `topic` is its category, or until triage the one that its first message declared, "" for none.
    `entities` are keyed digests of the order numbers and cards that its messages name. `active_at`
    is the customer's last word as far as it was noted: what merely goes on in the same conversation
    is not. `follows` is the closed case that it goes on from.
    """

    id: str
    customer_id: str
    opened_at: datetime
    active_at: datetime
    topic: str = ""
    entities: tuple[str, ...] = ()
    closed_at: datetime | None = None
    follows: str = ""

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


@dataclass(frozen=True, slots=True)
class OpenCases:
    """The record of the customer `owner`; version 0 is one that is not there yet.

    `moved_to` is the customer whose record has the cases of this one since they were merged.
    """

    owner: str
    cases: tuple[ListedCase, ...] = ()
    version: int = 0
    moved_to: str = ""

    @property
    def open(self) -> tuple[ListedCase, ...]:
        """The open ones, the latest active first."""
        return _latest_first(case for case in self.cases if case.is_open)

    def find(self, case_id: str) -> ListedCase | None:
        return next((case for case in self.cases if case.id == case_id), None)

    def note(self, *listed: ListedCase, at: datetime) -> "OpenCases":
        """With these cases as they are now, and without what is no longer worth keeping."""
        new = {case.id: case for case in listed}
        cases = [case for case in self.cases if case.id not in new]
        return replace(self, cases=_bound([*cases, *new.values()], at))

    def drop(self, *case_ids: str) -> "OpenCases":
        return replace(self, cases=tuple(case for case in self.cases if case.id not in case_ids))


def follow_case(listed: OpenCases, before: Case | None, after: Case) -> OpenCases | None:
    """The record after a change of one case; None if the change is none of its business."""
    if not concerns_list(before, after):
        return None
    if after.merged_into:
        return _merge(listed, after)
    known = listed.find(after.id) or list_case(after)
    closed_at = None if after.is_active else known.closed_at or after.updated_at
    now = replace(known, topic=after.category or known.topic, closed_at=closed_at)
    return None if listed.find(after.id) == now else listed.note(now, at=after.updated_at)


def list_case(case: Case) -> ListedCase:
    """A case of which the record says nothing: just opened, or closed long ago (at the latest when
    it was last changed).
    """
    closed_at = None if case.is_active else case.updated_at
    return ListedCase(
        case.id, case.customer_id, case.opened_at, case.opened_at, case.category, (), closed_at
    )


def concerns_list(before: Case | None, after: Case) -> bool:
    """May this change have to be noted in the customer's record?"""
    if before is None:
        # A case that is born closed is a notice, in which nothing is owed.
        return after.is_active
    seen = (before.is_active, before.category, before.merged_into)
    return seen != (after.is_active, after.category, after.merged_into)


def _merge(listed: OpenCases, merged: Case) -> OpenCases | None:
    """A case that was merged is listed no more; the other is found by its entities too."""
    gone, other = listed.find(merged.id), listed.find(merged.merged_into)
    if gone is None:
        return None
    left = listed.drop(gone.id)
    return left if other is None else left.note(take_in(other, gone), at=merged.updated_at)


def take_in(case: ListedCase, more: ListedCase) -> ListedCase:
    """The case with the entities of *more* too, and as lately active."""
    return replace(
        case,
        entities=join_entities(case.entities, more.entities),
        active_at=max(case.active_at, more.active_at),
    )


def join_entities(known: Iterable[str], new: Iterable[str]) -> tuple[str, ...]:
    """Each once, the new ones last; the oldest go where there are too many."""
    added = tuple(dict.fromkeys(new))
    kept = [entity for entity in dict.fromkeys(known) if entity not in added]
    return (*kept, *added)[-MOST_ENTITIES:]


def _bound(cases: Iterable[ListedCase], at: datetime) -> tuple[ListedCase, ...]:
    """All open ones and of each customer the lately closed, as far as there is room; in order of
    opening. So customers who are merged take no room from each other.
    """
    cases = list(cases)
    closed = [c for c in cases if c.closed_at is not None and at - c.closed_at <= CLOSED_FOR]
    closed.sort(key=lambda case: (case.closed_at or at, case.id), reverse=True)
    places: Counter[str] = Counter()
    lately = []
    for case in closed:
        places[case.customer_id] += 1
        if places[case.customer_id] <= MOST_CLOSED:
            lately.append(case)
    kept = [*_latest_first(c for c in cases if c.is_open), *lately][:MOST_CASES]
    return tuple(sorted(kept, key=lambda case: (case.opened_at, case.id)))


def _latest_first(cases: Iterable[ListedCase]) -> tuple[ListedCase, ...]:
    return tuple(sorted(cases, key=lambda case: (case.active_at, case.id), reverse=True))
