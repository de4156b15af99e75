"""Long SMS that come in parts: each is kept at once, and all of them become one message.

Guard and effect are one transaction here too. The last part brings the message and takes the
waiting record away; if it never comes, the sweep makes the message of what is there.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from caseweave.domain.message import InboundMessage
from caseweave.domain.parts import PartGroup, add_part, assemble_message, stand_alone
from caseweave.errors import ContentionError, DuplicateEventError
from caseweave.intake import Door, receive_message, receive_once
from caseweave.storage.ledger import LedgerState, RawInput, ledger_item
from caseweave.storage.parts import list_due_groups, put_group, read_group
from caseweave.storage.transaction import RefusedError, Transaction, retry_on_contention
from caseweave.sweeping import sweep_each

# In the ledger, of what became a message without its missing parts: there is no input to replay.
SWEPT = "parts"


def receive_part(inbound: InboundMessage, raw: RawInput, door: Door) -> bool:
    """Keep a part; with the last one, the message. False if it was taken in before."""
    raw = replace(raw, provider=inbound.provider, account=inbound.account)
    try:
        return retry_on_contention(partial(_take_part, inbound, raw, door))
    except DuplicateEventError:
        return False


def _take_part(inbound: InboundMessage, raw: RawInput, door: Door, attempt: int) -> bool:
    if inbound.part is None:
        raise ValueError(f"message {inbound.event_id} is no part")
    before = read_group(inbound, inbound.part)
    if before is not None and any(one.event_id == inbound.event_id for one in before.parts):
        return False
    group = add_part(before, inbound, raw.received_at)
    if group is None:
        # Another text of the same reference, while one of its parts is still awaited.
        return receive_message(stand_alone(inbound), raw, door).is_new
    if group.is_whole:
        whole = assemble_message(group, inbound.event_id)
        return receive_once(whole, raw, door, is_retry=attempt > 0, waiting=before).is_new
    _keep_part(inbound, raw, group, before)
    return True


def _keep_part(
    inbound: InboundMessage, raw: RawInput, group: PartGroup, before: PartGroup | None
) -> None:
    """Raises DuplicateEventError or ContentionError."""
    write = Transaction()
    reason = f"{group.version} of {group.part.total} parts are there"
    write.put_new("ledger", ledger_item(raw, inbound.event_id, LedgerState.PARSED, reason))
    put_group(write, group, before)
    try:
        write.commit()
    except RefusedError as error:
        if "ledger" in error.parts:
            raise DuplicateEventError(inbound.event_id) from error
        raise ContentionError(str(error)) from error


def sweep_parts(door: Door, retention: timedelta, now: datetime) -> int:
    """Make a message of each text that is overdue; how many there were. Raises SweepError."""
    groups = {group.parts[0].event_id: group for group in list_due_groups(now)}
    return sweep_each(groups, lambda name: _give_up_waiting(groups[name], door, retention))


def _give_up_waiting(group: PartGroup, door: Door, retention: timedelta) -> bool:
    """Dated by when the waiting was over, so that every sweep makes the same records."""
    raw = RawInput(SWEPT, group.like.account, group.due_at, retention)
    whole = assemble_message(group, group.parts[0].event_id)
    try:
        return receive_once(whole, raw, door, is_retry=True, waiting=group).is_new
    except (ContentionError, DuplicateEventError):
        # A part came meanwhile; the next sweep looks again if there is still something to wait for.
        return False
