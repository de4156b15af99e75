"""What must hold of the stored records, whatever happened: promises P1, P2, P3, P7 and P9.

`audit(items)` reads every record (as a scan of the table gives them) and returns what is wrong, a
sentence each; none is what a test asserts. It looks at nothing but the records, so that it works on
moto and on the deployed stack alike.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from caseweave.domain.case import Case, CaseState
from caseweave.domain.case_links import CaseLink, LinkKind
from caseweave.domain.event import (
    COMMITMENT,
    Event,
    EventKind,
    OwnerKind,
    event_record,
    message_content,
)
from caseweave.domain.evidence import commit_to, find_broken_link
from caseweave.domain.message import Direction, Message
from caseweave.domain.threading import Rule
from caseweave.storage.items import read_item
from caseweave.storage.rows import read_case, read_case_link, read_event, read_message

Item = Mapping[str, Any]
# Provider, account, event id: what the ledger knows an event by.
EventName = tuple[str, str, str]
_BRINGS = {
    EventKind.MESSAGE_RECEIVED,
    EventKind.MESSAGE_QUEUED,
    EventKind.NOTE_ADDED,
}


@dataclass
class Records:
    """Everything that was stored, by what it is."""

    cases: dict[str, Case] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    events: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    links: list[CaseLink] = field(default_factory=list)
    moved: dict[str, dict[str, str]] = field(default_factory=dict)
    ledger: dict[EventName, dict[str, Any]] = field(default_factory=dict)
    customers: dict[str, dict[str, Any]] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    # Owner's id → (case id, is it open?) as its record of open cases says.
    listed: dict[str, list[tuple[str, bool]]] = field(default_factory=dict)

    def root(self, customer_id: str) -> str:
        """The customer that this one was merged into at last."""
        seen = {customer_id}
        while into := (self.customers.get(customer_id) or {}).get("merged_into"):
            if into in seen:
                return customer_id
            seen.add(into)
            customer_id = into
        return customer_id

    def chain(self, case_id: str) -> list[Event]:
        return sorted(self.events[case_id], key=lambda event: event.seq)


def read_records(items: Iterable[Item]) -> Records:
    """The records of the kinds that are audited; others are left out."""
    records = Records()
    for item in items:
        kind, values = read_item(dict(item))
        if kind in _READERS:
            _READERS[kind](records, values)
    return records


def audit(items: Iterable[Item], acknowledged: Iterable[EventName] = ()) -> list[str]:
    """What is wrong; *acknowledged* are the events that were answered with a 2xx (P1)."""
    records = read_records(items)
    found = [
        *(f"P1: {name} was acknowledged and is not in the ledger"
          for name in acknowledged if name not in records.ledger),
    ]  # fmt: skip
    for check in _CHECKS:
        found += check(records)
    return found


def find_double_cases(records: Records) -> Iterator[str]:
    """P3: two open cases of one customer about one thing that nobody decided to have."""
    decided = {
        case_id
        for case_id in records.cases
        for event in records.events[case_id]
        if _is_decided(event)
    }
    open_cases = defaultdict(list)
    for case in records.cases.values():
        if case.is_active and case.id not in decided:
            open_cases[records.root(case.customer_id), case.category].append(case.ref)
    for (customer, category), refs in open_cases.items():
        if len(refs) > 1:
            yield f"P3: customer {customer} has {', '.join(sorted(refs))} open about {category!r}"


def _is_decided(event: Event) -> bool:
    """Is the case open because somebody split it off, gave it back or opened it again?"""
    if event.kind is EventKind.CASE_OPENED:
        return "split_from" in event.data
    if event.kind is EventKind.STATE_CHANGED:
        return event.data["before"] == CaseState.CLOSED
    if event.kind is EventKind.MESSAGE_RECEIVED:
        return event.data.get("joined", {}).get("rule") == Rule.FOLLOW_UP
    return event.kind is EventKind.CASE_UNMERGED


def _check_ledger(records: Records) -> Iterator[str]:
    """P2: what an event led to is there, in one place; and no message is there twice."""
    places = defaultdict(list)
    for message in records.messages:
        places[message.id].append(message.case_id)
    for message_id, cases in places.items():
        if len(cases) > 1:
            yield f"P2: message {message_id} is in {sorted(cases)}"
    by_message = Counter(
        values["message_id"]
        for values in records.ledger.values()
        if values.get("message_id") and values["state"] == "parsed"
    )
    for name, values in records.ledger.items():
        case_id, message_id = values.get("case_id"), values.get("message_id")
        if not message_id or values["state"] == "quarantined":
            continue
        while moved_to := records.moved.get(case_id or "", {}).get(message_id):
            case_id = moved_to
        if places.get(message_id) != [case_id]:
            yield f"P2: {name} led to {message_id} in {case_id}, which is not there"
    inbound = [m for m in records.messages if m.direction is Direction.INBOUND]
    for message in inbound:
        if by_message[message.id] > 1:
            yield f"P2: {by_message[message.id]} events led to message {message.id}"


def _check_customers(records: Records) -> Iterator[str]:
    """P3: a message's customer is the customer of its case."""
    for message in records.messages:
        case = records.cases.get(message.case_id)
        if case is None:
            yield f"P3: message {message.id} is in no case"
        elif records.root(message.customer_id) != records.root(case.customer_id):
            yield f"P3: message {message.id} of another customer is in {case.ref}"
    for ref, case_id in records.references.items():
        if case_id not in records.cases or records.cases[case_id].ref != ref:
            yield f"P3: {ref} leads to {case_id}, which is not that"
    for case in records.cases.values():
        if records.references.get(case.ref) != case.id:
            yield f"P3: {case.ref} leads nowhere"


