"""The conversation of a customer's page: the case of its session, and those in which it goes on.

Where agents merged that case into another one, the answers are written there; where they split it,
some of its messages are there, and the answers to them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from caseweave.domain.case_links import CaseLink, LinkKind
from caseweave.domain.media import FileOutcome
from caseweave.domain.message import Message, timeline_place
from caseweave.storage.cases import read_timeline

# A page that asks every few seconds costs a query for each.
_MOST_CASES = 10
_GOES_ON_IN = (LinkKind.MERGED_INTO, LinkKind.SPLIT_INTO)


@dataclass(frozen=True, slots=True)
class Leg:
    """What is said in one case, from message number `begins` on; behind number `told`, it is new to
    a page that read the conversation before it went on here.
    """

    case_id: str
    begins: int
    told: int
    messages: list[Message]
    files: list[FileOutcome]
    links: list[CaseLink]


def read_conversation(case_id: str) -> list[Leg]:
    """The session's own case first; one query for each."""
    legs = [_read_leg(case_id, 0, 0)]
    ahead = _look_ahead(legs[0], None)
    while ahead and len(legs) < _MOST_CASES:
        link, since = ahead.pop(0)
        is_known = any(leg.case_id == link.other_id for leg in legs)
        if link.kind not in _GOES_ON_IN or is_known or _is_before(link, since):
            continue
        is_merge = link.kind is LinkKind.MERGED_INTO
        leg = _read_leg(link.other_id, link.other_seq if is_merge else 0, link.other_seq)
        legs.append(leg)
        ahead += _look_ahead(leg, link.at)
    return legs


def _look_ahead(leg: Leg, since: datetime | None) -> list[tuple[CaseLink, datetime | None]]:
    """Splits first: what was split off, and merged again, belongs to it from its beginning."""
    links = sorted(leg.links, key=lambda link: link.kind is LinkKind.MERGED_INTO)
    return [(link, since) for link in links]


def _read_leg(case_id: str, begins: int, told: int) -> Leg:
    found = read_timeline(case_id)
    return Leg(case_id, begins, told, found.messages, found.files, found.links)


def _is_before(link: CaseLink, since: datetime | None) -> bool:
    """Was that split off before this conversation came to the case?"""
    return since is not None and link.kind is LinkKind.SPLIT_INTO and link.at < since


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a page has read each case; nothing for a page that has read nothing.

    As text, the number in the session's own case, and where the conversation goes on in others,
    the numbers in those: `12~CASE:5`.
    """

    reached: Mapping[str, int]

    def find_start(self, leg: Leg) -> int:
        known = self.reached.get(leg.case_id)
        if known is not None:
            return max(known, leg.begins)
        return leg.told if self.reached else leg.begins

    def advance(self, legs: Sequence[Leg], new: Sequence[Message]) -> str:
        """The cursor behind what is *new*, as text."""
        own, *others = (
            (leg.case_id, max([self.find_start(leg), *_numbers(new, leg.case_id)])) for leg in legs
        )
        return "~".join([str(own[1]), *(f"{case_id}:{seq}" for case_id, seq in others)])


def read_cursor(text: str, case_id: str, messages: Sequence[Message]) -> Cursor:
    """The cursor that a page sent, or that the id of a message stands for; one that says nothing
    starts before everything.
    """
    first, *others = text.split("~")
    if _is_number(first):
        pairs = [one.partition(":") for one in others]
        told = {name: int(seq) for name, _, seq in pairs if _is_number(seq)}
        return Cursor({**told, case_id: int(first)})
    return Cursor({one.case_id: one.seq for one in messages if one.id == text})


def order_new(messages: Sequence[Message], legs: Sequence[Leg]) -> list[Message]:
    """In one case by number, as they were written; over several, by when they happened."""
    if len(legs) == 1:
        return sorted(messages, key=lambda message: message.seq)
    return sorted(messages, key=timeline_place)


def _numbers(messages: Sequence[Message], case_id: str) -> list[int]:
    return [message.seq for message in messages if message.case_id == case_id]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 12
