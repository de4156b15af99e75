"""Cases: read whole, listed for work, found by name, and changed in one transaction."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition

from caseweave.domain.case import Case, CaseState
from caseweave.domain.case_links import CaseLink
from caseweave.domain.event import CaseChange, Event
from caseweave.domain.media import FileOutcome
from caseweave.domain.message import Message, timeline_place
from caseweave.domain.open_cases import OpenCases, concerns_list, follow_case
from caseweave.domain.presence import Presence
from caseweave.domain.reference import parse_reference
from caseweave.domain.times import to_rfc3339
from caseweave.domain.ulid import earliest_ulid
from caseweave.errors import ContentionError, NotFoundError
from caseweave.storage import table
from caseweave.storage.items import Item, batch_get, batch_put, has, make_item
from caseweave.storage.open_cases import PART, put_open_cases, read_open_cases
from caseweave.storage.rows import (
    case_item,
    event_item,
    message_item,
    read_case,
    read_case_link,
    read_event,
    read_message,
    read_outcome,
    read_presence,
)
from caseweave.storage.table import (
    CaseLinkRow,
    CaseRow,
    EventRow,
    FileRow,
    MessageRow,
    Row,
    SeenRow,
)
from caseweave.storage.transaction import RefusedError, Transaction


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case with its timeline (by time of occurrence), its chain (by number), what became of the
    files in it, its links, and who said last that they look at it.
    """

    case: Case
    messages: tuple[Message, ...]
    events: tuple[Event, ...]
    files: tuple[FileOutcome, ...] = ()
    links: tuple[CaseLink, ...] = ()
    presences: tuple[Presence, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """A case's messages by time of occurrence, what became of their files, and its links."""

    messages: list[Message]
    files: list[FileOutcome]
    links: list[CaseLink]


@dataclass(frozen=True, slots=True)
class CasePage:
    """Some cases, and where the next page starts (None: there is none)."""

    items: tuple[Case, ...]
    next: dict[str, Any] | None


def read_head(case_id: str) -> Case:
    """One consistent read. Raises NotFoundError."""
    try:
        row = CaseRow.get(*table.case_key(case_id), consistent_read=True)
    except DoesNotExist:
        raise NotFoundError(f"There is no case {case_id}.") from None
    return read_case(row.attribute_values)


def read_current(case_id: str) -> Case:
    """The case, or the one that it was merged into at last. Raises NotFoundError.

    One consistent read, and one more for each merge on the way.
    """
    return follow_merges(read_head(case_id))


def follow_merges(case: Case) -> Case:
    """The case itself, or the one that it was merged into at last; only merged ones cost reads."""
    while case.merged_into:
        case = read_head(case.merged_into)
    return case


def read_heads(case_ids: Iterable[str], *, consistent: bool = False) -> dict[str, Case]:
    """The heads that are there, by id; one read for up to a hundred of them."""
    found = batch_get([table.case_key(case_id) for case_id in case_ids], consistent=consistent)
    heads = (read_case(values) for _, values in found)
    return {case.id: case for case in heads}


def read_messages(
    keys: Iterable[table.Key], *, consistent: bool = False
) -> dict[table.Key, Message]:
    """The messages that are there, by key; one read for up to a hundred of them."""
    found = batch_get(list(keys), consistent=consistent)
    return {(values["pk"], values["sk"]): read_message(values) for _, values in found}


def read_message_of(case_id: str, sort_key: str) -> tuple[Case, Message] | None:
    """The head and one message, in one consistent read; None if either is not there."""
    keys = [table.case_key(case_id), (table.case_key(case_id)[0], sort_key)]
    found = dict(batch_get(keys, consistent=True))
    if found.keys() != {"case", "message"}:
        return None
    return read_case(found["case"]), read_message(found["message"])


def list_messages(case_id: str) -> tuple[list[Message], list[FileOutcome]]:
    """The messages alone, by time of occurrence, and what became of their files; one query."""
    timeline = read_timeline(case_id)
    return timeline.messages, timeline.files


def read_timeline(case_id: str) -> Timeline:
    """Without the head and the chain; one query."""
    rows = _read_rows(case_id, Row.sk.between(*table.TIMELINE))
    return Timeline(
        _in_order(read_message(one) for one in rows[MessageRow]),
        [read_outcome(one) for one in rows[FileRow]],
        [read_case_link(one) for one in rows[CaseLinkRow]],
    )


def read_file(case_id: str) -> CaseFile:
    """The whole case in one query. Raises NotFoundError."""
    rows = _read_rows(case_id)
    if not rows[CaseRow]:
        raise NotFoundError(f"There is no case {case_id}.")
    return CaseFile(
        read_case(rows[CaseRow][0]),
        tuple(_in_order(read_message(one) for one in rows[MessageRow])),
        tuple(read_event(one) for one in rows[EventRow]),
        tuple(read_outcome(one) for one in rows[FileRow]),
        tuple(read_case_link(one) for one in rows[CaseLinkRow]),
        tuple(read_presence(one) for one in rows[SeenRow]),
    )


def _read_rows(
    case_id: str, within: Condition | None = None
) -> defaultdict[type[Row], list[dict[str, Any]]]:
    """The values of a case's records by what they are, in the order of their keys."""
    rows = defaultdict(list)
    partition = table.case_key(case_id)[0]
    for row in Row.query(partition, range_key_condition=within, consistent_read=True):
        rows[type(row)].append(row.attribute_values)
    return rows


def _in_order(messages: Iterable[Message]) -> list[Message]:
    """Keys order by time and id; this knows how exact the times are."""
    return sorted(messages, key=timeline_place)


def find_case_id(name: str) -> str:
    """The id of the case that *name* leads to, through merges. Raises NotFoundError."""
    return read_current(find_named_id(name)).id


def find_named_id(name: str) -> str:
    """The id that *name* (an id, or a reference as people type it) means itself, merged or not.

    Raises NotFoundError for a reference that was never given.
    """
    ref = parse_reference(name)
    if ref is None:
        return name
    try:
        row = table.PointerRow.get(*table.reference_key(ref))
    except DoesNotExist:
        raise NotFoundError(f"There is no case {ref}.") from None
    return str(row.case_id)


def list_worklists(
    teams: Sequence[str], states: Sequence[CaseState], limit: int, start: dict[str, Any] | None
) -> CasePage:
    """The cases of *teams* in *states*: list by list, in each by priority, then by due time."""
    lists = [table.worklist_partition(team, state) for team in teams for state in states]
    return _page(CaseRow.worklist, lists, None, limit, start)


def list_assigned(
    agent: str, states: Sequence[CaseState], limit: int, start: dict[str, Any] | None
) -> CasePage:
    """An agent's cases, state by state, by due time."""
    return _page(CaseRow.assignee, [f"AGENT#{agent}"] * len(states), states, limit, start)


def list_of_customer(customer_id: str, limit: int, start: dict[str, Any] | None) -> CasePage:
    """A customer's cases in the order in which they were opened."""
    return _page(CaseRow.customer, [f"CUST#{customer_id}"], ["CASE"], limit, start)


def _page(
    index: Any,
    partitions: Sequence[str],
    prefixes: Sequence[str] | None,
    limit: int,
    start: dict[str, Any] | None,
) -> CasePage:
    """Walk the partitions from where *start* says until *limit* cases are found."""
    position = start["at"] if start else 0
    last_key = start["key"] if start else None
    found: list[Case] = []
    while position < len(partitions):
        prefix = _sort_prefix(index, prefixes[position]) if prefixes else None
        result = index.query(
            partitions[position],
            range_key_condition=prefix,
            limit=limit - len(found),
            last_evaluated_key=last_key,
        )
        found += [read_case(row.attribute_values) for row in result if isinstance(row, CaseRow)]
        last_key = result.last_evaluated_key
        if last_key is None:
            position += 1
        if len(found) >= limit:
            more = position < len(partitions)
            return CasePage(tuple(found), {"at": position, "key": last_key} if more else None)
    return CasePage(tuple(found), None)


def _sort_prefix(index: Any, prefix: str) -> Any:
    attribute = Row.assignee_sk if index is CaseRow.assignee else Row.customer_sk
    return attribute.startswith(f"{prefix}#")


def list_due(now: datetime) -> Iterator[Case]:
    """The cases a schedule must look at, the longest overdue first in each shard."""
    until = f"{to_rfc3339(now)}~"
    for partition in table.due_partitions():
        for row in CaseRow.due.query(partition, range_key_condition=Row.due_sk <= until):
            if isinstance(row, CaseRow):
                yield read_case(row.attribute_values)


def list_touched_by(kind: str, value: str, since: datetime) -> Iterator[tuple[str, str]]:
    """The (case id, customer id) of every case opened *since* then that mentions an entity.

    Case ids begin with the time of opening, so older cases are not even read.
    """
    partition, earliest = table.entity_key(kind, value, earliest_ulid(since))
    for row in table.PointerRow.query(partition, Row.sk >= earliest):
        yield row.sk.removeprefix("CASE#"), row.customer_id


def list_closed_before(until: datetime, most: int) -> list[Case]:
    """Closed cases to which nothing has happened since, and whose contents are still there."""
    found: list[Case] = []
    for partition in table.closed_partitions():
        rows = CaseRow.due.query(
            partition, range_key_condition=Row.due_sk < to_rfc3339(until), limit=most - len(found)
        )
        found += [read_case(row.attribute_values) for row in rows if isinstance(row, CaseRow)]
        if len(found) >= most:
            break
    return found


def commit_change(
    change: CaseChange,
    entities: Sequence[tuple[str, str]] = (),
    transaction: Transaction | None = None,
) -> Case:
    """Write a change of one case, whole, and return the case as it is now.

    Raises ContentionError when the case is no longer as it was when the change was made: read it
    again and decide again.
    """
    if change.is_empty:
        return change.after
    write = transaction or Transaction()
    put_change(write, change)
    put_entities(write, change.after, entities)
    try:
        write.commit()
    except RefusedError as error:
        if error.parts <= {"case", "event", "message", "answers", PART}:
            raise ContentionError(f"case {change.after.ref} has changed meanwhile") from error
        raise
    return change.after


def put_change(write: Transaction, change: CaseChange, noted: OpenCases | None = None) -> None:
    """Add the records of a change to a transaction, with the customer's open cases as they are from
    then on: as *noted* by a caller who has read them, else as they follow from the change.
    """
    before, after = change.before, change.after
    if noted is None and concerns_list(before, after):
        noted = follow_case(read_open_cases(after.customer_id), before, after)
    if noted is not None:
        put_open_cases(write, noted)
    _put_records(write, change)


def put_changes(write: Transaction, changes: Sequence[CaseChange]) -> None:
    """Add the records of changes of several cases, and of each customer's open cases once."""
    noted: dict[str, OpenCases] = {}
    for change in changes:
        _put_records(write, change)
        if concerns_list(change.before, change.after):
            found = read_open_cases(change.after.customer_id)
            listed = noted.get(found.owner, found)
            noted[found.owner] = follow_case(listed, change.before, change.after) or listed
    for listed in noted.values():
        put_open_cases(write, listed)


def _put_records(write: Transaction, change: CaseChange) -> None:
    before, after = change.before, change.after
    if before is None:
        write.put_new("case", case_item(after))
        reference = table.reference_key(after.ref)
        write.put_new("reference", make_item(table.PointerRow, reference, case_id=after.id))
    else:
        write.put("case", case_item(after), has(CaseRow, version=before.version))
    for message in change.messages:
        write.put_new("message", message_item(message))
    for event in change.events:
        write.put_new("event", event_item(event, after.customer_id))


def put_entities(write: Transaction, case: Case, entities: Sequence[tuple[str, str]]) -> None:
    """Let exact values (an order number, a product) lead to the case."""
    for entity in entities:
        write.put("entity", _pointer_item(case, *entity))


def note_entities(case: Case, entities: Sequence[tuple[str, str]]) -> None:
    """The same where nothing else is written. Raises UnavailableError."""
    batch_put([_pointer_item(case, *entity) for entity in entities])


def _pointer_item(case: Case, kind: str, value: str) -> Item:
    return make_item(
        table.PointerRow,
        table.entity_key(kind, value, case.id),
        case_id=case.id,
        customer_id=case.customer_id,
        at=to_rfc3339(case.updated_at),
    )
