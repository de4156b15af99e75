"""The inbound ledger: the raw input of every event, and what became of it (promises P1, P2)."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from pynamodb.exceptions import DoesNotExist, PynamoDBException, UpdateError

from caseweave.domain.times import from_rfc3339, to_rfc3339
from caseweave.errors import NotFoundError, UnavailableError
from caseweave.storage import table
from caseweave.storage.items import Item, batch_get, make_item, put_if
from caseweave.storage.moved import find_place
from caseweave.storage.table import LedgerRow

# Raised when a parser understands more than before, so that replay knows what to try again.
PARSER = 2
LONGEST_EVENT_ID = 256
_PLAIN, _PACKED = b"\x00", b"\x01"
_WORTH_PACKING = 2048


class LedgerState(StrEnum):
    PARSED = "parsed"
    IGNORED = "ignored"
    # What it hints at has to be pulled.
    HINT = "hint"
    QUARANTINED = "quarantined"
    # Quarantined once, understood by a later parser.
    REPLAYED = "replayed"
    # Nothing but the guard is left of it.
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class RawInput:
    """A verified request as it came. `body_ref` names the object that holds it, if not `body`.

    That object ends by a lifecycle rule. While the input is quarantined, a copy stays in the bucket
    `hold_in`, and `held_ref` names it.
    """

    provider: str
    account: str
    received_at: datetime
    retention: timedelta
    body: bytes = b""
    body_ref: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    hold_in: str = ""
    held_ref: str = ""


@dataclass(frozen=True, slots=True)
class LedgerName:
    """What an entry is known by; `event_id` as it is bounded for a key."""

    provider: str
    account: str
    event_id: str

    @property
    def key(self) -> table.Key:
        return table.ledger_key(self.provider, self.account, self.event_id)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    provider: str
    account: str
    event_id: str
    state: LedgerState
    received_at: datetime
    body: bytes
    body_ref: str
    reason: str
    case_id: str
    headers: Mapping[str, str] = field(default_factory=dict)
    message_id: str = ""
    held_ref: str = ""

    @property
    def name(self) -> LedgerName:
        return LedgerName(self.provider, self.account, self.event_id)

    @property
    def object_ref(self) -> str:
        """Where the object is that holds its body, "" if none does."""
        is_held = self.state is LedgerState.QUARANTINED and self.held_ref
        return self.held_ref if is_held else self.body_ref

    def as_raw(self, retention: timedelta, hold_in: str) -> RawInput:
        """The input as it came, at the time at which it came."""
        return RawInput(
            self.provider,
            self.account,
            self.received_at,
            retention,
            self.body,
            self.body_ref,
            self.headers,
            hold_in,
            self.held_ref,
        )


def ledger_item(
    raw: RawInput,
    event_id: str,
    state: LedgerState,
    reason: str = "",
    case_id: str = "",
    message_id: str = "",
    hint: str = "",
) -> Item:
    """The ledger's record of one event of a request. What is quarantined is listed, and stays."""
    name = bound_event_id(event_id)
    received_at = to_rfc3339(raw.received_at)
    is_quarantined = state is LedgerState.QUARANTINED
    return make_item(
        LedgerRow,
        table.ledger_key(raw.provider, raw.account, name),
        provider=raw.provider,
        account=raw.account or None,
        event_id=name,
        state=str(state),
        reason=reason or None,
        received_at=received_at,
        parser=PARSER,
        headers=dict(raw.headers) or None,
        body=_pack(raw.body) if raw.body else None,
        body_ref=raw.body_ref or None,
        held_ref=(raw.held_ref or None) if is_quarantined else None,
        case_id=case_id or None,
        message_id=message_id or None,
        hint=hint or None,
        expires_at=None if is_quarantined else raw.received_at + raw.retention,
        worklist_pk=table.QUARANTINE_PARTITION if is_quarantined else None,
        worklist_sk=f"{received_at}#{raw.provider}" if is_quarantined else None,
    )


