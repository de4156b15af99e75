"""A customer's own records as an export tells them."""

from collections.abc import Iterator
from typing import Any

from caseweave.storage import table
from caseweave.storage.items import query_partition, read_item
from caseweave.storage.shredding import list_addresses_of

# Told elsewhere in the export, or of the desk's own making.
_TOLD_ELSEWHERE = frozenset({"customer", "open_cases"})


def list_own_records(customer_id: str) -> Iterator[dict[str, Any]]:
    """Links, suggestions, the customer's own events, consent of their numbers: each with its kind,
    and what it says.
    """
    partitions = [
        table.customer_key(customer_id)[0],
        *(table.consent_key("", address)[0] for address in sorted(list_addresses_of(customer_id))),
    ]
    for partition in partitions:
        for item in query_partition(partition):
            kind, values = read_item(item)
            if kind not in _TOLD_ELSEWHERE:
                told = {name: value for name, value in values.items() if value is not None}
                yield {"kind": kind, **told}
