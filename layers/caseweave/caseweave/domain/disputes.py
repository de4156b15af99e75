"""Evidence of a disputed case: what is wanted of it, what was taken, and what could not be had.

All of it stands in the case's chain, and what was taken is told from the chain alone: so whoever
takes evidence may die anywhere and begin again.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from caseweave.domain.desk import Desk
from caseweave.domain.entities import ORDER, find_references
from caseweave.domain.event import Actor, CaseChange, Event, EventKind
from caseweave.domain.evidence import commit_to
from caseweave.domain.media import FileOutcome, FileState
from caseweave.domain.message import Message

EVIDENCE = Actor("system", "evidence")
# Of one case; who names more names everything and so nothing.
MOST_ORDERS = 20
# Enough to know an order of this case again; tells nothing without the seal.
_MARK_LENGTH = 16


class Lack(StrEnum):
    """Why there is no snapshot of an order, and will be none."""

    UNKNOWN_ORDER = "unknown_order"
    NOT_CONFIGURED = "not_configured"


def want_evidence(
    change: CaseChange, message: Message, desk: Desk, now: datetime, actor: Actor
) -> CaseChange:
    """In a disputed case, the wish for evidence: once, and once more for each order it names."""
    case = change.after
    if not desk.playbook(case.category).takes_evidence or not case.seal:
        return change
    known = case.evidence or ()
    named = [value for kind, value in find_references(message) if kind == ORDER]
    marks = {_mark(order, case.seal): order for order in named}
    new = [mark for mark in marks if mark not in known][: MOST_ORDERS - len(known)]
    if case.evidence is not None and not new:
        return change
    return change.record(
        EventKind.EVIDENCE_WANTED,
        actor,
        now,
        {"orders": len(new)},
        {"orders": [marks[mark] for mark in new]} if new else {},
        evidence=(*known, *new),
    )


def _mark(order_no: str, seal: str) -> str:
    return commit_to({"order_no": order_no}, seal)[:_MARK_LENGTH]


def find_open_orders(events: Iterable[Event]) -> list[str]:
    """The orders of which a snapshot is wanted and was not taken yet."""
    wanted: dict[str, None] = {}
    settled = set()
    for event in events:
        if event.kind is EventKind.EVIDENCE_WANTED:
            wanted |= dict.fromkeys(event.private.get("orders", ()))
        elif event.kind in (EventKind.SNAPSHOT_TAKEN, EventKind.SNAPSHOT_UNAVAILABLE):
            settled.add(event.private.get("order_no"))
    return [order for order in wanted if order not in settled]


def is_delayed(events: Iterable[Event], order_no: str) -> bool:
    """Does the chain say already that this snapshot has to wait?"""
    return any(
        event.kind is EventKind.SNAPSHOT_DELAYED and event.private.get("order_no") == order_no
        for event in events
    )


def find_files(messages: Iterable[Message], files: Iterable[FileOutcome]) -> list[str]:
    """The digests of all that customer and desk sent each other in files, in a stable order."""
    found = {one.digest for one in files if one.state is FileState.STORED}
    for message in messages:
        found |= {a.digest for a in message.attachments if a.state == FileState.STORED}
        found.add(message.page_digest)
    return sorted(found - {""})


def find_locked(events: Iterable[Event]) -> set[str]:
    """The digests of the files that are locked."""
    return {
        digest
        for event in events
        if event.kind is EventKind.ATTACHMENTS_LOCKED
        for digest in event.private.get("digests", ())
    }


def list_snapshots(events: Iterable[Event]) -> list[str]:
    """The digests of the snapshots that were taken."""
    taken = (event for event in events if event.kind is EventKind.SNAPSHOT_TAKEN)
    return [str(event.private["digest"]) for event in taken if event.private]


def record_locked(change: CaseChange, digests: list[str], now: datetime) -> CaseChange:
    told = {"count": len(digests)}
    return change.record(EventKind.ATTACHMENTS_LOCKED, EVIDENCE, now, told, {"digests": digests})


def record_snapshot(
    change: CaseChange, order_no: str, digest: str, size: int, taken_at: datetime
) -> CaseChange:
    """The snapshot is dated when the platform told it."""
    private = {"order_no": order_no, "digest": digest, "size": size}
    return change.record(EventKind.SNAPSHOT_TAKEN, EVIDENCE, taken_at, {}, private)


def record_delay(
    change: CaseChange, order_no: str, trouble: str, detail: str, now: datetime
) -> CaseChange:
    """The case says that it waits for the platform."""
    private = {"order_no": order_no, "detail": detail}
    told = {"trouble": trouble}
    return change.record(EventKind.SNAPSHOT_DELAYED, EVIDENCE, now, told, private)


def record_lack(change: CaseChange, order_no: str, lack: Lack, now: datetime) -> CaseChange:
    told, private = {"reason": str(lack)}, {"order_no": order_no}
    return change.record(EventKind.SNAPSHOT_UNAVAILABLE, EVIDENCE, now, told, private)


def evidence_folder(case_id: str) -> str:
    """Where everything that is locked of a case lies."""
    return f"cases/{case_id}/"


def attachment_place(case_id: str, digest: str) -> str:
    """Where a file of a disputed case is locked: by case, so that erasing one ends no other's."""
    return f"cases/{case_id}/attachments/{digest}"


def snapshot_place(case_id: str, digest: str) -> str:
    return f"cases/{case_id}/snapshots/{digest}"
