"""The index of words: which messages a term stands in, and which ones all of several do.

`TERM#term / CASE#id#MSG#time#id`, read from the newest case on. Messages that have all terms are
found by leaping: each term's list is only read from where the others have got to, so the rarest
one decides how much of the others is read.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pynamodb.exceptions import DoesNotExist, PynamoDBException

from caseweave.domain.message import Message
from caseweave.domain.search_rules import Scope
from caseweave.domain.times import from_rfc3339, to_rfc3339
from caseweave.errors import CaseweaveError, UnavailableError
from caseweave.storage import table
from caseweave.storage.items import batch_delete, batch_put, make_item, put_if
from caseweave.storage.table import IndexRow, Key, PostingRow, Row

# A page of search reads no more than this, whatever is asked.
MOST_QUERIES, MOST_POSTINGS = 40, 1_000
MOST_TERMS_ASKED = 8
# First as many as tell rare from common; then many, or few after a leap: the next may be as far.
_FIRST_SHARE, _SHARE, _SHARE_AFTER_LEAP = 25, 50, 8
# Sorts after every posting.
_TOP = "CASE#~"


@dataclass(slots=True)
class Reading:
    """What was read of the index for one page, and where that had to end.

    `stopped_at` is the place before which nothing was looked at, None where all was.
    """

    queries: int = 0
    postings: int = 0
    stopped_at: str | None = None

    @property
    def is_spent(self) -> bool:
        return self.queries >= MOST_QUERIES or self.postings >= MOST_POSTINGS


class _SpentError(CaseweaveError):
    """A page may read no more of the index."""


def put_postings(message: Message, terms: Sequence[str], expires_at: datetime) -> None:
    """Let *terms* lead to the message; again is the same. Raises UnavailableError."""
    place = _place(message)
    batch_put(
        [
            make_item(PostingRow, table.posting_key(term, place), expires_at=expires_at)
            for term in terms
        ]
    )


def delete_postings(message: Message, terms: Sequence[str]) -> None:
    """Let *terms* lead to the message no more. Raises UnavailableError."""
    place = _place(message)
    batch_delete([table.posting_key(term, place) for term in terms])


def find_messages(
    terms: Sequence[str], before: str, reading: Reading
) -> Generator[str, str | None, None]:
    """The places of the messages that have all *terms*, below *before* ("": from the newest on).

    Whoever has taken one may send a place farther down, below which to go on.
    Ends when there are no more, or when *reading* is spent, which then says where. Raises
    UnavailableError.
    """
    bound = before or _TOP
    try:
        lists = [_Postings(term, reading) for term in terms[:MOST_TERMS_ASKED]]
        for one in lists:
            one.read_below(bound, _FIRST_SHARE)
        lists.sort(key=_Postings.reach)
        while (place := lists[0].below(bound)) is not None:
            # Where the others have got to: up to there, there is no message with all terms.
            bound = min((one.below(f"{place}!") or "" for one in lists[1:]), default=place)
            if not bound:
                return
            if bound == place:
                bound = (yield place) or place
            else:
                bound += "!"
    except _SpentError:
        reading.stopped_at = bound


def note_scope(scope: Scope, now: datetime) -> None:
    """Remember since when the texts of such messages are indexed. Raises UnavailableError."""
    item = make_item(IndexRow, table.INDEX_KEY, scope=str(scope), since=to_rfc3339(now))
    put_if(item, Row.pk.does_not_exist() | (IndexRow.scope != str(scope)))


def read_scope() -> tuple[Scope, datetime] | None:
    """Of which messages the text is indexed, and since when; None if none ever was."""
    try:
        row = IndexRow.get(*table.INDEX_KEY)
    except DoesNotExist:
        return None
    return Scope(row.scope), from_rfc3339(row.since)


def below_case(case_id: str) -> str:
    """The place below all messages of a case."""
    return table.case_key(case_id)[0]


def case_of(place: str) -> str:
    return table.parse_posting(place)[0].removeprefix("CASE#")


def _place(message: Message) -> Key:
    return table.message_key(message.case_id, to_rfc3339(message.occurred_at), message.id)


@dataclass(slots=True)
class _Postings:
    """One term's list, read downwards piece by piece."""

    term: str
    reading: Reading
    places: list[str] = field(default_factory=list)
    at: int = 0
    given: str = ""
    is_whole: bool = False

    def reach(self) -> tuple[bool, str]:
        """How far down what was read leads: the rarer the term, the farther."""
        return not self.is_whole, self.places[-1] if self.places else ""

    def below(self, bound: str) -> str | None:
        """The highest place below *bound*, None if there is none; bounds only ever sink."""
        while True:
            while self.at < len(self.places):
                if self.places[self.at] < bound:
                    self.given = self.places[self.at]
                    return self.given
                self.at += 1
            if self.is_whole:
                return None
            is_used_up = bool(self.places) and self.given == self.places[-1]
            self.read_below(bound, _SHARE if is_used_up else _SHARE_AFTER_LEAP)

    def read_below(self, bound: str, share: int) -> None:
        if self.reading.is_spent:
            raise _SpentError
        partition, _ = table.posting_key(self.term, ("", ""))
        try:
            found = PostingRow.query(
                partition, Row.sk < bound, scan_index_forward=False, limit=share
            )
            self.places, self.at = [str(row.sk) for row in found], 0
        except PynamoDBException as error:
            raise UnavailableError(f"the index cannot be read: {error}") from error
        self.is_whole = len(self.places) < share
        self.reading.queries += 1
        self.reading.postings += len(self.places)
