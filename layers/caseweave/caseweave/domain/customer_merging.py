"""Two customers become one, and two again (promise P10).

Merging only says who belongs together: addresses, cases and messages stay whose they are. So taking
it back restores what was; only what was written in between may lie with the wrong one, and for that
people choose.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from caseweave.domain.case import Case
from caseweave.domain.customer_change import CustomerChange, begin_customer_change
from caseweave.domain.event import Actor, EventKind
from caseweave.domain.identity import Customer
from caseweave.domain.message import Direction, Message
from caseweave.errors import InvalidRequestError

# All of them are written in one transaction, of a hundred records at most.
MOST_MEMBERS = 50


@dataclass(frozen=True, slots=True)
class Merge:
    """The two changes that belong together."""

    target: CustomerChange
    source: CustomerChange


class What(StrEnum):
    CASE = "case"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Written:
    """Something that was written between a merge and its end, and whose it seems to be.

    It `is_open` where the records alone do not say: a message of the one customer in a case of the
    other, or a case in which both have written.
    """

    what: What
    id: str
    case_id: str
    at: datetime
    owner: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Parting:
    """Who goes (`member` with all who were merged into it) and who stays (`root` with the rest)."""

    root: str
    member: str
    going: frozenset[str]
    since: datetime

    def side(self, customer_id: str) -> str:
        """Under whom a customer's records are shown afterwards."""
        return self.member if customer_id in self.going else self.root


@dataclass(frozen=True, slots=True)
class Placed:
    """A case that was touched in between, with the messages that came since."""

    case: Case
    messages: tuple[Message, ...]


def merge_customers(
    target: Customer,
    source: Customer,
    platform_ids: Iterable[str],
    reason: str,
    actor: Actor,
    at: datetime,
) -> Merge:
    """*source*, and all who are in it, go into *target*; both are roots.

    *platform_ids* are all that are linked to any of them. Raises InvalidRequestError.
    """
    if target.id == source.id:
        advice = "name a customer who is not merged with this one yet"
        raise InvalidRequestError("They are one customer.", (("customer_id", advice),))
    if len(set(platform_ids)) > 1:
        advice = "they have different platform ids, so they are two people; remove a wrong link"
        raise InvalidRequestError("They cannot be one customer.", (("customer_id", advice),))
    members = (*target.members, source.id, *source.members)
    if len(members) > MOST_MEMBERS:
        advice = f"at most {MOST_MEMBERS} can be merged into one"
        raise InvalidRequestError("There are too many of them.", (("customer_id", advice),))
    told = {"reason": reason} if reason else {}
    kind = EventKind.CUSTOMER_MERGED
    return Merge(
        begin_customer_change(target).record(
            kind, actor, at, {"customer_id": source.id}, told, members=members
        ),
        begin_customer_change(source).record(
            kind, actor, at, {"into": target.id}, told, merged_into=target.id, merged_at=at
        ),
    )


def unmerge_customer(
    member: Customer, above: Sequence[Customer], reason: str, actor: Actor, at: datetime
) -> list[CustomerChange]:
    """*member* is a customer of their own again, with all who were merged into them before.

    *above* are the customers they were merged into, one into the next.
    """
    going = {member.id, *member.members}
    told = {"reason": reason} if reason else {}
    kind = EventKind.CUSTOMER_UNMERGED
    changes = [
        begin_customer_change(member).record(
            kind, actor, at, {"from": above[-1].id}, told, merged_into="", merged_at=None
        )
    ]
    for one in above:
        members = tuple(kept for kept in one.members if kept not in going)
        changes.append(
            begin_customer_change(one).record(
                kind, actor, at, {"customer_id": member.id}, told, members=members
            )
        )
    return changes


def list_written(parting: Parting, placed: Iterable[Placed]) -> list[Written]:
    """What was written in between, in order."""
    return sorted(
        (one for found in placed for one in _list_in_case(parting, found)),
        key=lambda one: (one.at, one.case_id, one.id),
    )


