"""Amazon Connect: its events, which reach the stack by EventBridge.

https://docs.aws.amazon.com/connect/latest/adminguide/contact-events.html
"""

import uuid
from datetime import UTC, datetime
from typing import Any

_INSTANCE = "arn:aws:connect:us-east-1:000000000000:instance/5c1d0000-0000-4000-8000-000000000000"


def contact_event(
    contact: str, channel: str = "VOICE", happened: str = "INITIATED"
) -> dict[str, Any]:
    """A customer's contact begins, or ends (`DISCONNECTED`)."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    times = {"INITIATED": "initiationTimestamp", "DISCONNECTED": "disconnectTimestamp"}
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Amazon Connect Contact Event",
        "source": "aws.connect",
        "time": now,
        "detail": {
            "eventType": happened,
            "contactId": contact,
            "channel": channel,
            "instanceArn": _INSTANCE,
            "initiationMethod": "INBOUND",
            times[happened]: now,
        },
    }
