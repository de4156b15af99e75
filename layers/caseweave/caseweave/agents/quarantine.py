"""What came in verified and was not understood."""

from typing import Any

from caseweave.agents.caller import Caller
from caseweave.domain.times import to_rfc3339
from caseweave.storage import ledger


def list_quarantine(caller: Caller) -> dict[str, Any]:
    """What was verified but not understood, the newest first, for leads and ops."""
    caller.require("lead", "admin", "auditor")
    return {
        "items": [
            {
                "provider": entry.provider,
                "account": entry.account,
                "event_id": entry.event_id,
                "received_at": to_rfc3339(entry.received_at),
                "reason": entry.reason,
                "body": entry.body[:10_000].decode("utf-8", "replace"),
                "body_ref": entry.object_ref,
            }
            for entry in ledger.list_quarantined(100)
        ]
    }
