"""Customers and their addresses."""

from collections.abc import Iterable, Iterator

from pynamodb.exceptions import DoesNotExist

from caseweave.domain.identity import Address, AddressKind, Customer, Family
from caseweave.domain.message import KnownAddress
from caseweave.errors import ContentionError, NotFoundError
from caseweave.storage import table
from caseweave.storage.items import batch_get
from caseweave.storage.open_cases import read_open_cases
from caseweave.storage.rows import read_address, read_customer
from caseweave.storage.table import CustomerRow, LinkRow


def find_addresses(addresses: Iterable[Address]) -> dict[Address, KnownAddress]:
    """What is known of each address; unknown ones are left out."""
    keys = [table.address_key(address.kind, address.value) for address in addresses]
    found = (read_address(values) for _, values in batch_get(keys, consistent=False))
    return {known.address: known for known in found}


def find_platform_id(customer_id: str) -> str:
    """The customer's user id on the business's platform; "" if none is linked."""
    prefix = f"LINK#{AddressKind.PLATFORM}#"
    rows = LinkRow.query(table.customer_key(customer_id)[0], LinkRow.sk.startswith(prefix))
    return next((row.address_value for row in rows), "")


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
    try:
        return read_customer(CustomerRow.get(*table.customer_key(customer_id)).attribute_values)
    except DoesNotExist:
        raise NotFoundError(f"There is no customer {customer_id}.") from None


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
