"""Taking evidence: the files of a disputed case are locked, and the platform's word is taken.

One queue entry names a case; what is still to be done is told from its chain. Everything is kept
before it is recorded, under its digest: a crash in between leaves an object that nobody names, and
any number of tries leaves one snapshot for each order. While the platform does not answer, the case
says so and the queue brings it again.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from caseweave.aws.mailbox import attachment_key
from caseweave.aws.objects import has_object, put_object, read_object
from caseweave.domain.disputes import (
    Lack,
    attachment_place,
    find_files,
    find_locked,
    find_open_orders,
    is_delayed,
    record_delay,
    record_lack,
    record_locked,
    record_snapshot,
    snapshot_place,
)
from caseweave.domain.event import CaseChange, begin_change
from caseweave.errors import CaseweaveError, NotFoundError
from caseweave.platform.answer import Answer, State
from caseweave.platform.records import Snapshot
from caseweave.storage.cases import CaseFile, commit_change, read_file
from caseweave.storage.transaction import retry_on_contention

logger = logging.getLogger(__name__)

# How long to wait after each try; after the last of these as long as then.
PAUSES = tuple(timedelta(minutes=m) for m in (0.5, 1, 2, 5, 15, 60, 240))

TakeSnapshot = Callable[[str], Answer[Snapshot]]


class NotTakenYetError(CaseweaveError):
    """The platform does not answer: let the queue try again."""


@dataclass(frozen=True, slots=True)
class Vault:
    """Where files are, where evidence is locked, and who is asked about an order."""

    files_bucket: str
    bucket: str
    take_snapshot: TakeSnapshot


def keep_evidence(case_id: str, vault: Vault, now: Callable[[], datetime]) -> int:
    """Take what is wanted of a case and was not taken yet; how much that was.

    Raises NotTakenYetError, ContentionError or UnavailableError when the queue should bring it
    again.
    """
    try:
        file = read_file(case_id)
    except NotFoundError:
        logger.warning("a queue entry names no case: %.100s", case_id)
        return 0
    if file.case.evidence is None or not file.case.seal:
        # Never a dispute, or erased since.
        return 0
    taken = _lock_files(file, vault, now)
    orders = find_open_orders(file.events)
    waiting = [order for order in orders if not _take(case_id, order, vault, now)]
    if waiting:
        raise NotTakenYetError(f"case {case_id} waits for {len(waiting)} snapshots")
    return taken + len(orders)


def pause_after(tries: int) -> timedelta:
    """How long the queue waits before the next try."""
    return PAUSES[min(tries, len(PAUSES)) - 1]


def _lock_files(file: CaseFile, vault: Vault, now: Callable[[], datetime]) -> int:
    locked = find_locked(file.events)
    new = [d for d in find_files(file.messages, file.files) if d not in locked]
    kept = [digest for digest in new if _lock(file.case.id, digest, vault)]
    if kept:
        _record(file.case.id, lambda known: _note_locked(known, kept, now()))
    return len(kept)


def _lock(case_id: str, digest: str, vault: Vault) -> bool:
    """False for a file that is not there (any more), or is not what its name says."""
    place = attachment_place(case_id, digest)
    if has_object(vault.bucket, place):
        return True
    try:
        content = read_object(vault.files_bucket, attachment_key(digest))
    except NotFoundError:
        content = b""
    if sha256(content).hexdigest() != digest:
        logger.warning("a file of case %s is not there, or another: %s", case_id, digest)
        return False
    put_object(vault.bucket, place, content)
    return True


def _note_locked(file: CaseFile, digests: list[str], now: datetime) -> CaseChange:
    locked = find_locked(file.events)
    new = [digest for digest in digests if digest not in locked]
    change = begin_change(file.case)
    return record_locked(change, new, now) if new else change


def _take(case_id: str, order_no: str, vault: Vault, now: Callable[[], datetime]) -> bool:
    """False while the platform does not answer."""
    answer = vault.take_snapshot(order_no)
    if answer.state is State.UNAVAILABLE:
        _record(case_id, lambda file: _note_delay(file, order_no, answer, now()))
        return False
    snapshot, digest = answer.value, ""
    if snapshot is not None:
        digest = sha256(snapshot.body).hexdigest()
        place = snapshot_place(case_id, digest)
        if not has_object(vault.bucket, place):
            put_object(vault.bucket, place, snapshot.body, "application/json")
    _record(case_id, lambda file: _note_answer(file, order_no, answer, digest, now()))
    return True


def _note_answer(
    file: CaseFile, order_no: str, answer: Answer[Snapshot], digest: str, now: datetime
) -> CaseChange:
    change, snapshot = begin_change(file.case), answer.value
    if order_no not in find_open_orders(file.events):
        return change
    if snapshot is not None:
        size = len(snapshot.body)
        return record_snapshot(change, order_no, digest, size, snapshot.taken_at)
    lack = Lack.UNKNOWN_ORDER if answer.is_ok else Lack.NOT_CONFIGURED
    return record_lack(change, order_no, lack, now)


def _note_delay(
    file: CaseFile, order_no: str, answer: Answer[Snapshot], now: datetime
) -> CaseChange:
    change = begin_change(file.case)
    if is_delayed(file.events, order_no) or order_no not in find_open_orders(file.events):
        return change
    return record_delay(change, order_no, str(answer.trouble), answer.detail[:200], now)


def _record(case_id: str, decide: Callable[[CaseFile], CaseChange]) -> None:
    """Decide on the chain as it is, and write; nothing into a case that was erased meanwhile."""

    def attempt(_: int) -> None:
        file = read_file(case_id)
        if file.case.seal:
            commit_change(decide(file))

    retry_on_contention(attempt)
