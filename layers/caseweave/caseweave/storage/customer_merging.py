"""Merging and un-merging as the store sees it: customers' rows, their chains and open cases."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from caseweave.domain.case import Case
from caseweave.domain.customer_change import CustomerChange
from caseweave.domain.customer_merging import Merge, Parting, Placed
from caseweave.domain.event import CaseChange
from caseweave.domain.message import Message
from caseweave.domain.open_cases import ListedCase, OpenCases
from caseweave.domain.times import to_rfc3339
from caseweave.errors import ContentionError
from caseweave.storage.cases import list_messages, list_of_customer, put_change, read_head
from caseweave.storage.customers import put_customer_change
from caseweave.storage.items import Condition, has
from caseweave.storage.open_cases import put_open_cases, read_open_cases, read_own_open_cases
from caseweave.storage.rows import message_item
from caseweave.storage.table import MessageRow
from caseweave.storage.transaction import RefusedError, Transaction

_PAGE = 200


def put_merge(write: Transaction, merge: Merge) -> None:
    """Add a merge to a transaction: the open cases of both stand in the target's record from now
    on, and the records of the source, and of all who were in it, lead straight there.
    """
    put_customer_change(write, merge.target)
    put_customer_change(write, merge.source)
    put_merged_cases(write, merge)


def put_merged_cases(write: Transaction, merge: Merge) -> None:
    """The part of a merge that is about open cases."""
    target, source = merge.target.after, merge.source.after
    into = read_own_open_cases(target.id)
    if into.moved_to:
        raise ContentionError(f"customer {target.id} was merged meanwhile")
    moving = read_own_open_cases(source.id)
    known = {case.id for case in into.cases}
    cases = (*into.cases, *(case for case in moving.cases if case.id not in known))
    put_open_cases(write, replace(into, cases=_in_order(cases)))
    put_open_cases(write, replace(moving, cases=(), moved_to=target.id))
    for member in source.members:
        put_open_cases(write, replace(read_own_open_cases(member), moved_to=target.id))


def commit_unmerge(
    parting: Parting, listed: OpenCases, changes: Iterable[CustomerChange], members: Sequence[str]
) -> None:
    """Part them: each open case goes to the record of the side that its customer is on.

    *listed* is the root's record as it was when nothing was left to be chosen: what was written
    into the other one's case since then has changed it. *members* are those who go with the one
    who leaves. Raises ContentionError.
    """
    write = Transaction()
    for change in changes:
        put_customer_change(write, change)
    staying = [c for c in listed.cases if parting.side(c.customer_id) == parting.root]
    going = [c for c in listed.cases if parting.side(c.customer_id) == parting.member]
    put_open_cases(write, replace(listed, cases=_in_order(staying)))
    own = read_own_open_cases(parting.member)
    put_open_cases(write, replace(own, cases=_in_order(going), moved_to=""))
    for member in members:
        put_open_cases(write, replace(read_own_open_cases(member), moved_to=parting.member))
    commit_or_contend(write)


def commit_or_contend(write: Transaction) -> None:
    """Raises ContentionError where a condition did not hold: read and decide again."""
    try:
        write.commit()
    except RefusedError as error:
        raise ContentionError(str(error)) from error


def list_placed(parting: Parting, family: Iterable[str], listed: OpenCases) -> list[Placed]:
    """Every case of the family that was touched since they were merged, with what was said since.

    The cases in *listed* are read for certain, and any that another message could still go into is
    one of those; the others come from the index, which may be a moment behind.
    """
    found = {case.id: read_head(case.id) for case in listed.cases}
    for customer_id in family:
        for case in _list_cases(customer_id):
            if case.updated_at >= parting.since and case.id not in found:
                found[case.id] = read_head(case.id)
    return [
        Placed(case, tuple(list_messages(case.id)[0]))
        for _, case in sorted(found.items())
        if case.updated_at >= parting.since
    ]


def _list_cases(customer_id: str) -> Iterable[Case]:
    start = None
    while True:
        page = list_of_customer(customer_id, _PAGE, start)
        yield from page.items
        if page.next is None:
            return
        start = page.next


def commit_owner(change: CaseChange, messages: Sequence[tuple[Message, str]]) -> None:
    """A case, and some of its messages (each with the customer it was of), become another
    customer's of the same family. Raises ContentionError.
    """
    write = Transaction()
    put_change(write, change)
    case = change.after
    if change.before is not None and change.before.customer_id != case.customer_id:
        listed = read_open_cases(case.customer_id)
        known = listed.find(case.id)
        if known is not None:
            given = replace(known, customer_id=case.customer_id)
            cases = (*listed.drop(case.id).cases, given)
            put_open_cases(write, replace(listed, cases=_in_order(cases)))
    for message, before in messages:
        write.put("message", message_item(message), _is_unchanged(message, before))
    commit_or_contend(write)


def _is_unchanged(message: Message, customer_id: str) -> Condition:
    """What a receipt says of a message meanwhile must not be lost."""
    delivery = message.delivery
    return has(
        MessageRow,
        customer_id=customer_id,
        delivery_state=str(delivery.state) if delivery else None,
        delivery_at=to_rfc3339(delivery.at) if delivery else None,
    )


def _in_order(cases: Iterable[ListedCase]) -> tuple[ListedCase, ...]:
    return tuple(sorted(cases, key=lambda case: (case.opened_at, case.id)))
