"""Deletions: what is to be deleted, how far that is, and for years, that it was."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pynamodb.exceptions import DoesNotExist

from caseweave.domain.erasing import Cause, Deletion
from caseweave.domain.times import from_rfc3339, optional_rfc3339, optional_time, to_rfc3339
from caseweave.errors import ContentionError, NotFoundError
from caseweave.storage import table
from caseweave.storage.items import IS_NEW, has, make_item
from caseweave.storage.table import DeletionRow, DoomedRow
from caseweave.storage.transaction import RefusedError, Transaction


class DeletionState(StrEnum):
    ASKED = "asked"
    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class DeletionTask:
    """`subjects` are ids of customers or of a case; `counts` what went, by kind; `progress` what
    the work needs to go on, nothing when it is done.
    """

    deletion: Deletion
    requested_by: str
    reason: str
    subjects: tuple[str, ...]
    preview_digest: str = ""
    state: DeletionState = DeletionState.ASKED
    finished_at: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    progress: Mapping[str, Any] = field(default_factory=dict)
    version: int = 0

    @property
    def id(self) -> str:
        return self.deletion.id

    def count(self, more: Mapping[str, int]) -> "DeletionTask":
        kinds = {*self.counts, *more}
        return replace(
            self, counts={kind: self.counts.get(kind, 0) + more.get(kind, 0) for kind in kinds}
        )


def put_task(task: DeletionTask, lasts: timedelta | None = None) -> DeletionTask:
    """Write the task as its next version; *lasts* is how long the log of it stays.

    Raises ContentionError where somebody else went on with it.
    """
    write = Transaction()
    version = task.version
    write.put(
        "deletion", _item(task, lasts), has(DeletionRow, version=version) if version else IS_NEW
    )
    try:
        write.commit()
    except RefusedError as error:
        raise ContentionError(f"deletion {task.id} goes on elsewhere") from error
    return replace(task, version=version + 1)


def _item(task: DeletionTask, lasts: timedelta | None) -> Any:
    is_done = task.state is DeletionState.DONE
    asked_at = to_rfc3339(task.deletion.at)
    ends = task.finished_at + lasts if is_done and task.finished_at and lasts else None
    return make_item(
        DeletionRow,
        table.deletion_key(task.id),
        cause=str(task.deletion.cause),
        state=str(task.state),
        requested_at=asked_at,
        requested_by=task.requested_by,
        reason=task.reason or None,
        preview_digest=task.preview_digest or None,
        finished_at=optional_rfc3339(task.finished_at),
        subjects=list(task.subjects),
        counts=dict(task.counts),
        progress=dict(task.progress) or None,
        version=task.version + 1,
        expires_at=ends,
        due_pk=None if is_done else table.DELETIONS_DUE_PARTITION,
        due_sk=None if is_done else f"{asked_at}#{task.id}",
    )


def read_task(deletion_id: str) -> DeletionTask:
    """Raises NotFoundError."""
    try:
        row = DeletionRow.get(*table.deletion_key(deletion_id), consistent_read=True)
    except DoesNotExist:
        raise NotFoundError(f"There is no deletion {deletion_id}.") from None
    return _read(row)


def describe_request(task: DeletionTask) -> bytes:
    """What was asked for, as a JSON document that `ask_again` reads."""
    told = {
        "id": task.id,
        "cause": str(task.deletion.cause),
        "requested_at": to_rfc3339(task.deletion.at),
        "requested_by": task.requested_by,
        "reason": task.reason,
        "subjects": list(task.subjects),
    }
    return json.dumps(told, ensure_ascii=False).encode()


def ask_again(request: bytes) -> bool:
    """Put a deletion back on the list of a table that was restored; False if it is there."""
    told = json.loads(request)
    at = from_rfc3339(told["requested_at"])
    deletion = Deletion(told["id"], Cause(told["cause"]), at)
    subjects = tuple(told["subjects"])
    try:
        known = read_task(deletion.id)
    except NotFoundError:
        known = None
    if known is not None and known.state is not DeletionState.DONE:
        return False
    version = known.version if known else 0
    task = DeletionTask(deletion, told["requested_by"], told["reason"], subjects, version=version)
    put_task(task)
    return True


def list_unfinished() -> list[DeletionTask]:
    """The oldest first."""
    rows = DeletionRow.due.query(table.DELETIONS_DUE_PARTITION)
    return [_read(row) for row in rows if isinstance(row, DeletionRow)]


def list_deletions(limit: int, before: str = "") -> list[DeletionTask]:
    """The log, the newest first; ids begin with their time."""
    condition = DeletionRow.sk < before if before else None
    rows = DeletionRow.query(table.DELETIONS, condition, scan_index_forward=False, limit=limit)
    return [_read(row) for row in rows]


def _read(row: DeletionRow) -> DeletionTask:
    deletion = Deletion(row.sk, Cause(row.cause), from_rfc3339(row.requested_at))
    return DeletionTask(
        deletion=deletion,
        requested_by=row.requested_by,
        reason=row.reason or "",
        subjects=tuple(row.subjects),
        preview_digest=row.preview_digest or "",
        state=DeletionState(row.state),
        finished_at=optional_time(row.finished_at),
        counts=row.counts,
        progress=row.progress or {},
        version=int(row.version),
    )


def doom_objects(deletion_id: str, bucket: str, keys: Iterable[str]) -> None:
    """Note the objects before the records that name them go. Raises UnavailableError."""
    for key in keys:
        write = Transaction()
        name = table.doomed_key(deletion_id, f"{bucket}/{key}")
        write.put("doomed", make_item(DoomedRow, name, bucket=bucket))
        write.commit()


def list_doomed(deletion_id: str) -> Iterator[tuple[str, str]]:
    """(bucket, key) of each."""
    partition = table.doomed_key(deletion_id, "")[0]
    for row in DoomedRow.query(partition, DoomedRow.sk.startswith("OBJECT#"), consistent_read=True):
        bucket, _, key = row.sk.removeprefix("OBJECT#").partition("/")
        yield bucket, key


def spare_object(deletion_id: str, bucket: str, key: str) -> None:
    """The object is gone, or somebody else's as well: the note of it goes."""
    DoomedRow(*table.doomed_key(deletion_id, f"{bucket}/{key}")).delete()
