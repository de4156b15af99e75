"""An address becomes a customer's, or stops being theirs, outside of intake."""

from collections.abc import Sequence
from datetime import datetime

from caseweave.customer_records import guard_platform_id
from caseweave.domain.customer_change import CustomerChange, begin_customer_change
from caseweave.domain.event import Actor
from caseweave.domain.identity import Address, AddressKind, Link, Proof
from caseweave.errors import InvalidRequestError, NotFoundError
from caseweave.storage.customer_merging import commit_or_contend
from caseweave.storage.customers import (
    delete_address,
    find_addresses,
    list_links,
    put_address,
    put_customer_change,
    read_customer_of,
    read_family,
)
from caseweave.storage.transaction import Transaction, retry_on_contention

# Groups are nobody's, and what one submission is known by is no address.
LINKABLE = tuple(
    kind for kind in AddressKind if kind not in (AddressKind.GROUP, AddressKind.UNPROVEN)
)


def link_address(
    customer_id: str, address: Address, proof: Proof, source: str, actor: Actor, at: datetime
) -> Link:
    """Raises NotFoundError, InvalidRequestError where it is somebody else's or must not be
    theirs.
    """
    link = Link(customer_id, address, proof, source, str(actor), at)

    def attempt(_: int) -> Link:
        write = Transaction()
        changes = plan_link(write, link, actor)
        for change in changes:
            put_customer_change(write, change)
        commit_or_contend(write)
        return link

    return retry_on_contention(attempt)


def plan_link(write: Transaction, link: Link, actor: Actor) -> list[CustomerChange]:
    """Add the address to a transaction; the changes of the customer that belong to it, to be added
    too. Raises what `link_address` raises.
    """
    customer = read_customer_of(link.of)
    family = read_family(link.of)
    owner = find_addresses([link.address], consistent=True).get(link.address)
    if owner is not None and owner.customer_id in family.ids:
        advice = "it is theirs already"
        raise InvalidRequestError("The address is linked.", (("value", advice),))
    if owner is not None:
        advice = f"it is customer {owner.customer_id}'s; merge the two if they are one"
        raise InvalidRequestError("The address is another customer's.", (("value", advice),))
    changes = [begin_customer_change(customer).add_link(link, actor)]
    if link.address.kind is AddressKind.PLATFORM:
        guard = guard_platform_id(customer, family, [link])
        changes += [guard] if guard is not None else []
    put_address(write, link)
    return changes


def unlink_address(
    customer_id: str, address: Address, reason: str, actor: Actor, at: datetime
) -> Link:
    """Raises NotFoundError for an address that is not the customer's, or of one merged with
    them.
    """

    def attempt(_: int) -> Link:
        link = _find_link(list_links(read_family(customer_id).ids), address)
        change = begin_customer_change(read_customer_of(link.of))
        write = Transaction()
        put_customer_change(write, change.remove_link(link, reason, actor, at))
        delete_address(write, link)
        commit_or_contend(write)
        return link

    return retry_on_contention(attempt)


def _find_link(links: Sequence[Link], address: Address) -> Link:
    for link in links:
        if link.address == address:
            return link
    raise NotFoundError(f"{address} is not an address of this customer.")
