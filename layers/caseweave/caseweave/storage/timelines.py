"""A customer's timeline, page by page: what a page costs depends on the page alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from operator import itemgetter

from pynamodb.exceptions import PynamoDBException

from caseweave.domain.case import Case
from caseweave.domain.event import Event
from caseweave.domain.message import Message
from caseweave.errors import UnavailableError
from caseweave.storage import table
from caseweave.storage.cases import read_heads
from caseweave.storage.rows import read_event, read_message
from caseweave.storage.table import MessageRow, Row

Entry = Message | Event


def case_of(entry: Entry) -> str:
    """The id of the case it happened in."""
    return entry.case_id if isinstance(entry, Message) else entry.owner.id


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """Some of what happened, in order; the cases it happened in, by id; and the place after which
    the next page begins ("": there is none).
    """

    entries: tuple[Entry, ...]
    cases: Mapping[str, Case]
    next: str


def read_timeline(
    members: Sequence[str], limit: int, after: str, *, is_newest_first: bool
) -> TimelinePage:
    """The *limit* entries of all *members* behind the place *after* ("": from the beginning).

    Each place belongs to one entry and never changes: what comes between two pages moves nothing
    from one to the other. One query a member, as long as they share the page evenly, and one read
    of the cases. Raises UnavailableError.
    """
    # One more than the page says whether there is another.
    wanted = limit + 1
    share = -(-wanted // len(members)) + 1
    ways = [_walk(member, after, share, is_newest_first=is_newest_first) for member in members]
    merged = merge(*ways, key=itemgetter(0), reverse=is_newest_first)
    try:
        found = list(islice(merged, wanted))
        shown = found[:limit]
        cases = read_heads([case_of(entry) for _, entry in shown])
    except PynamoDBException as error:
        raise UnavailableError(f"the timeline cannot be read: {error}") from error
    return TimelinePage(
        tuple(entry for _, entry in shown),
        cases,
        shown[-1][0] if len(found) > limit else "",
    )


def _walk(
    member: str, after: str, share: int, *, is_newest_first: bool
) -> Iterator[tuple[str, Entry]]:
    """One customer's own entries and their places, *share* of them at a time."""
    low, high = table.PLACE, table.LAST_PLACE
    if after and is_newest_first:
        high = f"{table.PLACE}{after}"
    elif after:
        low = f"{table.PLACE}{after}"
    rows = Row.customer.query(
        f"CUST#{member}",
        Row.customer_sk.between(low, high),
        scan_index_forward=not is_newest_first,
        page_size=share,
    )
    for row in rows:
        place = row.customer_sk.removeprefix(table.PLACE)
        if place != after:
            is_message = isinstance(row, MessageRow)
            yield place, (read_message if is_message else read_event)(row.attribute_values)
