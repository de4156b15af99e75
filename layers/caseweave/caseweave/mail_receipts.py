"""What became of the mails that we sent, as SES tells it on the event bus."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from caseweave.channels import ses_events
from caseweave.errors import UnparseableError
from caseweave.intake import Door, quarantine, take_in
from caseweave.storage.ledger import RawInput
from caseweave.webhooks import parse_events


def receive_receipt(
    event: dict[str, Any], make_door: Callable[[], Door], retention: timedelta, now: datetime
) -> int:
    """Take in one event of SES; how many were new. Raises ContentionError, UnavailableError."""
    raw = RawInput(ses_events.PROVIDER, "", now, retention, json.dumps(event).encode())
    try:
        events = parse_events(lambda: ses_events.parse_event(event))
    except UnparseableError as error:
        return int(quarantine(raw, str(error)))
    return take_in(events, raw, make_door())
