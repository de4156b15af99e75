"""Names that lead to cases: what a message mentions, and who wrote it. The newest case first."""

from collections.abc import Iterator, Sequence

from caseweave.domain.identity import Address
from caseweave.domain.times import to_rfc3339
from caseweave.domain.ulid import ulid_time
from caseweave.storage import table
from caseweave.storage.customers import find_addresses, read_family
from caseweave.storage.table import CaseRow, PointerRow, Row


def list_named(kind: str, value: str, before: str, share: int) -> Iterator[str]:
    """The ids of the cases that an entity leads to, opened before case *before* ("": all); one
    query for each *share* of them.
    """
    partition, bound = table.entity_key(kind, value, before or "~")
    for row in PointerRow.query(
        partition, Row.sk < bound, scan_index_forward=False, page_size=share
    ):
        yield str(row.case_id)


def list_of_address(addresses: Sequence[Address], before: str, share: int) -> Iterator[str]:
    """The ids of all cases of whoever has one of *addresses*; of those merged with them, too."""
    owners = {known.customer_id for known in find_addresses(addresses).values()}
    members = {member for owner in owners for member in read_family(owner).ids}
    found = [case_id for member in members for case_id in _list_owned(member, before, share)]
    yield from sorted(found, reverse=True)


def _list_owned(customer_id: str, before: str, share: int) -> Iterator[str]:
    """At most *share* ids of one customer's cases."""
    bound = f"CASE#{to_rfc3339(ulid_time(before))}#{before}" if before else "CASE#~"
    rows = CaseRow.customer.query(
        f"CUST#{customer_id}",
        Row.customer_sk.between("CASE#", bound),
        scan_index_forward=False,
        limit=share + 1,
    )
    ids = (str(row.pk).removeprefix("CASE#") for row in rows)
    yield from (case_id for case_id in ids if case_id != before)
