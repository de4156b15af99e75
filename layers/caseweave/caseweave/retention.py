"""What is kept no longer than `config/privacy.yaml` says: contents of cases closed long ago.

Raw input, tokens, counters and presence end by the table's TTL and the buckets' rules; what was
said in a case goes like an erasure, with an event in its chain and a line in the log.
"""

from datetime import datetime
from typing import Any

from caseweave.domain.erasing import ERASER, Cause, Deletion, held_until
from caseweave.domain.privacy import PrivacyRules
from caseweave.domain.times import to_rfc3339
from caseweave.domain.ulid import make_ulid
from caseweave.intake import Entropy
from caseweave.storage.cases import list_closed_before
from caseweave.storage.deletions import DeletionTask, list_unfinished, put_task

# As many as one deletion has on its list.
MOST_CASES = 200


def preview_retention(rules: PrivacyRules, now: datetime) -> dict[str, Any]:
    """The cases whose contents would go now; the first of them if there are very many."""
    due = _list_due(rules, now)
    return {
        "rules": {
            "closed_cases": _describe(rules.closed_cases),
            "deletion_log": _describe(rules.deletion_log),
        },
        "due": [{"case": ref, "last_change": to_rfc3339(at)} for _, ref, at in due],
        "has_more": len(due) == MOST_CASES,
    }


def apply_retention(rules: PrivacyRules, now: datetime, entropy: Entropy) -> int:
    """Put what is due on the list of deletions; the number of cases."""
    waiting = {case for task in list_unfinished() for case in task.subjects}
    due = [case_id for case_id, _, _ in _list_due(rules, now) if case_id not in waiting]
    if due:
        deletion = Deletion(make_ulid(now, entropy(10)), Cause.RETENTION, now)
        limit = _describe(rules.closed_cases)
        put_task(DeletionTask(deletion, str(ERASER), f"closed_cases: {limit}", tuple(due)))
    return len(due)


def _list_due(rules: PrivacyRules, now: datetime) -> list[tuple[str, str, datetime]]:
    if rules.closed_cases is None:
        return []
    found = []
    for case in list_closed_before(now - rules.closed_cases, MOST_CASES):
        until = held_until(case, rules.hold)
        if until is None or until <= now:
            found.append((case.id, case.ref, case.updated_at))
    return found


def _describe(limit: Any) -> str:
    return "never" if limit is None else f"{limit.days}d"
