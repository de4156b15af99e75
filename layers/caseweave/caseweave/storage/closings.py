"""What the desk did that decides which case later messages join, by a scan of the cases' events."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caseweave.domain.case import CaseState
from caseweave.domain.event import Actor, EventKind
from caseweave.storage.items import read_item, scan
from caseweave.storage.rows import read_event
from caseweave.storage.table import EventRow


@dataclass(frozen=True, slots=True)
class Closing:
    """That a case was closed: when, by whom, and why."""

    case_id: str
    at: datetime
    actor: Actor
    reason: str


@dataclass(frozen=True, slots=True)
class Triage:
    """That it was found out what a case is about."""

    case_id: str
    at: datetime
    category: str


def list_turns() -> Iterator[Closing | Triage]:
    """Every closing and triage, in no order. Raises UnavailableError."""
    condition = (EventRow.kind == EventRow) & EventRow.event.is_in(
        str(EventKind.STATE_CHANGED), str(EventKind.CASE_TRIAGED)
    )
    start: Any = None
    while True:
        answer = scan(filter_condition=condition, exclusive_start_key=start)
        for item in answer["Items"]:
            event = read_event(read_item(item)[1])
            if event.kind is EventKind.CASE_TRIAGED:
                yield Triage(event.owner.id, event.at, str(event.data["category"]))
            elif event.data["after"] == CaseState.CLOSED:
                reason = str(event.private.get("reason", ""))
                yield Closing(event.owner.id, event.at, event.actor, reason)
        start = answer.get("LastEvaluatedKey")
        if start is None:
            return


def is_empty() -> bool:
    """Has the table no record at all? Raises UnavailableError."""
    return not scan(limit=1)["Items"]
