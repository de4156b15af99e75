"""Customers and their addresses."""

from collections.abc import Iterable, Iterator

from pynamodb.exceptions import DoesNotExist

from caseweave.domain.customer_change import CustomerChange
from caseweave.domain.event import Event
from caseweave.domain.identity import (
    Address,
    AddressKind,
    Customer,
    Family,
    KeptSuggestion,
    Link,
)
from caseweave.domain.joining import Person
from caseweave.domain.message import KnownAddress
from caseweave.errors import ContentionError, NotFoundError
from caseweave.storage import table
from caseweave.storage.items import batch_get, has
from caseweave.storage.open_cases import read_open_cases
from caseweave.storage.rows import (
    address_item,
    customer_item,
    event_item,
    link_item,
    read_address,
    read_customer,
    read_event,
    read_link,
    read_suggestion,
    suggestion_item,
)
from caseweave.storage.table import AddressRow, CustomerRow, EventRow, LinkRow, SuggestionRow
from caseweave.storage.transaction import RefusedError, Transaction


def find_addresses(
    addresses: Iterable[Address], *, consistent: bool = False
) -> dict[Address, KnownAddress]:
    """What is known of each address; unknown ones are left out."""
    keys = [table.address_key(address.kind, address.value) for address in addresses]
    found = (read_address(values) for _, values in batch_get(keys, consistent=consistent))
    return {known.address: known for known in found}


def read_people(customer_ids: Iterable[str]) -> dict[str, Person]:
    """Whom each of these customers stands for, by consistent reads."""
    people: dict[str, Person] = {}
    for customer_id in sorted(customer_ids):
        family = read_family(customer_id)
        known = next((one for one in people.values() if one.root == family.root), None)
        found = known or Person(family.root, min(find_platform_ids(family.ids), default=""))
        people[customer_id] = found
    return people


def find_platform_ids(customer_ids: Iterable[str]) -> set[str]:
    """The user ids on the business's platform that are linked to any of these customers."""
    prefix = f"LINK#{AddressKind.PLATFORM}#"
    partitions = [table.customer_key(customer_id)[0] for customer_id in customer_ids]
    return {
        row.address_value
        for partition in partitions
        for row in LinkRow.query(partition, LinkRow.sk.startswith(prefix), consistent_read=True)
    }


def list_addresses(customer_id: str) -> Iterator[KnownAddress]:
    """The customer's addresses, with when and where each was last heard from."""
    partition = table.customer_key(customer_id)[0]
    links = list(LinkRow.query(partition, LinkRow.sk.startswith("LINK#")))
    addresses = [Address(AddressKind(link.address_kind), link.address_value) for link in links]
    for known in find_addresses(addresses).values():
        if known.customer_id == customer_id:
            yield known


def has_address_of_kind(customer_id: str, kind: AddressKind) -> bool:
    partition = table.customer_key(customer_id)[0]
    rows = LinkRow.query(partition, LinkRow.sk.startswith(f"LINK#{kind}#"), limit=1)
    return next(iter(rows), None) is not None


def read_customer_of(customer_id: str) -> Customer:
    """Raises NotFoundError."""
    key = table.customer_key(customer_id)
    try:
        return read_customer(CustomerRow.get(*key, consistent_read=True).attribute_values)
    except DoesNotExist:
        raise NotFoundError(f"There is no customer {customer_id}.") from None


def read_suggestions(customer_id: str, ids: Iterable[str]) -> dict[str, KeptSuggestion]:
    """Those of these suggestions that were ever made to the customer, by consistent reads."""
    keys = [table.suggestion_key(customer_id, one) for one in ids]
    found = (read_suggestion(values) for _, values in batch_get(keys, consistent=True))
    return {kept.id: kept for kept in found}


def list_suggestions(customer_ids: Iterable[str]) -> list[KeptSuggestion]:
    """All that were ever made to these customers, the oldest first."""
    found = [
        read_suggestion(row.attribute_values)
        for customer_id in customer_ids
        for row in SuggestionRow.query(
            table.customer_key(customer_id)[0],
            SuggestionRow.sk.startswith("SUGGEST#"),
            consistent_read=True,
        )
    ]
    return sorted(found, key=lambda kept: (kept.made_at, kept.of, kept.id))


def list_links(customer_ids: Iterable[str]) -> list[Link]:
    """The addresses of these customers, the oldest link first. One that became another customer's
    in the meantime is left out.
    """
    found = [
        read_link(row.attribute_values)
        for customer_id in customer_ids
        for row in LinkRow.query(
            table.customer_key(customer_id)[0], LinkRow.sk.startswith("LINK#"), consistent_read=True
        )
    ]
    owners = find_addresses((link.address for link in found), consistent=True)
    mine = [link for link in found if _is_owner(link.of, owners.get(link.address))]
    return sorted(mine, key=lambda link: (link.at, str(link.address)))


def _is_owner(customer_id: str, known: KnownAddress | None) -> bool:
    return known is not None and known.customer_id == customer_id


def list_customer_events(customer_id: str) -> list[Event]:
    """The customer's own chain, in order."""
    partition = table.customer_key(customer_id)[0]
    rows = EventRow.query(partition, EventRow.sk.startswith("EVT#"), consistent_read=True)
    return [read_event(row.attribute_values) for row in rows]


def put_customer_change(write: Transaction, change: CustomerChange) -> None:
    """Add the records of a change to a transaction, which is refused if the customer is no longer
    as they were when it was decided.
    """
    before, after = change.before, change.after
    if before is None:
        write.put_new("customer", customer_item(after))
    else:
        write.put("customer", customer_item(after), has(CustomerRow, version=before.version))
    for event in change.events:
        write.put_new("event", event_item(event))
    for link in change.added:
        write.put("link", link_item(link))
    for link in change.removed:
        key = table.link_key(link.of, link.address.kind, link.address.value)
        write.delete("link", key)
    for kept in change.suggestions:
        write.put("suggestion", suggestion_item(kept))


def commit_customer_change(change: CustomerChange) -> None:
    """Write a change of one customer by itself. Raises ContentionError: read and decide again."""
    write = Transaction()
    put_customer_change(write, change)
    try:
        write.commit()
    except RefusedError as error:
        raise ContentionError(f"customer {change.after.id} has changed meanwhile") from error


def put_address(write: Transaction, link: Link) -> None:
    """Make the address lead to the customer; refused if it leads to anybody by then."""
    write.put_new("address", address_item(link.address, link.of, link.proof))


def delete_address(write: Transaction, link: Link) -> None:
    """Let the address lead to nobody; refused if it leads to somebody else by then."""
    key = table.address_key(link.address.kind, link.address.value)
    write.delete("address", key, has(AddressRow, customer_id=link.of))


def read_family(customer_id: str) -> Family:
    """Everybody whose records are shown as one with this customer's, by consistent reads.

    One read for a customer who is merged into nobody, else one more for each customer on the way
    to the root. A customer of whom there is no record is a family of their own.
    """
    seen: list[str] = []
    while customer_id not in seen:
        seen.append(customer_id)
        try:
            row = CustomerRow.get(*table.customer_key(customer_id), consistent_read=True)
        except DoesNotExist:
            return Family(customer_id)
        customer = read_customer(row.attribute_values)
        if not customer.merged_into:
            return Family(customer_id, customer.members)
        customer_id = customer.merged_into
    raise ContentionError(f"customer {customer_id} is being merged at this moment")


def find_open_case_id(customer_id: str) -> str | None:
    """The open case that the customer was last active in."""
    return next((case.id for case in read_open_cases(customer_id).open), None)