def _check_chains(records: Records) -> Iterator[str]:
    """P9: each chain is whole and ends in its head; each commitment holds."""
    for case in records.cases.values():
        chain = records.chain(case.id)
        if [event.seq for event in chain] != [*range(1, case.seq + 1)]:
            yield f"P9: {case.ref} has the events {[event.seq for event in chain]} of {case.seq}"
        links = [
            (e.previous, e.digest, event_record(e.owner, e.seq, e.at, e.actor, e.kind, e.data))
            for e in chain
        ]
        broken = find_broken_link(links)
        if broken is not None:
            yield f"P9: the chain of {case.ref} breaks at {broken + 1}"
        if not chain or chain[-1].digest != case.chain:
            yield f"P9: {case.ref} does not end as its head says"
        for event in chain:
            is_kept = bool(case.seal) and bool(event.private)
            if is_kept and event.data[COMMITMENT] != commit_to(event.private, case.seal):
                yield f"P9: event {event.seq} of {case.ref} committed to something else"


def _check_places(records: Records) -> Iterator[str]:
    """P9: a message is where the chains say, with the content that they commit to."""
    there = defaultdict(dict)
    for message in records.messages:
        there[message.case_id][message.id] = message
    for case in records.cases.values():
        told = _told_messages(records.chain(case.id))
        if set(told) != set(there[case.id]):
            yield f"P9: {case.ref} should have {sorted(told)} and has {sorted(there[case.id])}"
            continue
        for message_id, digest in told.items():
            content = message_content(there[case.id][message_id])
            if case.seal and digest != commit_to(content, case.seal):
                yield f"P9: message {message_id} of {case.ref} is not what its event vouches for"


def _told_messages(chain: Iterable[Event]) -> dict[str, str]:
    """Message id → the commitment to it, of those that are in a case as its chain says."""
    told: dict[str, str] = {}
    for event in chain:
        if event.kind in _BRINGS:
            told[event.data["message_id"]] = event.data["digest"]
        elif event.kind is EventKind.MESSAGES_MOVED_IN:
            told |= {one["message_id"]: one["digest"] for one in event.data["messages"]}
        elif event.kind is EventKind.MESSAGES_MOVED_OUT:
            for one in event.data["messages"]:
                del told[one["message_id"]]
    return told


def _check_owners(records: Records) -> Iterator[str]:
    """P7: an open case has a team and a due time; a closed one is looked at no more."""
    for case in records.cases.values():
        if case.is_active and not case.team:
            yield f"P7: {case.ref} is nobody's"
        if case.is_active and case.due_at is None:
            yield f"P7: {case.ref} is due at no time"
        if not case.is_active and any(clock.stopped_at is None for clock in case.clocks):
            yield f"P7: {case.ref} is closed and its clocks run"


