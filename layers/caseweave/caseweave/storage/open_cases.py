"""The record of a customer's open cases: what makes N concurrent first messages one case.

It is written with the change that it notes, in one transaction and only on the version that was
read: whoever decided from an older one decides again.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from caseweave.domain.open_cases import ListedCase, OpenCases
from caseweave.domain.times import from_rfc3339, optional_rfc3339, optional_time, to_rfc3339
from caseweave.errors import ContentionError
from caseweave.storage import table
from caseweave.storage.items import IS_NEW, batch_get, has, make_item
from caseweave.storage.table import OpenCasesRow
from caseweave.storage.transaction import RefusedError, Transaction

# The name of the record in a transaction, for RefusedError.
PART = "open_cases"
# Merging leads all members straight to one; more than this is a mistake in the records.
_MOST_MOVES = 5


def read_open_cases(customer_id: str, *, consistent: bool = True) -> OpenCases:
    """The record in which the customer's cases stand: their own, or the one that it moved to."""
    found = read_own_open_cases(customer_id, consistent=consistent)
    return follow_moves(found, consistent=consistent)


def read_own_open_cases(customer_id: str, *, consistent: bool = True) -> OpenCases:
    """The customer's own record, which may have moved."""
    found = dict(batch_get([table.open_cases_key(customer_id)], consistent=consistent))
    row = found.get(PART)
    return decode_open_cases(row) if row else OpenCases(customer_id)


def follow_moves(found: OpenCases, *, consistent: bool) -> OpenCases:
    """The record that *found* leads to. Raises ContentionError if that leads nowhere."""
    for _ in range(_MOST_MOVES):
        if not found.moved_to:
            return found
        found = read_own_open_cases(found.moved_to, consistent=consistent)
    raise ContentionError(f"the open cases of {found.owner} move too far")


def put_open_cases(write: Transaction, listed: OpenCases) -> None:
    """Write the record, if it is still at the version that *listed* was made from."""
    version = listed.version
    item = make_item(
        OpenCasesRow,
        table.open_cases_key(listed.owner),
        cases=[_encode(case) for case in listed.cases],
        moved_to=listed.moved_to or None,
        version=version + 1,
    )
    write.put(PART, item, has(OpenCasesRow, version=version) if version else IS_NEW)


def note_topic(case_id: str, customer_id: str, topic: str, at: datetime) -> None:
    """What a case is about, where the case itself does not say so yet. Raises ContentionError."""
    listed = read_open_cases(customer_id)
    known = listed.find(case_id)
    if known is None or known.topic == topic:
        return
    write = Transaction()
    put_open_cases(write, listed.note(replace(known, topic=topic), at=at))
    try:
        write.commit()
    except RefusedError as error:
        raise ContentionError(str(error)) from error


def decode_open_cases(values: dict[str, Any]) -> OpenCases:
    return OpenCases(
        owner=values["pk"].removeprefix("CUST#"),
        cases=tuple(_decode(one) for one in values["cases"]),
        version=int(values["version"]),
        moved_to=values.get("moved_to") or "",
    )


def move_open_cases(write: Transaction, source: OpenCases, target: OpenCases) -> OpenCases:
    """All cases of *source* stand in the record *target* from now on, and *source* leads there.

    Both must have been read consistently. Returns *target* as it is written.
    """
    latest = max((case.active_at for case in (*source.cases, *target.cases)), default=None)
    merged = target.note(*source.cases, at=latest) if latest else target
    put_open_cases(write, merged)
    put_open_cases(write, replace(source, cases=(), moved_to=target.owner))
    return merged


def _encode(case: ListedCase) -> dict[str, Any]:
    """Short, since it is read with every message; what says nothing is left out."""
    told = {
        "id": case.id,
        "opened_at": to_rfc3339(case.opened_at),
        "active_at": to_rfc3339(case.active_at),
        "customer_id": case.customer_id,
        "topic": case.topic,
        "entities": list(case.entities),
        "closed_at": optional_rfc3339(case.closed_at),
        "follows": case.follows,
    }
    return {name: value for name, value in told.items() if value}


def _decode(stored: dict[str, Any]) -> ListedCase:
    return ListedCase(
        id=stored["id"],
        customer_id=stored["customer_id"],
        opened_at=from_rfc3339(stored["opened_at"]),
        active_at=from_rfc3339(stored["active_at"]),
        topic=stored.get("topic", ""),
        entities=tuple(stored.get("entities", ())),
        closed_at=optional_time(stored.get("closed_at")),
        follows=stored.get("follows", ""),
    )
