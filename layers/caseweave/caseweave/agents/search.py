"""Search as agents use it: exact things by their records, words by the index of words."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from caseweave.agents.caller import ROLES, Caller
from caseweave.agents.fields import read_limit
from caseweave.agents.view import describe_case
from caseweave.channels.identities import identify_email
from caseweave.discretion import mask_shown
from caseweave.domain.case import Case
from caseweave.domain.desk import Desk
from caseweave.domain.entities import CARD, digest_reference
from caseweave.domain.identity import Address, AddressKind
from caseweave.domain.mentions import EMAIL, PHONE, REFERENCE
from caseweave.domain.message import Message
from caseweave.domain.query_reading import PLATFORM, TEXT, Lookup, read_query
from caseweave.domain.search_rules import Scope
from caseweave.domain.terms import TextQuery, cut_excerpt, read_text_query, searched_texts
from caseweave.domain.times import to_rfc3339
from caseweave.errors import InvalidRequestError, NotFoundError
from caseweave.storage.cases import find_named_id, follow_merges, read_heads
from caseweave.storage.pointers import list_named, list_of_address
from caseweave.storage.postings import read_scope
from caseweave.text_search import FindText

# The names of the indexes of words.
TABLE, OPENSEARCH = "table", "opensearch"
_EXACT = "exact"
_CASE_ID = re.compile(r"0[0-9A-HJKMNP-TV-Z]{25}")
_PLACE = re.compile(r"CASE#0[0-9A-Z]{25}(?:#MSG#[0-9TZ:.-]{24}#[0-9A-Z]{1,40}!?)?")
Match = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Searching:
    """What a search needs: the desk's rules, the keys of digests (every live one), and the index
    of words with its name.
    """

    desk: Desk
    keys: Sequence[bytes]
    find_text: FindText
    index: str
    now: datetime


def search(query: Mapping[str, str], caller: Caller, searching: Searching) -> dict[str, Any]:
    """A page of cases, the newest first, with why each was found.

    What the query says exactly (a reference, a number, a name) is looked up; where there is no
    such thing, or `kind` is `text`, the words are. Raises InvalidRequestError, ForbiddenError,
    UnavailableError.
    """
    caller.require(*ROLES)
    asked, kind = query.get("q", ""), query.get("kind", "")
    limit, (mode, before) = read_limit(query.get("limit", "20")), _read_cursor(query)
    lookups = read_query(asked, kind, searching.desk)
    answer: dict[str, Any] = {
        "read_as": [_describe_lookup(one) for one in lookups] or [{"kind": TEXT, "value": asked}],
        "items": [],
        "next": None,
        "covers": None,
    }
    if lookups and mode != TEXT:
        found = list(islice(_look_up(lookups, before, limit, searching.keys), limit + 1))
        shown = found[:limit]
        answer["items"] = _describe_hits(shown)
        if len(found) > limit:
            answer["next"] = _make_cursor(_EXACT, shown[-1][0])
        if kind or before or found:
            return answer
    return answer | _search_text(asked, kind, before, limit, searching)


def _look_up(
    lookups: Sequence[Lookup], before: str, limit: int, keys: Sequence[bytes]
) -> Iterator[tuple[str, list[Match]]]:
    """(case id, why) of each case opened before case *before*, the newest first, each once."""
    # Whether there is a next page takes one more, and whether that one is whole, another.
    share = limit + 2
    ways = [
        _mark(way, _describe_lookup(one))
        for one in lookups
        for way in _ways(one, before, share, keys)
    ]
    merged = merge(*ways, key=itemgetter(0), reverse=True)
    for case_id, group in groupby(merged, key=itemgetter(0)):
        whys = [why for _, why in group]
        yield case_id, [why for number, why in enumerate(whys) if why not in whys[:number]]


def _ways(
    lookup: Lookup, before: str, share: int, keys: Sequence[bytes]
) -> Iterator[Iterable[str]]:
    """By which records a thing leads to cases."""
    if lookup.kind == CARD:
        for key in keys:
            digest = digest_reference(CARD, lookup.value, key)
            yield list_named(CARD, digest, before, share)
        return
    if lookup.kind == REFERENCE:
        yield _find_case(lookup.value, before)
    addresses = _addresses(lookup)
    if addresses:
        yield list_of_address(addresses, before, share)
    if lookup.kind != PLATFORM:
        yield list_named(lookup.kind, lookup.value, before, share)


def _addresses(lookup: Lookup) -> list[Address]:
    """The addresses of customers that a lookup means."""
    if lookup.kind == PHONE:
        return [Address(AddressKind.PHONE, lookup.value)]
    if lookup.kind == EMAIL:
        spellings = dict.fromkeys([lookup.value, identify_email(lookup.value)])
        return [Address(AddressKind.EMAIL, one) for one in spellings]
    return [Address(AddressKind.PLATFORM, lookup.value)] if lookup.kind == PLATFORM else []


def _find_case(ref: str, before: str) -> list[str]:
    try:
        found = find_named_id(ref)
    except NotFoundError:
        return []
    return [found] if not before or found < before else []


def _mark(way: Iterable[str], why: Match) -> Iterator[tuple[str, Match]]:
    for case_id in way:
        yield case_id, why


def _describe_lookup(lookup: Lookup) -> Match:
    """A card is nobody's to read."""
    return {"kind": lookup.kind, "value": None if lookup.kind == CARD else lookup.value}


