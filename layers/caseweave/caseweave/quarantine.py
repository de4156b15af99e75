"""Quarantine: what was verified and not understood stays, until a replay understands it.

Promise P1. Where an object holds it, that would end by a lifecycle rule: a copy of it is held.
"""

from dataclasses import replace
from datetime import timedelta

from caseweave.aws.mailbox import end_held, hold_object
from caseweave.storage.ledger import (
    LedgerEntry,
    LedgerName,
    LedgerState,
    RawInput,
    bound_event_id,
    keep_without_message,
    read_entries,
    release_quarantined,
)


def keep_quarantined(raw: RawInput, event_id: str, reason: str) -> bool:
    """Keep an event of *raw* for people to see. False if it was kept before.

    The copy is made before the record that names it. Raises UnavailableError.
    """
    if raw.body_ref and not raw.held_ref:
        name = LedgerName(raw.provider, raw.account, bound_event_id(event_id))
        if name in read_entries([name]):
            # It may be released by now: nothing would end another copy.
            return False
        raw = replace(raw, held_ref=hold_object(raw.hold_in, raw.body_ref))
    return keep_without_message(raw, event_id, LedgerState.QUARANTINED, reason)


def release(entry: LedgerEntry, retention: timedelta) -> None:
    """The entry was understood after all. Raises UnavailableError.

    The record comes first: dying between the two leaves a copy too many, never one too few.
    """
    if entry.state is LedgerState.QUARANTINED:
        release_quarantined(entry, retention)
    if entry.held_ref:
        end_held(entry.held_ref)
