"""Trying again what was not understood, and saying what became of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from caseweave.agents.caller import DECLARERS, Caller
from caseweave.channels.credentials import Credentials
from caseweave.intake import Door
from caseweave.replay import replay_quarantined

# As many as one call has time for; call again for more.
_MOST = 50


def replay_quarantine(
    caller: Caller,
    files_bucket: str,
    read_credentials: Callable[[str], Credentials],
    make_door: Callable[[], Door],
    retention: timedelta,
) -> dict[str, Any]:
    """Replaying writes cases: for leads and admins."""
    caller.require(*DECLARERS)
    done = replay_quarantined(_MOST, files_bucket, read_credentials, make_door(), retention)
    return {
        "understood": sum(one.is_understood for one in done),
        "items": [
            {
                "provider": one.entry.provider,
                "event_id": one.entry.event_id,
                "understood": one.is_understood,
                "reason": one.reason,
            }
            for one in done
        ],
    }