def _check_listed(records: Records) -> Iterator[str]:
    """P3: the record that choosing a case goes by names the open cases and no closed one."""
    for owner, listed in records.listed.items():
        for case_id, is_open in listed:
            case = records.cases.get(case_id)
            if case is None or case.is_active is not is_open:
                state = case.state if case else "not there"
                yield f"P3: the open cases of {owner} have {case_id}, which is {state}"
            elif records.root(case.customer_id) != records.root(owner):
                yield f"P3: the open cases of {owner} have {case.ref} of another customer"
    known = {
        case_id for listed in records.listed.values() for case_id, is_open in listed if is_open
    }
    for case in records.cases.values():
        if case.is_active and case.id not in known:
            yield f"P3: {case.ref} is open and in no record of open cases"


def _check_merges(records: Records) -> Iterator[str]:
    """Redirects end, in a case that knows of them; what was merged is closed."""
    took_in = defaultdict(set)
    for case in records.cases.values():
        seen, place = {case.id}, case
        while place.merged_into:
            place = records.cases[place.merged_into]
            if place.id in seen:
                yield f"{case.ref} was merged in a circle"
                break
            seen.add(place.id)
            took_in[place.id].add(case.id)
        if case.merged_into and case.state is not CaseState.CLOSED:
            yield f"{case.ref} was merged and is {case.state}"
        if case.merged_into and records.root(case.customer_id) != records.root(place.customer_id):
            yield f"P3: {case.ref} was merged into {place.ref} of another customer"
    for case in records.cases.values():
        if set(case.merged) != took_in[case.id] or len(set(case.merged)) != len(case.merged):
            yield f"{case.ref} says it took in {case.merged}, and it is {sorted(took_in[case.id])}"


def _check_links(records: Records) -> Iterator[str]:
    """A link stands in the records of both; nobody is their own ancestor."""
    known = {(one.case_id, one.kind, one.other_id) for one in records.links}
    for one, kind, other in known:
        if (other, kind.inverse, one) not in known:
            yield f"{other} does not know that it is a {kind} of {one}"
    parents = defaultdict(set)
    for one, kind, other in known:
        if kind is LinkKind.PARENT:
            parents[one].add(other)
    for case_id in list(parents):
        above, seen = set(parents[case_id]), set()
        while above:
            parent = above.pop()
            if parent == case_id:
                yield f"{case_id} is its own ancestor"
                break
            if parent not in seen:
                seen.add(parent)
                above |= parents.get(parent, set())


_CHECKS = (
    _check_ledger,
    _check_customers,
    _check_chains,
    _check_places,
    _check_owners,
    _check_listed,
    _check_merges,
    _check_links,
)


def _keep_case(records: Records, values: dict[str, Any]) -> None:
    case = read_case(values)
    records.cases[case.id] = case


def _keep_event(records: Records, values: dict[str, Any]) -> None:
    event = read_event(values)
    if event.owner.kind is OwnerKind.CASE:
        records.events[event.owner.id].append(event)


def _keep_ledger(records: Records, values: dict[str, Any]) -> None:
    name = (values["provider"], values.get("account") or "", values["event_id"])
    records.ledger[name] = values


def _keep_reference(records: Records, values: dict[str, Any]) -> None:
    if values["pk"].startswith("REF#"):
        records.references[values["pk"].removeprefix("REF#")] = values["case_id"]


def _keep_listed(records: Records, values: dict[str, Any]) -> None:
    owner = values["pk"].removeprefix("CUST#")
    records.listed[owner] = [(one["id"], "closed_at" not in one) for one in values["cases"]]


_READERS = {
    "case": _keep_case,
    "event": _keep_event,
    "ledger": _keep_ledger,
    "pointer": _keep_reference,
    "open_cases": _keep_listed,
    "message": lambda records, values: records.messages.append(read_message(values)),
    "case_link": lambda records, values: records.links.append(read_case_link(values)),
    "moved": lambda records, values: records.moved.__setitem__(
        values["pk"].removeprefix("CASE#"), values["messages"]
    ),
    "customer": lambda records, values: records.customers.__setitem__(
        values["pk"].removeprefix("CUST#"), values
    ),
}
