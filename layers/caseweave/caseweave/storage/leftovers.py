"""What else in the table is about an erased customer: found by looking at every record once.

An erasure is rare and must be whole. Records that would lead to everything from a customer would be
written with every message, and whoever forgot to write one would leave contents behind; a look
through the table forgets nothing (docs/decisions.md).
"""

import json
import re
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from caseweave.storage import table
from caseweave.storage.consent import ERASED
from caseweave.storage.items import Item, put_item, replace_item, scan
from caseweave.storage.ledger import LedgerState, unpack_body

# Of a ledger's entry: what makes it the guard against a second delivery, and where that landed.
_KEPT_OF_LEDGER = frozenset(
    {"pk", "sk", "kind", "provider", "account", "event_id", "received_at", "parser", "case_id",
     "message_id", "expires_at"}
)  # fmt: skip
# Our own names for things, in no need of being forgotten: a used token must stay used.
_HARMLESS = frozenset({"used_token", "notice", "deletion", "doomed", "case", "message", "event"})
_SHORTEST_MARK = 5
# Thousands of them are kept in one record between two pages.
_BODY_DIGEST = 16
_OBJECT_NAME = re.compile(r"[0-9a-f]{64}")


@dataclass
class Subject:
    """Who is erased: ids of customers and cases, and the addresses they had until *before*.

    `bodies` are digests of raw requests that brought something of theirs: a request may bring
    messages of several customers, and stands in the entry of each.
    """

    customers: frozenset[str]
    cases: frozenset[str]
    addresses: frozenset[str]
    before: str
    bodies: set[str] = field(default_factory=set)

    @property
    def mentions(self) -> re.Pattern[bytes] | None:
        """Finds an address in a raw request, however it is written there."""
        spellings = {
            spelling
            for address in self.addresses
            if len(address) >= _SHORTEST_MARK
            for spelling in _spell(address)
        }
        if not spellings:
            return None
        found = b"|".join(re.escape(one.encode()) for one in sorted(spellings))
        return re.compile(rb"(?<![0-9A-Za-z])(?:%b)(?![0-9A-Za-z])" % found, re.IGNORECASE)


def _spell(address: str) -> set[str]:
    """As it is, without a plus sign, in a form's body, in JSON of ASCII."""
    bare = address.removeprefix("+")
    return {bare, quote(address, safe=""), quote(bare, safe=""), json.dumps(bare)[1:-1]}


@dataclass
class Sweep:
    """One look through the table. `refs` collects the objects of raw input that must go as well;
    `spare` is told of each object's name that somebody else's record has.
    """

    subject: Subject
    doomed: Collection[str] = ()
    spare: Callable[[str], None] = lambda _: None
    refs: Callable[[str], None] = lambda _: None
    counts: Counter[str] = field(default_factory=Counter)

    def look(self, start: dict[str, Any] | None) -> dict[str, Any] | None:
        """One page of the table; where the next one starts, None after the last.

        Raises UnavailableError.
        """
        answer = scan(exclusive_start_key=start, consistent_read=True)
        mentions = self.subject.mentions
        for item in answer["Items"]:
            left = judge(item, self.subject, mentions, self.refs)
            if left is None or left != item:
                self._write(item, left)
            elif self.doomed and not is_own(item, self.subject):
                self._spare_shared(item)
        return answer.get("LastEvaluatedKey")

    def _write(self, item: Item, left: Item | None) -> None:
        kind = item["kind"]["S"]
        if kind == "consent" and left is not None:
            # It moves to another key: there first, so that STOP is never forgotten.
            put_item(left)
            left = None
        self.counts[kind] += replace_item(item, left)

    def _spare_shared(self, item: Item) -> None:
        for name in set(_OBJECT_NAME.findall(json.dumps(item, default=str))):
            if name in self.doomed:
                self.spare(name)


def is_own(item: Item, subject: Subject) -> bool:
    """Does the record belong to who is erased?"""
    owner, _, own_id = item["pk"]["S"].partition("#")
    if item["kind"]["S"] == "address":
        # Its case is a hint, which may lead nowhere.
        return _text(item, "customer_id") in subject.customers
    if item["kind"]["S"] == "posting":
        return item["sk"]["S"].split("#")[1] in subject.cases
    return (
        (owner == "CUST" and own_id in subject.customers)
        or (owner in ("CASE", "VERIFY") and own_id in subject.cases)
        or _text(item, "customer_id") in subject.customers
        or _text(item, "case_id") in subject.cases
        or _text(item, "outbox_key").partition("~")[0] in subject.cases
        or item["kind"]["S"] in ("deletion", "doomed")
    )