def _search_text(
    asked: str, kind: str, before: str, limit: int, searching: Searching
) -> dict[str, Any]:
    """The page of what has the words, and an honest account of what was looked through."""
    text = read_text_query(asked)
    if not text.terms and kind == TEXT:
        advice = "write two neighbouring Chinese characters, or a whole word"
        raise InvalidRequestError("That is too little to look for.", (("q", advice),))
    rules, covers = searching.desk.search, _describe_cover(searching)
    if not text.terms or rules.scope is Scope.OFF:
        return {"covers": covers}
    page = searching.find_text(text, before, limit)
    hits = [(hit.case_id, [_describe_match(hit, text)]) for hit in page.hits]
    return {
        "items": _describe_hits(hits),
        "next": _make_cursor(TEXT, page.next) if page.next else None,
        "covers": covers | {"is_cut": page.is_cut, "entries_read": page.read},
    }


def _describe_cover(searching: Searching) -> dict[str, Any]:
    """What the index of words holds: of which messages, how much of each, since when."""
    rules, known = searching.desk.search, read_scope()
    is_table = searching.index == TABLE
    since = None
    if known is not None and known[0] is rules.scope and rules.scope is not Scope.OFF:
        oldest = searching.now - rules.kept if is_table else known[1]
        since = to_rfc3339(max(known[1], oldest))
    return {
        "index": searching.index,
        "messages": str(rules.scope),
        "most_terms": rules.most_terms if is_table else None,
        "since": since,
        "is_cut": False,
        "entries_read": 0,
    }


def _describe_match(message: Message, text: TextQuery) -> Match:
    return {
        "kind": TEXT,
        "message_id": message.id,
        "at": to_rfc3339(message.occurred_at),
        "channel": str(message.channel),
        "direction": str(message.direction),
        "excerpt": cut_excerpt(text, [mask_shown(one).text for one in searched_texts(message)]),
    }


def _describe_hits(hits: Sequence[tuple[str, list[Match]]]) -> list[dict[str, Any]]:
    """Each case once, with all that led to it; of a merged one, the one that it was merged into."""
    heads = read_heads(case_id for case_id, _ in hits)
    found: dict[str, tuple[Case, list[Match]]] = {}
    for case_id, whys in hits:
        if case_id in heads:
            case = follow_merges(heads[case_id])
            found.setdefault(case.id, (case, []))[1].extend(whys)
    return [{"case": describe_case(case), "matches": whys} for case, whys in found.values()]


def _make_cursor(mode: str, place: str) -> str:
    return urlsafe_b64encode(json.dumps([mode, place]).encode()).decode().rstrip("=")


def _read_cursor(query: Mapping[str, str]) -> tuple[str, str]:
    """How the last page was found, and where it ended. Raises InvalidRequestError."""
    cursor = query.get("cursor", "")
    if not cursor:
        return _EXACT, ""
    try:
        mode, place = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if {_EXACT: _CASE_ID, TEXT: _PLACE}[mode].fullmatch(place):
            return mode, place
    except (ValueError, TypeError, KeyError):
        pass
    advice = "pass on `next` as the last page gave it, with the same query"
    raise InvalidRequestError("The cursor is not usable.", (("cursor", advice),))
