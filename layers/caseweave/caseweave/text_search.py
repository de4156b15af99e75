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
    reading, has_more = Reading(), False
    places: list[str] = []
    cases: set[str] = set()
    for place in find_messages(query.terms, before, reading):
        is_full = len(cases) == limit and case_of(place) not in cases
        if is_full or len(places) == MOST_CANDIDATES:
            has_more = True
            break
        places.append(place)
        cases.add(case_of(place))
    hits = check_hits(query, places)
    following = reading.stopped_at or (places[-1] if has_more else "")
    if following and hits and following.startswith(below_case(hits[-1].case_id)):
        # This case is on this page: the next one begins with another.
        following = below_case(hits[-1].case_id)
    return TextPage(tuple(hits), following, reading.stopped_at is not None, reading.postings)


def find_in_engine(engine: "OpenSearch", query: TextQuery, before: str, limit: int) -> TextPage:
    """Raises UnavailableError."""
    earlier = case_of(before) if before else ""
    wanted = min(limit, MOST_CANDIDATES - 1)
    found = engine.find(query.parts, earlier, wanted + 1)
    places = [place for _, place in found[:wanted]]
    following = below_case(found[wanted - 1][0]) if len(found) > wanted else ""
    return TextPage(tuple(check_hits(query, places)), following, read=len(found))


def check_hits(query: TextQuery, places: list[str]) -> list[Message]:
    """Of each case the first message at *places* that has what is looked for, as it is stored."""
    keys = [table.parse_posting(place) for place in places]
    stored, hits = read_messages(keys), {}
    for key in keys:
        message = stored.get(key)
        if message is None or message.case_id in hits:
            continue
        if is_match(query, searched_texts(message)):
            hits[message.case_id] = message
    return list(hits.values())
