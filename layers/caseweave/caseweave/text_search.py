"""Free text, by the index in the table or by a search engine: what these lead to is checked
against what is stored before anybody sees it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caseweave.domain.message import Message
from caseweave.domain.terms import TextQuery, is_match, searched_texts
from caseweave.storage import table
from caseweave.storage.cases import read_messages
from caseweave.storage.postings import Reading, below_case, case_of, find_messages

if TYPE_CHECKING:
    from caseweave.aws.opensearch import OpenSearch

# One read of the messages that the index leads to.
MOST_CANDIDATES = 100


@dataclass(frozen=True, slots=True)
class TextPage:
    """The newest matching message of each case, by case, newest first; the place at which the next
    page begins ("": there is none); whether the page was cut because enough was read for it; and
    how many entries of the index were read.
    """

    hits: tuple[Message, ...]
    next: str = ""
    is_cut: bool = False
    read: int = 0


# (what is looked for, the place below which, at most how many cases) → a page.
FindText = Callable[[TextQuery, str, int], TextPage]


def find_in_table(query: TextQuery, before: str, limit: int) -> TextPage:
    """Raises UnavailableError."""
    reading = Reading()
    wanted = min(limit, MOST_CANDIDATES)
    places = _newest_of_cases(query, before, wanted + 1, reading)
    following, is_cut = reading.stopped_at or "", reading.stopped_at is not None
    if len(places) > wanted:
        following = below_case(case_of(places[wanted - 1]))
    stored = read_messages(map(table.parse_posting, places[:wanted]))
    hits: list[Message] = []
    for place in places[:wanted]:
        hit = _check(query, stored.get(table.parse_posting(place)))
        if hit is None:
            reading.stopped_at = None
            hit = _find_in_case(query, place, reading)
        if hit is not None:
            hits.append(hit)
        elif reading.stopped_at is not None:
            # The next page goes on in the midst of this case.
            following, is_cut = reading.stopped_at, True
            break
    return TextPage(tuple(hits), following, is_cut, reading.postings)


def _newest_of_cases(query: TextQuery, before: str, wanted: int, reading: Reading) -> list[str]:
    """Of each of the newest cases the place of the newest message that has all terms."""
    found = find_messages(query.terms, before, reading)
    places: list[str] = []
    place = next(found, None)
    while place is not None:
        places.append(place)
        if len(places) == wanted:
            break
        try:
            place = found.send(below_case(case_of(place)))
        except StopIteration:
            break
    return places


def _find_in_case(query: TextQuery, before: str, reading: Reading) -> Message | None:
    """An older message of the case that matches, where the newest only has the same terms."""
    case_id = case_of(before)
    for place in find_messages(query.terms, before, reading):
        if case_of(place) != case_id:
            return None
        key = table.parse_posting(place)
        hit = _check(query, read_messages([key]).get(key))
        if hit is not None:
            return hit
    return None


def _check(query: TextQuery, message: Message | None) -> Message | None:
    """The message, if it has what is looked for, as it is stored."""
    if message is None or not is_match(query, searched_texts(message)):
        return None
    return message


def find_in_engine(engine: "OpenSearch", query: TextQuery, before: str, limit: int) -> TextPage:
    """Raises UnavailableError."""
    earlier = case_of(before) if before else ""
    wanted = min(limit, MOST_CANDIDATES - 1)
    found = engine.find(query.parts, earlier, wanted + 1)
    places = [place for _, place in found[:wanted]]
    following = below_case(found[wanted - 1][0]) if len(found) > wanted else ""
    stored = read_messages(map(table.parse_posting, places))
    hits = [_check(query, stored.get(table.parse_posting(place))) for place in places]
    return TextPage(tuple(filter(None, hits)), following, read=len(found))
