"""Whose message is this? Joining is by proof only; anything weaker is a suggestion (promise P4).

Which of the customer's cases it joins is another question (domain/threading.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from caseweave.domain.identity import (
    Address,
    AddressKind,
    Proof,
    ProvenAddress,
    Sender,
    Suggestion,
    SuggestionKind,
)
from caseweave.domain.message import KnownAddress


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a signed token that came with a message admits it to.

    A link token ties the sender's address to the customer for good (`is_link`); a reply token
    admits one message.
    """

    customer_id: str
    is_link: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a known customer stands for: the root of those they are merged with, and the user of
    the platform that they are ("" if none is linked).
    """

    root: str
    platform_id: str = ""


@dataclass(frozen=True, slots=True)
class Joining:
    """The customer a message belongs to (None: a new one) and what follows for the addresses.

    `linked` are the addresses that become the customer's, `moved` those of them that were another
    customer's before.
    """

    customer_id: str | None
    linked: tuple[ProvenAddress, ...] = ()
    moved: tuple[Address, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()


def join_customer(
    sender: Sender,
    known: Mapping[Address, KnownAddress],
    people: Mapping[str, Person],
    ticket: Ticket | None = None,
) -> Joining:
    """Decide from what is proven about the sender and *known* about the addresses.

    *people* says of known customers whom they stand for; one who is not in it stands for
    themselves. Two with different platform ids are two people, whatever else they share.
    """
    chosen = ticket.customer_id if ticket else _find_owner(sender, known, people)
    if ticket and ticket.is_link:
        return _join_by_link(sender, known, ticket.customer_id)
    own = people.get(chosen or "", Person(chosen or ""))
    own = replace(own, platform_id=_read_own_id(sender) or own.platform_id)
    linked, suggestions = [], []
    for entry in sender.proven:
        owner = known.get(entry.address)
        if owner is None:
            # A reply token does not make an unproven sender's address the customer's.
            if ticket is None or entry.address.kind is not AddressKind.UNPROVEN:
                linked.append(entry)
        else:
            reason = "proven address of both customers"
            suggestions.append(_suggest(own, owner, entry.address, reason, people))
    for claim in sender.claims:
        claimed = known.get(claim)
        if claimed is not None:
            suggestions.append(_suggest(own, claimed, claim, "claimed, not proven", people))
    return Joining(chosen, tuple(linked), (), tuple(filter(None, suggestions)))


def _join_by_link(
    sender: Sender, known: Mapping[Address, KnownAddress], customer_id: str
) -> Joining:
    """The sender holds the customer's own token: the address is theirs from now on."""
    address = sender.proven[0].address
    linked = (ProvenAddress(address, Proof.SIGNED_LINK),)
    owner = known.get(address)
    if owner is None or owner.customer_id == customer_id:
        return Joining(customer_id, linked)
    earlier = Suggestion(owner.customer_id, address, "wrote from here before it was linked")
    return Joining(customer_id, linked, (address,), (earlier,))


def _find_owner(
    sender: Sender,
    known: Mapping[Address, KnownAddress],
    people: Mapping[str, Person],
) -> str | None:
    own_id = _read_own_id(sender)
    for entry in sender.proven:
        owner = known.get(entry.address)
        if owner is None:
            continue
        their_id = people.get(owner.customer_id, Person("")).platform_id
        if not are_two_people(own_id, their_id):
            return owner.customer_id
    return None


def are_two_people(one: str, other: str) -> bool:
    """Do two platform ids forbid that two customers are one? Not where either has none."""
    return bool(one) and bool(other) and one != other


def _read_own_id(sender: Sender) -> str:
    """The platform's user id that the sender signed in with, "" for none."""
    kinds = (e.address.value for e in sender.proven if e.address.kind is AddressKind.PLATFORM)
    return next(kinds, "")


def _suggest(
    own: Person,
    owner: KnownAddress,
    address: Address,
    reason: str,
    people: Mapping[str, Person],
) -> Suggestion | None:
    """That the two may be one, unless they are."""
    other = people.get(owner.customer_id, Person(owner.customer_id))
    if own.root == other.root:
        return None
    is_vetoed = are_two_people(own.platform_id, other.platform_id)
    kind = SuggestionKind.CONFLICT if is_vetoed else SuggestionKind.MERGE
    return Suggestion(owner.customer_id, address, reason, kind=kind)
