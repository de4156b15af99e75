"""The continuations schedule: answers that nobody fetched go on by mail or SMS, each once."""

from datetime import datetime
from functools import partial

from caseweave.domain.continuing import (
    awaits_reading,
    choose_contact,
    continue_message,
    note_continued,
)
from caseweave.domain.event import begin_change
from caseweave.domain.ulid import derive_ulid
from caseweave.domain.web_rules import Continuing
from caseweave.storage.cases import read_head
from caseweave.storage.customers import list_addresses
from caseweave.storage.outbox import parse_outbox_key, read_outbound
from caseweave.storage.transaction import retry_on_contention
from caseweave.storage.unread import commit_continued, list_unread
from caseweave.sweeping import sweep_each


def sweep_unread(rules: Continuing, now: datetime) -> int:
    """Continue every answer that waits longer than the rules say; the number of those.

    The cost is what is due: an answer that was fetched, or continued, is no longer found. Safe to
    run twice or side by side. Raises SweepError at the end.
    """
    return sweep_each(
        (str(key) for key in list_unread(now - rules.after)),
        lambda key: retry_on_contention(partial(_continue, key, rules, now)),
    )


def _continue(key: str, rules: Continuing, now: datetime, _attempt: int) -> bool:
    original = read_outbound(parse_outbox_key(key))
    if not awaits_reading(original):
        return False
    case = read_head(original.case_id)
    contact = choose_contact(list(list_addresses(case.customer_id)), rules, now)
    if contact is None:
        commit_continued(begin_change(case), note_continued(original, ""))
        return False
    copy_id = derive_ulid(now, "continuation", case.id, original.id)
    change = continue_message(case, original, contact, now, copy_id)
    commit_continued(change, note_continued(original, copy_id))
    return True
