"""Intake from Amazon Connect: contacts of a contact centre, and what was said in them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from caseweave.aws.objects import read_object
from caseweave.channels import connect
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

    def ask() -> connect.Caller:
        names = connect.find_contact(event)
        return connect.Caller(*(describe(*names) if connect.needs_caller(event) else ()))

    try:
        caller = parse_events(ask)
        # Connect forgets its contacts: who called is kept with the event.
        raw = replace(raw, headers=connect.keep_caller(caller))
        events = parse_events(lambda: [connect.parse(event, caller)])
    except UnparseableError as error:
        quarantine(raw, str(error))
        return False
    return take_in(events, raw, make_door()) > 0


def receive_transcript(
    bucket: str,
    key: str,
    files_bucket: str,
    make_door: Callable[[], Door],
    retention: timedelta,
    now: datetime,
) -> bool:
    """Add to a call what Contact Lens heard in it. Raises NotFoundError, UnavailableError."""
    content = read_object(bucket, key)
    ref = f"s3://{bucket}/{key}"
    raw = RawInput(connect.PROVIDER, "", now, retention, body_ref=ref, hold_in=files_bucket)
    try:
        inbound = parse_events(lambda: connect.parse_transcript(content, key))
    except UnparseableError as error:
        quarantine(raw, str(error))
        return False
    return take_in([inbound], raw, make_door()) > 0
