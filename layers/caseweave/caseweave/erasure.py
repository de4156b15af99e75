"""Erasing a customer, or the contents of cases whose time is over: whole, once begun, and provable.

The work goes in steps that may each be done again. It may die anywhere, and goes on where it was:
nothing that names what must still go is deleted before that has gone. It is done when a last look
finds nothing left.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from caseweave.aws.objects import put_object
from caseweave.aws.versions import end_every_version
from caseweave.domain.disputes import evidence_folder
from caseweave.domain.erasing import Cause, export_folder
from caseweave.domain.message import Message
from caseweave.domain.times import to_rfc3339
from caseweave.storage.customers import read_family
from caseweave.storage.deletions import (
    DeletionState,
    DeletionTask,
    describe_request,
    doom_objects,
    list_doomed,
    list_unfinished,
    put_task,
    spare_object,
)
from caseweave.storage.leftovers import Subject, Sweep
from caseweave.storage.shredding import (
    close_for_erasing,
    free_addresses,
    list_addresses_of,
    list_case_ids,
    note_erasure,
    read_contents,
    shred_case,
    shred_customer,
)

# A look through the table that changed something is followed by another.
_MOST_LOOKS = 5
# A record holds 400 KB. Only requests with messages of several customers need them.
_MOST_BODIES = 8_000
LOG_FOLDER = "deletions/"


@dataclass(frozen=True, slots=True)
class Shredder:
    """`files_bucket` keeps objects under the digest of their bytes, whosever they are;
    `evidence_bucket` in a folder for each case, "" for none. `log_lasts` is how long the log of a
    deletion stays; `forget` takes a message's words out of the indexes; `has_time` says whether
    another step fits in.
    """

    files_bucket: str
    evidence_bucket: str
    log_lasts: timedelta | None
    now: Callable[[], datetime]
    forget: Callable[[Message], None]
    has_time: Callable[[], bool] = lambda: True

    def work_off(self) -> int:
        """Go on with every deletion that is not done; how many are now.

        Raises ContentionError or UnavailableError: the next call goes on.
        """
        done = 0
        for asked in list_unfinished():
            task = asked
            while self.has_time() and task.state is not DeletionState.DONE:
                task = self._step(task)
            done += task.state is DeletionState.DONE
        return done

    def _step(self, task: DeletionTask) -> DeletionTask:
        step = _STEPS[task.progress.get("step", "gather")]
        return put_task(step(self, task), self.log_lasts)

    def gather(self, task: DeletionTask) -> DeletionTask:
        """Whose records go, while these still tell."""
        if task.deletion.cause is Cause.RETENTION:
            found: dict[str, Any] = {"customers": [], "cases": list(task.subjects)}
            addresses: set[str] = set()
        else:
            customers = read_family(task.subjects[0]).ids
            cases = sorted({case for one in customers for case in list_case_ids(one)})
            found = {"customers": list(customers), "cases": cases}
            addresses = {address for one in customers for address in list_addresses_of(one)}
        self._keep_log(task)
        progress = {**found, "addresses": sorted(addresses), "step": "shred"}
        return replace(task, state=DeletionState.RUNNING, progress=progress)

    def _keep_log(self, task: DeletionTask) -> None:
        """Outside the table, since a restore of it must do this again (`caseweave privacy`)."""
        told = describe_request(task)
        put_object(self.files_bucket, f"{LOG_FOLDER}{task.id}.json", told, "application/json")

    def shred(self, task: DeletionTask) -> DeletionTask:
        """Nobody gets in any more; then the contents go, and the seals with them."""
        return replace(
            task.count(self._shred_all(task)),
            progress={**task.progress, "step": "look", "looks": 1, "found": 0},
        )

    def _shred_all(self, task: DeletionTask) -> Counter[str]:
        done: Counter[str] = Counter()
        customers, cases = task.progress["customers"], task.progress["cases"]
        for customer in customers:
            note_erasure(customer, task.deletion)
            done += free_addresses(customer)
            doom_objects(task.id, self.files_bucket, [export_folder(customer)])
        for case in cases:
            close_for_erasing(case, task.deletion)
            contents = read_contents(case)
            for message in contents.messages:
                if message.erased_at is None:
                    self.forget(message)
            doom_objects(task.id, self.files_bucket, [*contents.objects, export_folder(case)])
            if self.evidence_bucket:
                doom_objects(task.id, self.evidence_bucket, [evidence_folder(case)])
            done += shred_case(case, task.deletion)
        for customer in customers:
            done += shred_customer(customer, task.deletion)
        return done

    def look(self, task: DeletionTask) -> DeletionTask:
        """One page of the look through the table."""
        progress = dict(task.progress)
        subject = Subject(
            frozenset(progress["customers"]),
            frozenset(progress["cases"]),
            frozenset(progress["addresses"]),
            to_rfc3339(task.deletion.at),
            set(progress.get("bodies", ())),
        )
        sweep = Sweep(subject)
        sweep.doomed = {_name(key) for _, key in list_doomed(task.id)}
        sweep.spare = lambda name: self._spare(task.id, name)
        sweep.refs = lambda ref: self._doom_ref(task.id, ref)
        start = sweep.look(progress.pop("start", None))
        progress["bodies"] = sorted(subject.bodies)[:_MOST_BODIES]
        progress["found"] += sweep.counts.total()
        if start is not None:
            progress["start"] = start
        elif progress["found"] and progress["looks"] < _MOST_LOOKS:
            progress |= {"looks": progress["looks"] + 1, "found": 0}
        else:
            progress["step"] = "end_objects"
        return replace(task.count(sweep.counts), progress=progress)

    def _spare(self, deletion_id: str, name: str) -> None:
        for bucket, key in list(list_doomed(deletion_id)):
            if _name(key) == name:
                spare_object(deletion_id, bucket, key)

    def _doom_ref(self, deletion_id: str, ref: str) -> None:
        bucket, _, key = ref.removeprefix("s3://").partition("/")
        doom_objects(deletion_id, bucket, [key])

    def end_objects(self, task: DeletionTask) -> DeletionTask:
        ended: Counter[str] = Counter()
        for bucket, key in list(list_doomed(task.id)):
            ended["objects"] += end_every_version(bucket, key)
            spare_object(task.id, bucket, key)
        return replace(task.count(ended), progress={**task.progress, "step": "check"})

    def check(self, task: DeletionTask) -> DeletionTask:
        """Whoever was writing while the contents went has finished by now."""
        found = self._shred_all(task)
        if found:
            progress = {**task.progress, "step": "look", "looks": 1, "found": 0}
            return replace(task.count(found), progress=progress)
        return replace(task, state=DeletionState.DONE, finished_at=self.now(), progress={})


_STEPS: dict[str, Callable[[Shredder, DeletionTask], DeletionTask]] = {
    "gather": Shredder.gather,
    "shred": Shredder.shred,
    "look": Shredder.look,
    "end_objects": Shredder.end_objects,
    "check": Shredder.check,
}


def _name(key: str) -> str:
    """The digest in an object's key."""
    return key.rpartition("/")[2]
