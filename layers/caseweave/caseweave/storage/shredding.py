"""Contents of one case, or of one customer's own records, taken out of the table for good.

Every function may be called again after it died at any point: it goes on where it was.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from caseweave.domain.case import Case
from caseweave.domain.customer_change import begin_customer_change
from caseweave.domain.erasing import (
    ERASER,
    Deletion,
    begin_erasing,
    destroy_seal,
    erase_message,
    erase_outcome,
    name_objects,
)
from caseweave.domain.event import EventKind
from caseweave.domain.media import FileOutcome
from caseweave.domain.message import Message
from caseweave.domain.times import to_rfc3339
from caseweave.errors import ContentionError, NotFoundError
from caseweave.storage import table
from caseweave.storage.cases import commit_change, read_head
from caseweave.storage.customers import commit_customer_change, read_customer_of
from caseweave.storage.items import Item, has, query_partition, read_item, replace_item
from caseweave.storage.rows import (
    case_item,
    message_item,
    outcome_item,
    read_message,
    read_outcome,
)
from caseweave.storage.table import CaseRow, Row
from caseweave.storage.transaction import RefusedError, Transaction, retry_on_contention


@dataclass(frozen=True, slots=True)
class Contents:
    """What of a case can be erased."""

    messages: tuple[Message, ...]
    files: tuple[FileOutcome, ...]

    @property
    def objects(self) -> frozenset[str]:
        return name_objects(self.messages, self.files)


def read_contents(case_id: str) -> Contents:
    """One query."""
    messages, files = [], []
    for item in query_partition(table.case_key(case_id)[0]):
        kind, values = read_item(item)
        if kind == "message":
            messages.append(read_message(values))
        elif kind == "file":
            files.append(read_outcome(values))
    return Contents(tuple(messages), tuple(files))


def close_for_erasing(case_id: str, deletion: Deletion) -> Case:
    """From then on nothing joins the case, and its chain says why. Raises NotFoundError."""
    return retry_on_contention(lambda _: commit_change(begin_erasing(read_head(case_id), deletion)))


def shred_case(case_id: str, deletion: Deletion) -> Counter[str]:
    """What went, by kind; nothing if it all had gone before. Of a case that was closed for it."""
    done: Counter[str] = Counter()
    for item in query_partition(table.case_key(case_id)[0]):
        shredded, kind = _shred(item, deletion)
        if shredded is not None and replace_item(item, shredded):
            done[kind] += 1
    done += _destroy_seal(case_id)
    return done


def _shred(item: Item, deletion: Deletion) -> tuple[Item | None, str]:
    """The record without its contents, None if it has none; and what went."""
    kind = item["kind"]["S"]
    if kind == "message":
        message = read_message(read_item(item)[1])
        if message.erased_at is None:
            return message_item(erase_message(message, deletion.at)), "messages"
    elif kind == "event" and "private" in item:
        return {name: value for name, value in item.items() if name != "private"}, "event_details"
    elif kind == "file":
        outcome = read_outcome(read_item(item)[1])
        erased = erase_outcome(outcome)
        if erased != outcome:
            return outcome_item(item["pk"]["S"].removeprefix("CASE#"), erased), "files"
    return None, kind


def _destroy_seal(case_id: str) -> Counter[str]:
    def attempt(_: int) -> Counter[str]:
        case = read_head(case_id)
        if not case.seal:
            return Counter()
        write = Transaction()
        write.put("case", case_item(destroy_seal(case)), has(CaseRow, version=case.version))
        try:
            write.commit()
        except RefusedError as error:
            raise ContentionError(str(error)) from error
        return Counter(seals=1)

    try:
        return retry_on_contention(attempt)
    except NotFoundError:
        return Counter()


def list_case_ids(customer_id: str) -> Iterator[str]:
    """Every case of one customer, in no order."""
    rows = CaseRow.customer.query(f"CUST#{customer_id}", Row.customer_sk.startswith("CASE#"))
    yield from (row.pk.removeprefix("CASE#") for row in rows if isinstance(row, CaseRow))


def list_addresses_of(customer_id: str) -> set[str]:
    """The values of all addresses that were ever linked to one customer."""
    found = set()
    for item in query_partition(table.customer_key(customer_id)[0]):
        kind, values = read_item(item)
        if kind == "link":
            found.add(str(values["address_value"]))
        elif kind == "event" and values["event"] in _LINKINGS:
            _, _, value = str((values["private"] or {}).get("address", "")).partition(":")
            found.add(value)
    return found - {""}


# The events that name an address of the customer's, also one that they have no longer.
_LINKINGS = (EventKind.LINK_ADDED, EventKind.LINK_REMOVED)
# What stays of a customer: that there was one, with whom they were merged, and their chain.
_KEPT_OF_CUSTOMER = frozenset(
    {"pk", "sk", "kind", "created_at", "merged_into", "merged_at", "members", "seq", "chain",
     "changed_at", "changed_pk", "changed_sk", "erased_at"}
)  # fmt: skip


def note_erasure(customer_id: str, deletion: Deletion) -> None:
    """Say it in the customer's own chain, once. One who is not there needs no erasing."""

    def attempt(_: int) -> None:
        customer = read_customer_of(customer_id)
        if customer.erased_at is None:
            change = begin_customer_change(customer)
            commit_customer_change(change.erase(ERASER, deletion.at, deletion.describe()))

    with suppress(NotFoundError):
        retry_on_contention(attempt)


def free_addresses(customer_id: str) -> Counter[str]:
    """The customer's addresses are nobody's from now on: who writes from there is somebody new."""
    done: Counter[str] = Counter()
    for item in query_partition(table.customer_key(customer_id)[0]):
        if item["kind"]["S"] != "link":
            continue
        key = table.address_key(item["address_kind"]["S"], item["address_value"]["S"])
        for address in query_partition(key[0]):
            if address.get("customer_id", {}).get("S") == customer_id:
                done["addresses"] += replace_item(address, None)
    return done


def shred_customer(customer_id: str, deletion: Deletion) -> Counter[str]:
    """What went of the customer's own records, by kind; their chain stays without its details."""
    done: Counter[str] = Counter()
    for item in query_partition(table.customer_key(customer_id)[0]):
        kind = item["kind"]["S"]
        left: Item | None = None
        if kind == "customer":
            left = _forget_customer(item, deletion)
        elif kind == "event":
            left = {name: value for name, value in item.items() if name != "private"}
        if left != item and replace_item(item, left):
            done["customers" if kind == "customer" else f"{kind}s"] += 1
    return done


def _forget_customer(item: Item, deletion: Deletion) -> Item:
    kept = {name: value for name, value in item.items() if name in _KEPT_OF_CUSTOMER}
    if "erased_at" in item and item.keys() <= {*kept, "version"}:
        return item
    version = int(item.get("version", {"N": "0"})["N"]) + 1
    return {"erased_at": {"S": to_rfc3339(deletion.at)}, **kept, "version": {"N": str(version)}}
