"""When cases were closed, by a scan of their events: the boundaries between cases."""

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


def list_closings() -> Iterator[Closing]:
    """Every closing, in no order. Raises UnavailableError."""
    condition = (EventRow.kind == EventRow) & (EventRow.event == str(EventKind.STATE_CHANGED))
    start: Any = None
    while True:
        answer = scan(filter_condition=condition, exclusive_start_key=start)
        for item in answer["Items"]:
            event = read_event(read_item(item)[1])
            if event.data["after"] == CaseState.CLOSED:
                reason = str(event.private.get("reason", ""))
                yield Closing(event.owner.id, event.at, event.actor, reason)
        start = answer.get("LastEvaluatedKey")
        if start is None:
            return


def is_empty() -> bool:
    """Has the table no record at all? Raises UnavailableError."""
    return not scan(limit=1)["Items"]
