"""The ledger for leads: what came in, and trying it again."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from caseweave.agents.caller import DECLARERS, Caller
from caseweave.agents.fields import read_limit, read_time
from caseweave.agents.view import cursor_to_start, start_to_cursor
from caseweave.domain.times import to_rfc3339
from caseweave.errors import InvalidRequestError
from caseweave.replay import Replayed, Replayer
from caseweave.storage.ledger import LedgerName, LedgerState
from caseweave.storage.ledger_pages import LedgerFilter, LedgerLine, list_page

# As many as one call has time for; call again for more.
MOST = 50
_PARTS = ("provider", "account", "event_id")


def list_ledger(query: Mapping[str, str], caller: Caller) -> dict[str, Any]:
    """A page of the ledger, in no order, for leads and auditors: what came, when, where it landed.

    A page may be empty and not the last. Raises InvalidRequestError, ForbiddenError.
    """
    caller.require("lead", "admin", "auditor")
    wanted = LedgerFilter(
        since=_read_bound(query, "from"),
        until=_read_bound(query, "to"),
        provider=query.get("provider", ""),
        state=_read_state(query.get("state", "")),
    )
    start = cursor_to_start(query.get("cursor", ""))
    page = list_page(wanted, start["key"] if start else None, read_limit(query.get("limit", "200")))
    following = start_to_cursor({"at": 0, "key": page.next} if page.next else None)
    return {"items": [_describe(line) for line in page.items], "next": following}


def replay_entries(
    said: Mapping[str, Any], caller: Caller, make_replayer: Callable[[], Replayer]
) -> dict[str, Any]:
    """Try the named entries again. Replaying writes cases: for leads and admins.

    Raises InvalidRequestError, ForbiddenError, UnavailableError.
    """
    caller.require(*DECLARERS)
    return _report(make_replayer().replay_named(_read_names(said)))


def replay_quarantine(caller: Caller, make_replayer: Callable[[], Replayer]) -> dict[str, Any]:
    """Try again what was not understood. Raises ForbiddenError."""
    caller.require(*DECLARERS)
    return _report(make_replayer().replay_quarantined(MOST))


def _report(done: list[Replayed]) -> dict[str, Any]:
    return {
        "counts": dict(Counter(str(one.outcome) for one in done)),
        "new": sum(one.new for one in done),
        "understood": sum(one.is_understood for one in done),
        "items": [
            {
                **_describe_name(one.name),
                "outcome": one.outcome,
                "understood": one.is_understood,
                "new": one.new,
                "reason": one.reason,
            }
            for one in done
        ],
    }


def _describe(line: LedgerLine) -> dict[str, Any]:
    return {
        **_describe_name(line.name),
        "received_at": to_rfc3339(line.received_at),
        "state": line.state,
        "reason": line.reason,
        "case_id": line.case_id or None,
        "message_id": line.message_id or None,
    }


def _describe_name(name: LedgerName) -> dict[str, str]:
    return {part: getattr(name, part) for part in _PARTS}


def _read_bound(query: Mapping[str, str], name: str) -> datetime | None:
    return read_time(query, name, datetime.max.replace(tzinfo=UTC)) if query.get(name) else None


def _read_state(value: str) -> LedgerState | None:
    try:
        return LedgerState(value) if value else None
    except ValueError:
        advice = f"use one of: {', '.join(LedgerState)}"
        raise InvalidRequestError("There is no such state.", (("state", advice),)) from None


def _read_names(said: Mapping[str, Any]) -> list[LedgerName]:
    named = said.get("entries")
    if not isinstance(named, list) or not 1 <= len(named) <= MOST:
        advice = f'write 1 to {MOST} of {{"provider": "…", "account": "…", "event_id": "…"}}'
        raise InvalidRequestError("Which entries?", (("entries", advice),))
    return list(dict.fromkeys(_read_name(one) for one in named))


def _read_name(said: Any) -> LedgerName:
    parts = [said.get(part) if isinstance(said, dict) else None for part in _PARTS]
    provider, account, event_id = parts
    if isinstance(provider, str) and isinstance(account, str) and isinstance(event_id, str):
        return LedgerName(provider, account, event_id)
    advice = "write each name as GET /v1/ledger gives it"
    raise InvalidRequestError("That is no entry's name.", (("entries", advice),))