def _list_in_case(parting: Parting, found: Placed) -> Iterable[Written]:
    case = found.case
    said = [one for one in found.messages if one.direction is Direction.INBOUND]
    if case.opened_at >= parting.since:
        sides = {parting.side(one.customer_id) for one in said} | {parting.side(case.customer_id)}
        yield Written(What.CASE, case.id, case.id, case.opened_at, case.customer_id, len(sides) > 1)
    for message in said:
        if message.received_at >= parting.since:
            is_open = parting.side(message.customer_id) != parting.side(case.customer_id)
            yield Written(
                What.MESSAGE,
                message.id,
                case.id,
                message.received_at,
                message.customer_id,
                is_open,
            )


@dataclass(frozen=True, slots=True)
class Placing:
    """What becomes of a case of which something is to be another customer's: whose it is, whose
    each message is that stays, and the messages that leave it for a case of their own customer.
    """

    case: Case
    owner: str
    staying: tuple[Message, ...]
    leaving: tuple[Message, ...]

    @property
    def is_change(self) -> bool:
        return self.owner != self.case.customer_id or bool(self.staying or self.leaving)


def place_written(
    parting: Parting, placed: Sequence[Placed], choices: Mapping[str, str]
) -> list[Placing]:
    """What the *choices* (case or message id → customer id) change, case by case.

    Raises InvalidRequestError that names each choice that is missing, or is none.
    """
    _refuse_unknown(parting, placed, choices)
    missing = [
        (f"choices.{name}", f"whose is this {what}: {parting.root} or {parting.member}?")
        for found in placed
        for what, name in _find_missing(parting, found, choices)
    ]
    if missing:
        raise InvalidRequestError("Somebody has to choose whose these are.", tuple(missing))
    placings = (_place(parting, found, choices) for found in placed)
    return [one for one in placings if one.is_change]


def _find_missing(
    parting: Parting, found: Placed, choices: Mapping[str, str]
) -> Iterable[tuple[What, str]]:
    """What the records alone do not say, as the case will be."""
    case = found.case
    for one in _list_in_case(parting, found):
        if one.what is What.CASE and one.is_open and one.id not in choices:
            yield What.CASE, one.id
            return
    owner = _choose(parting, choices, case.id, case.customer_id)
    for message in found.messages:
        is_apart = parting.side(message.customer_id) != parting.side(owner)
        is_said = message.direction is Direction.INBOUND and message.received_at >= parting.since
        if is_said and is_apart and message.id not in choices:
            yield What.MESSAGE, message.id


def _place(parting: Parting, found: Placed, choices: Mapping[str, str]) -> Placing:
    owner = _choose(parting, choices, found.case.id, found.case.customer_id)
    staying, leaving = [], []
    for message in found.messages:
        own = _place_message(parting, message, owner, choices)
        if parting.side(own) != parting.side(owner):
            leaving.append(replace(message, customer_id=own))
        elif own != message.customer_id:
            staying.append(replace(message, customer_id=own))
    return Placing(found.case, owner, tuple(staying), tuple(leaving))


def _place_message(
    parting: Parting, message: Message, owner: str, choices: Mapping[str, str]
) -> str:
    """Whose the message is: what we wrote in a case is of whoever the case is."""
    if message.direction is not Direction.INBOUND:
        return owner
    own = _choose(parting, choices, message.id, message.customer_id)
    is_given = own != message.customer_id and parting.side(own) == parting.side(owner)
    return owner if is_given else own


def _choose(parting: Parting, choices: Mapping[str, str], name: str, otherwise: str) -> str:
    """The customer that was chosen, or on whose side the present one is anyway."""
    chosen = choices.get(name, otherwise)
    return otherwise if parting.side(chosen) == parting.side(otherwise) else parting.side(chosen)


def _refuse_unknown(parting: Parting, placed: Sequence[Placed], choices: Mapping[str, str]) -> None:
    names = {one.id for one in list_written(parting, placed)}
    wrong = [
        (f"choices.{name}", f"write {parting.root} or {parting.member}")
        for name, owner in choices.items()
        if owner not in (parting.root, parting.member)
    ]
    wrong += [
        (f"choices.{name}", "nothing of that name was written in between")
        for name in choices
        if name not in names
    ]
    if wrong:
        raise InvalidRequestError("These choices cannot be made.", tuple(wrong))
