"""The event bus, for whoever wants to follow what happens to cases."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from caseweave.aws.clients import client
from caseweave.errors import UnavailableError

SOURCE = "caseweave"


def publish_event(bus_name: str, kind: str, detail: Mapping[str, Any], at: datetime) -> None:
    """Raises UnavailableError, also when the bus took the call but not the event."""
    entry = {
        "Source": SOURCE,
        "DetailType": kind,
        "Detail": json.dumps(detail, ensure_ascii=False),
        "EventBusName": bus_name,
        "Time": at,
    }
    try:
        answer = client("events").put_events(Entries=[entry])
    except (ClientError, BotoCoreError) as error:
        raise UnavailableError(f"the bus cannot be written: {error}") from error
    if answer.get("FailedEntryCount"):
        raise UnavailableError(f"the bus refused {kind}: {answer['Entries'][0]}")
