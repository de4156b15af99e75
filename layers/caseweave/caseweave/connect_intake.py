"""Intake from Amazon Connect: contacts of a contact centre, and what was said in them."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from caseweave.aws.mailbox import read_object
from caseweave.channels import connect
from caseweave.domain.message import InboundEvent
from caseweave.errors import UnparseableError
from caseweave.intake import Door, quarantine, take_in
from caseweave.storage.ledger import RawInput
from caseweave.webhooks import parse_events

# (instance id, contact id) → kind, address and name of who is at the other end.
Describe = Callable[[str, str], tuple[str, str, str]]


def receive_contact_event(
    event: Mapping[str, Any],
    describe: Describe,
    make_door: Callable[[], Door],
    retention: timedelta,
    now: datetime,
) -> bool:
    """Keep one event of Connect; False if it was kept before, or is quarantined.

    Raises UnavailableError when Connect cannot be asked or the store not be written: the event
    comes again.
    """
    body = json.dumps(event, ensure_ascii=False).encode("utf-8", "replace")
    raw = RawInput(connect.PROVIDER, "", now, retention, body)

    def understand() -> list[InboundEvent]:
        names = connect.find_contact(event)
        told = describe(*names) if connect.needs_caller(event) else ()
        return [connect.parse(event, connect.Caller(*told))]

    try:
        events = parse_events(understand)
    except UnparseableError as error:
        quarantine(raw, str(error))
        return False
    return take_in(events, raw, make_door()) > 0


def receive_transcript(
    bucket: str, key: str, make_door: Callable[[], Door], retention: timedelta, now: datetime
) -> bool:
    """Add to a call what Contact Lens heard in it. Raises NotFoundError, UnavailableError."""
    content = read_object(bucket, key)
    raw = RawInput(connect.PROVIDER, "", now, retention, body_ref=f"s3://{bucket}/{key}")
    try:
        inbound = parse_events(lambda: connect.parse_transcript(content, key))
    except UnparseableError as error:
        quarantine(raw, str(error))
        return False
    return take_in([inbound], raw, make_door()) > 0