def judge(
    item: Item,
    subject: Subject,
    mentions: re.Pattern[bytes] | None,
    note_object: Callable[[str], None],
) -> Item | None:
    """What may stay of a record: all of it, less, or None for nothing."""
    kind, pk = item["kind"]["S"], item["pk"]["S"]
    if kind == "ledger":
        return _judge_ledger(item, subject, mentions, note_object)
    if kind == "event":
        return _judge_event(item, subject)
    if kind == "incident":
        return _judge_incident(item, subject)
    if kind == "consent":
        return _judge_consent(item, subject)
    if kind in _HARMLESS or pk.startswith(("REF#", "CUST#", "CASE#")):
        return _judge_suggestion(item, subject)
    is_theirs = is_own(item, subject) or _is_answers(item, subject)
    return None if is_theirs else item


def _judge_suggestion(item: Item, subject: Subject) -> Item | None:
    """That somebody else might be this customer."""
    is_about = item["kind"]["S"] == "suggestion" and _text(item, "other_id") in subject.customers
    return None if is_about else item


def _is_answers(item: Item, subject: Subject) -> bool:
    """The count of answers to one of the addresses. (The address itself may be somebody new's.)"""
    address = item["pk"]["S"].split("#", 2)[-1]
    return item["kind"]["S"] == "answers" and address in subject.addresses


def _judge_ledger(
    item: Item,
    subject: Subject,
    mentions: re.Pattern[bytes] | None,
    note_object: Callable[[str], None],
) -> Item:
    said = _raw_of(item)
    body = sha256(said).hexdigest()[:_BODY_DIGEST] if said else ""
    is_theirs = _text(item, "case_id") in subject.cases
    if is_theirs and body:
        subject.bodies.add(body)
    is_bystander = not is_theirs and bool(_text(item, "case_id"))
    is_earlier = _text(item, "received_at") < subject.before
    is_about = (
        mentions is not None
        and is_earlier
        and not is_bystander
        and mentions.search(said) is not None
    )
    if not (is_theirs or is_about or (body and body in subject.bodies)):
        return item
    if body:
        subject.bodies.add(body)
    for name in ("body_ref", "held_ref"):
        if _text(item, name):
            note_object(_text(item, name))
    left = {name: value for name, value in item.items() if name in _KEPT_OF_LEDGER}
    return {**left, "state": {"S": str(LedgerState.ERASED)}}


def _raw_of(item: Item) -> bytes:
    """The request as far as the entry has it."""
    stored = item.get("body", {}).get("B", b"")
    packed = b64decode(stored) if isinstance(stored, str) else bytes(stored)
    pieces = [
        unpack_body(packed) if packed else b"",
        _text(item, "headers").encode(),
        _text(item, "reason").encode(),
        _text(item, "body_ref").encode(),
    ]
    return b"\n".join(pieces) if any(pieces) else b""


def _judge_event(item: Item, subject: Subject) -> Item:
    """In other chains: what was suspected of this customer."""
    private: Mapping[str, Any] = json.loads(_text(item, "private") or "{}")
    named = {private.get("customer_id"), private.get("other_id")}
    if not named & subject.customers:
        return item
    return {name: value for name, value in item.items() if name != "private"}


def _judge_incident(item: Item, subject: Subject) -> Item:
    users = json.loads(_text(item, "platform_users") or "[]")
    left = [user for user in users if user not in subject.addresses]
    return item if left == users else {**item, "platform_users": {"S": json.dumps(left)}}


def _judge_consent(item: Item, subject: Subject) -> Item:
    """STOP must be obeyed for ever, and needs no more than the digest of the number."""
    theirs = item["pk"]["S"].removeprefix("CONSENT#")
    if theirs not in subject.addresses:
        return item
    ours = item["sk"]["S"].removeprefix("NUMBER#")
    pk, sk = table.erased_consent_key(ours, theirs)
    return {**item, "pk": {"S": pk}, "sk": {"S": sk}, "message_id": {"S": ERASED}}


def _text(item: Item, name: str) -> str:
    return str(item.get(name, {}).get("S", ""))
