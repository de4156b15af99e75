"""Erasure as admins ask for it: first what would go, then a confirmation of just that."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from caseweave.agents.caller import DECLARERS, Caller, Moment
from caseweave.agents.fields import read_text
from caseweave.discretion import mask_shown
from caseweave.domain.case import Case
from caseweave.domain.erasing import NO_END_YET, Cause, Deletion, held_until
from caseweave.domain.evidence import canonical_json
from caseweave.domain.privacy import PrivacyRules
from caseweave.domain.times import optional_rfc3339, to_rfc3339
from caseweave.errors import InvalidRequestError, NotFoundError
from caseweave.storage import cases
from caseweave.storage.customers import read_customer_of, read_family
from caseweave.storage.deletions import (
    DeletionTask,
    list_deletions,
    list_unfinished,
    put_task,
    read_task,
)
from caseweave.storage.shredding import list_addresses_of, list_case_ids, read_contents

ADMINS = ("admin",)
LOG_READERS = ("admin", "auditor")
_LONGEST_REASON = 200
_LOG_PAGE = 50
# What an erasure leaves, and why: docs/privacy.md says more of each.
_STAYS = {
    "case heads and event chains": "they hold no content, and prove what the desk did and when",
    "duplicate guards": "so that a provider's redelivery brings nothing back",
    "STOP of a phone number": "it must be obeyed for ever; kept under the digest of the number",
    "this deletion's log": "a restore of the table must erase again; it holds ids and counts only",
    "files that others sent too": "the same bytes are somebody else's as well",
}


@dataclass(frozen=True, slots=True)
class Estate:
    """What a customer, with everybody merged with them, has here."""

    customers: tuple[str, ...]
    cases: tuple[Case, ...]
    counts: Mapping[str, int]

    def holds(self, rules: PrivacyRules, now: datetime) -> dict[str, datetime]:
        """The references of cases that are evidence, and until when."""
        held = {case.ref: held_until(case, rules.hold) for case in self.cases}
        return {ref: until for ref, until in held.items() if until is not None and until > now}

    @property
    def digest(self) -> str:
        """Of what would go: another message, and it is another."""
        told = {"customers": list(self.customers), "counts": dict(self.counts)}
        versions = {case.id: case.version for case in self.cases}
        return sha256(canonical_json({**told, "cases": versions})).hexdigest()


def preview_erasure(
    customer_id: str, caller: Caller, rules: PrivacyRules, now: datetime
) -> dict[str, Any]:
    """What would go, what stays and why, and what `POST` must confirm. Raises NotFoundError."""
    caller.require(*DECLARERS)
    estate = _survey(customer_id)
    holds = estate.holds(rules, now)
    return {
        "customers": list(estate.customers),
        "cases": [
            {"id": case.id, "ref": case.ref, "state": str(case.state)} for case in estate.cases
        ],
        "goes": dict(estate.counts),
        "stays": [{"what": what, "why": why} for what, why in _STAYS.items()],
        "holds": [
            {"case": ref, "until": None if until == NO_END_YET else to_rfc3339(until)}
            for ref, until in sorted(holds.items())
        ],
        "digest": estate.digest,
    }


def ask_erasure(
    customer_id: str,
    said: Mapping[str, Any],
    caller: Caller,
    rules: PrivacyRules,
    moment: Moment,
) -> dict[str, Any]:
    """Put the erasure on the list; the schedule does it. Asking twice is asking once.

    Raises ForbiddenError, NotFoundError, InvalidRequestError where the preview is not confirmed
    as it is now, or a case is evidence still.
    """
    caller.require(*ADMINS)
    reason = mask_shown(read_text(said, "reason").strip()[:_LONGEST_REASON]).text
    if not reason:
        advice = "write why, without naming the customer: this stays in the log"
        raise InvalidRequestError("There is no reason.", (("reason", advice),))
    estate = _survey(customer_id)
    for running in list_unfinished():
        if running.subjects == estate.customers:
            return describe_deletion(running)
    _check(estate, read_text(said, "confirm"), rules, moment.now)
    deletion = Deletion(moment.new_id(), Cause.ERASURE, moment.now)
    task = DeletionTask(deletion, str(caller.actor), reason, estate.customers, estate.digest)
    return describe_deletion(put_task(task))


def _check(estate: Estate, confirmed: str, rules: PrivacyRules, now: datetime) -> None:
    if confirmed != estate.digest:
        advice = "read the preview again, and write its `digest`"
        raise InvalidRequestError("That is not what would go now.", (("confirm", advice),))
    holds = estate.holds(rules, now)
    if holds:
        listed = ", ".join(sorted(holds))
        advice = "wait until the time that the preview tells, or settle these cases first"
        raise InvalidRequestError(f"These cases are evidence: {listed}.", (("holds", advice),))


def _survey(customer_id: str) -> Estate:
    family = read_family(customer_id)
    if read_customer_of(family.root).erased_at is not None:
        raise NotFoundError(f"Customer {customer_id} was erased.")
    counts: Counter[str] = Counter()
    found = []
    for customer in family.ids:
        counts["addresses"] += len(list_addresses_of(customer))
        for case_id in sorted(list_case_ids(customer)):
            contents = read_contents(case_id)
            found.append(cases.read_head(case_id))
            counts["messages"] += sum(one.erased_at is None for one in contents.messages)
            counts["objects"] += len(contents.objects)
    counts["cases"] = len(found)
    counts["customers"] = len(family.ids)
    return Estate(family.ids, tuple(found), dict(sorted(counts.items())))


def read_deletion(deletion_id: str, caller: Caller) -> dict[str, Any]:
    """Raises NotFoundError."""
    caller.require(*LOG_READERS)
    return describe_deletion(read_task(deletion_id))


def list_log(query: Mapping[str, str], caller: Caller) -> dict[str, Any]:
    """The log of deletions, the newest first."""
    caller.require(*LOG_READERS)
    found = list_deletions(_LOG_PAGE, query.get("before", ""))
    is_full = len(found) == _LOG_PAGE
    return {
        "items": [describe_deletion(task) for task in found],
        "before": found[-1].id if is_full else None,
    }


def describe_deletion(task: DeletionTask) -> dict[str, Any]:
    return {
        "id": task.id,
        "cause": str(task.deletion.cause),
        "state": str(task.state),
        "requested_at": to_rfc3339(task.deletion.at),
        "requested_by": task.requested_by,
        "reason": task.reason,
        "subjects": list(task.subjects),
        "confirmed": task.preview_digest or None,
        "finished_at": optional_rfc3339(task.finished_at),
        "counts": dict(sorted(task.counts.items())),
    }
