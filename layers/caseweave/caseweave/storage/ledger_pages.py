"""The ledger by time of reception: a scan of the table, page by page.

There is no index by time, since one would be written with every message and read once in a blue
moon (docs/decisions.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caseweave.domain.times import from_rfc3339, to_rfc3339
from caseweave.storage.items import read_item, scan
from caseweave.storage.ledger import LedgerName, LedgerState
from caseweave.storage.table import LedgerRow

# A page of a scan is 1 MB of records, whatever is asked of them.
_MOST_SCANS = 8
_SHOWN = [
    *("kind", "provider", "account", "event_id", "state", "received_at", "reason"),
    *("case_id", "message_id"),
]


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """Which entries: received from `since` on and before `until`, of one provider, in one state."""

    since: datetime | None = None
    until: datetime | None = None
    provider: str = ""
    state: LedgerState | None = None


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """An entry without what it keeps."""

    name: LedgerName
    state: LedgerState
    received_at: datetime
    reason: str
    case_id: str
    message_id: str


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """Some entries, in no order, perhaps none; and where the next page starts (None: nowhere)."""

    items: tuple[LedgerLine, ...]
    next: dict[str, Any] | None


def list_page(wanted: LedgerFilter, start: dict[str, Any] | None, limit: int) -> LedgerPage:
    """At least *limit* entries, or what a few scans found. Raises UnavailableError."""
    found: list[LedgerLine] = []
    for _ in range(_MOST_SCANS):
        items, start = _scan(wanted, start)
        found += items
        if start is None or len(found) >= limit:
            break
    return LedgerPage(tuple(found), start)


def list_all(wanted: LedgerFilter) -> Iterator[LedgerLine]:
    """Every entry, in no order. Raises UnavailableError."""
    start: Any = None
    while True:
        items, start = _scan(wanted, start)
        yield from items
        if start is None:
            return


def _scan(wanted: LedgerFilter, start: Any) -> tuple[list[LedgerLine], dict[str, Any] | None]:
    answer = scan(
        filter_condition=_condition(wanted), attributes_to_get=_SHOWN, exclusive_start_key=start
    )
    return [_read(read_item(item)[1]) for item in answer["Items"]], answer.get("LastEvaluatedKey")


def _condition(wanted: LedgerFilter) -> Any:
    condition = LedgerRow.kind == LedgerRow
    if wanted.since is not None:
        condition &= LedgerRow.received_at >= to_rfc3339(wanted.since)
    if wanted.until is not None:
        condition &= LedgerRow.received_at < to_rfc3339(wanted.until)
    if wanted.provider:
        condition &= LedgerRow.provider == wanted.provider
    if wanted.state is not None:
        condition &= LedgerRow.state == str(wanted.state)
    return condition


def _read(values: dict[str, Any]) -> LedgerLine:
    return LedgerLine(
        LedgerName(values["provider"], values["account"] or "", values["event_id"]),
        LedgerState(values["state"]),
        from_rfc3339(values["received_at"]),
        values["reason"] or "",
        values["case_id"] or "",
        values["message_id"] or "",
    )
