"""The SLA schedule: every case that is due for a look gets it; the cost is what is due."""

from datetime import datetime
from functools import partial

from caseweave.domain.desk import Desk
from caseweave.domain.escalation import tick_case
from caseweave.storage.cases import commit_change, list_due, read_head
from caseweave.storage.transaction import retry_on_contention
from caseweave.sweeping import sweep_each


def sweep_due_cases(desk: Desk, now: datetime) -> int:
    """Warn, breach, escalate whatever is due at *now*; the number of cases changed.

    Safe to run twice or side by side: a change is decided on the case as it is read and written
    only if it still is so. One bad case does not stop the others. Raises SweepError at the end.
    """
    return sweep_each(
        (found.id for found in list_due(now)),
        lambda case_id: retry_on_contention(partial(_tick, case_id, desk, now)),
    )


def _tick(case_id: str, desk: Desk, now: datetime, _attempt: int) -> bool:
    change = tick_case(read_head(case_id), desk, now)
    commit_change(change)
    return not change.is_empty
