"""Whose message is this? Joining is by proof only; anything weaker is a suggestion (promise P4).

First cut of the rule: one open case a customer.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from caseweave.domain.identity import (
    Address,
    AddressKind,
    Proof,
    ProvenAddress,
    Sender,
    Suggestion,
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
    platform_ids: Mapping[str, str],
    ticket: Ticket | None = None,
) -> Joining:
    """Decide from what is proven about the sender and *known* about the addresses.

    *platform_ids* maps known customers to their platform user ids: two customers with different
    platform ids are two people, whatever else they share.
    """
    chosen = ticket.customer_id if ticket else _find_owner(sender, known, platform_ids)
    if ticket and ticket.is_link:
        return _join_by_link(sender, known, ticket.customer_id)
    linked, suggestions = [], []
    for entry in sender.proven:
        owner = known.get(entry.address)
        if owner is None:
            # A reply token does not make an unproven sender's address the customer's.
            if ticket is None or entry.address.kind is not AddressKind.UNPROVEN:
                linked.append(entry)
        elif owner.customer_id != chosen:
            reason = "proven address of both customers"
            suggestions.append(Suggestion(owner.customer_id, entry.address, reason))
    suggestions += _suggest_claims(sender, known, chosen)
    return Joining(chosen, tuple(linked), (), tuple(suggestions))


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
    platform_ids: Mapping[str, str],
) -> str | None:
    own_id = next(
        (e.address.value for e in sender.proven if e.address.kind is AddressKind.PLATFORM), ""
    )
    for entry in sender.proven:
        owner = known.get(entry.address)
        if owner is None:
            continue
        their_id = platform_ids.get(owner.customer_id, "")
        if not own_id or not their_id or own_id == their_id:
            return owner.customer_id
    return None


def _suggest_claims(
    sender: Sender, known: Mapping[Address, KnownAddress], chosen: str | None
) -> list[Suggestion]:
    owners = [(claim, known.get(claim)) for claim in sender.claims]
    return [
        Suggestion(owner.customer_id, claim, "claimed, not proven")
        for claim, owner in owners
        if owner is not None and owner.customer_id != chosen
    ]
