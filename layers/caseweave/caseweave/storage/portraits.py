"""All that is stored of a customer at a glance: who they are, and their open and past cases."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pynamodb.exceptions import PynamoDBException

from caseweave.domain.case import Case
from caseweave.domain.identity import Customer, Family, Link
from caseweave.errors import NotFoundError, UnavailableError
from caseweave.storage import table
from caseweave.storage.cases import read_heads
from caseweave.storage.customers import list_links, read_family
from caseweave.storage.items import batch_get
from caseweave.storage.open_cases import read_open_cases
from caseweave.storage.rows import read_case, read_customer
from caseweave.storage.table import CaseRow, Row

MOST_CASES = 50
# Of each member of a family, whatever its size.
LEAST_SHARE = 5


@dataclass(frozen=True, slots=True)
class Portrait:
    """A customer and whoever was merged with them. `open` are all open cases, `past` the latest
    others; `has_more` tells that there are older ones. Both the latest opened first.
    """

    family: Family
    customers: tuple[Customer, ...]
    links: tuple[Link, ...]
    open: tuple[Case, ...]
    past: tuple[Case, ...]
    has_more: bool


def read_portrait(customer_id: str) -> Portrait:
    """Five reads, and two small queries for each member of the family.

    Raises NotFoundError, UnavailableError.
    """
    try:
        return _read_portrait(read_family(customer_id))
    except PynamoDBException as error:
        raise UnavailableError(f"the customer cannot be read: {error}") from error


def _read_portrait(family: Family) -> Portrait:
    keys = [table.customer_key(member) for member in family.ids]
    found = [read_customer(values) for _, values in batch_get(keys, consistent=True)]
    if not found:
        raise NotFoundError(f"There is no customer {family.root}.")
    known = {customer.id: customer for customer in found}
    listed = read_open_cases(family.root).open
    heads = read_heads([case.id for case in listed], consistent=True)
    opened = {case.id: case for case in heads.values() if case.is_active}
    latest, has_more = _list_latest(family.ids)
    # By id and not by state: the index may not have heard yet that a case was closed.
    past = [case for case in latest if case.id not in opened and not case.merged_into]
    return Portrait(
        family=family,
        customers=tuple(known[member] for member in family.ids if member in known),
        links=tuple(list_links(family.ids)),
        open=_latest_first(opened.values()),
        past=_latest_first(past)[:MOST_CASES],
        has_more=has_more or len(past) > MOST_CASES,
    )


def _list_latest(members: Sequence[str]) -> tuple[list[Case], bool]:
    """The latest cases of each, and whether there are more."""
    share = max(MOST_CASES // len(members), LEAST_SHARE)
    found, has_more = [], False
    for member in members:
        rows = Row.customer.query(
            f"CUST#{member}",
            Row.customer_sk.startswith("CASE#"),
            scan_index_forward=False,
            limit=share,
        )
        found += [read_case(row.attribute_values) for row in rows if isinstance(row, CaseRow)]
        has_more = has_more or rows.last_evaluated_key is not None
    return found, has_more


def _latest_first(cases: Iterable[Case]) -> tuple[Case, ...]:
    return tuple(sorted(cases, key=lambda case: (case.opened_at, case.id), reverse=True))