def keep_without_message(
    raw: RawInput, event_id: str, state: LedgerState, reason: str, hint: str = ""
) -> bool:
    """Keep an event that makes no message. False if it was kept before."""
    item = ledger_item(raw, event_id, state, reason, hint=hint)
    return put_if(item, LedgerRow.pk.does_not_exist())


def find_landed(raw: RawInput, event_id: str) -> tuple[str, str]:
    """The (case id, message id) that an event led to, wherever the message moved since; empty if
    it led to none.

    Raises NotFoundError for an event that is not known.
    """
    key = table.ledger_key(raw.provider, raw.account, bound_event_id(event_id))
    try:
        row = LedgerRow.get(*key, consistent_read=True)
    except DoesNotExist:
        raise NotFoundError(f"{raw.provider} never sent {event_id}.") from None
    case_id, message_id = row.case_id or "", row.message_id or ""
    return find_place(case_id, message_id) if message_id else case_id, message_id


def find_case_of(raw: RawInput, event_id: str) -> str:
    """The case that an event of the same account led to; "" if it led to none, or did not come."""
    try:
        return find_landed(raw, event_id)[0]
    except NotFoundError:
        return ""


def list_quarantined(limit: int) -> Iterator[LedgerEntry]:
    """What was verified but not understood, the newest first."""
    rows = LedgerRow.worklist.query(
        table.QUARANTINE_PARTITION, limit=limit, scan_index_forward=False
    )
    for row in rows:
        if isinstance(row, LedgerRow):
            yield _read(row.attribute_values)


def read_entries(names: Sequence[LedgerName]) -> dict[LedgerName, LedgerEntry]:
    """The entries of *names*, as far as they are there. Raises UnavailableError."""
    try:
        found = list(batch_get([name.key for name in names], consistent=True))
    except PynamoDBException as error:
        raise UnavailableError(f"the ledger cannot be read: {error}") from error
    entries = [_read(values) for _, values in found]
    return {entry.name: entry for entry in entries}


def _read(values: Mapping[str, Any]) -> LedgerEntry:
    return LedgerEntry(
        provider=values["provider"],
        account=values.get("account") or "",
        event_id=values["event_id"],
        state=LedgerState(values["state"]),
        received_at=from_rfc3339(values["received_at"]),
        body=unpack_body(values["body"]) if values.get("body") else b"",
        body_ref=values.get("body_ref") or "",
        reason=values.get("reason") or "",
        case_id=values.get("case_id") or "",
        headers=values.get("headers") or {},
        message_id=values.get("message_id") or "",
        held_ref=values.get("held_ref") or "",
    )


def release_quarantined(entry: LedgerEntry, retention: timedelta) -> bool:
    """The entry was understood after all: it is listed no more, and goes when its time is over.

    False if that was done before. Raises UnavailableError.
    """
    try:
        LedgerRow(*entry.name.key).update(
            actions=[
                LedgerRow.state.set(str(LedgerState.REPLAYED)),
                LedgerRow.expires_at.set(entry.received_at + retention),
                LedgerRow.worklist_pk.remove(),
                LedgerRow.worklist_sk.remove(),
            ],
            condition=LedgerRow.state == str(LedgerState.QUARANTINED),
        )
    except UpdateError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise UnavailableError(f"the ledger cannot be written: {error}") from error
    return True


def _pack(body: bytes) -> bytes:
    """A small body saves nothing by compression; the first byte says which way was taken."""
    return _PLAIN + body if len(body) < _WORTH_PACKING else _PACKED + zlib.compress(body, 1)


def unpack_body(stored: bytes) -> bytes:
    return stored[1:] if stored[:1] == _PLAIN else zlib.decompress(stored[1:])


def bound_event_id(event_id: str) -> str:
    """The id itself, or its digest where a sender chose one too long for a key."""
    if len(event_id.encode()) <= LONGEST_EVENT_ID:
        return event_id
    return f"sha256:{sha256(event_id.encode()).hexdigest()}"
