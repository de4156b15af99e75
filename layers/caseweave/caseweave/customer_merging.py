"""Merging customers and taking it back, as agents do it, or a code that proves an address (P10)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from caseweave.domain.case import Case
from caseweave.domain.customer_merging import (
    Merge,
    Parting,
    Placed,
    Placing,
    Written,
    list_written,
    merge_customers,
    place_written,
    unmerge_customer,
)
from caseweave.domain.desk import Desk
from caseweave.domain.dividing import choose_playbook, move_messages
from caseweave.domain.event import Actor, EventKind, begin_change
from caseweave.domain.evidence import SEAL_SIZE
from caseweave.domain.identity import Customer, Family
from caseweave.domain.message import Message
from caseweave.domain.open_cases import OpenCases
from caseweave.domain.opening import NewCase
from caseweave.domain.reference import make_reference
from caseweave.domain.ulid import make_ulid
from caseweave.errors import InvalidRequestError
from caseweave.intake import Entropy
from caseweave.storage import relations
from caseweave.storage.cases import list_messages, read_head
from caseweave.storage.customer_merging import (
    commit_or_contend,
    commit_owner,
    commit_unmerge,
    list_placed,
    put_merge,
)
from caseweave.storage.customers import find_platform_ids, read_customer_of, read_family
from caseweave.storage.open_cases import read_open_cases
from caseweave.storage.transaction import Transaction, retry_on_contention

# Of a case's messages, so many change hands in one transaction.
_MOST_AT_ONCE = 20


def merge_into(target_id: str, source_id: str, reason: str, actor: Actor, at: datetime) -> Family:
    """The family of *source_id* goes into that of *target_id*.

    Raises NotFoundError, InvalidRequestError where the two must not be one.
    """

    def attempt(_: int) -> Family:
        merge = plan_merge(target_id, source_id, reason, actor, at)
        write = Transaction()
        put_merge(write, merge)
        commit_or_contend(write)
        return Family(merge.target.after.id, merge.target.after.members)

    return retry_on_contention(attempt)


def plan_merge(target_id: str, source_id: str, reason: str, actor: Actor, at: datetime) -> Merge:
    """The merge, for the caller to write. Raises what `merge_into` raises."""
    target, source = (read_customer_of(read_family(one).root) for one in (target_id, source_id))
    # After the two were read: whoever links a platform id to one of them writes these again.
    ids = find_platform_ids((target.id, *target.members, source.id, *source.members))
    return merge_customers(target, source, ids, reason, actor, at)


def plan_merge_of_two(one: str, other: str, reason: str, actor: Actor, at: datetime) -> Merge:
    """As `plan_merge`; the customer who is known longer takes in the other."""
    target, source = sorted(read_family(customer_id).root for customer_id in (one, other))
    return plan_merge(target, source, reason, actor, at)


def preview_unmerge(customer_id: str, member_id: str) -> tuple[Parting, list[Written]]:
    """What was written since the two were merged, for somebody to say whose it is.

    Raises NotFoundError, InvalidRequestError for one who is not merged there.
    """
    split = _read_split(customer_id, member_id)
    return split.parting, list_written(split.parting, split.placed)


def unmerge(
    customer_id: str,
    member_id: str,
    choices: Mapping[str, str],
    reason: str,
    actor: Actor,
    desk: Desk,
    at: datetime,
    entropy: Entropy,
) -> Parting:
    """Give *member_id* back all that was theirs, and what the *choices* say.

    First each chosen case and message changes hands, step by step, inside the family; then, when
    nothing of the one lies with the other, they part in one transaction. Dying in between leaves
    them merged, to be tried again. Raises InvalidRequestError that names each choice that is
    missing, NotFoundError.
    """

    def attempt(_: int) -> Parting:
        hands = _Hands(actor, desk, at, entropy)
        while True:
            split = _read_split(customer_id, member_id)
            placings = place_written(split.parting, split.placed, choices)
            if not placings:
                break
            for placing in placings:
                hands.place(placing)
        changes = unmerge_customer(split.member, split.above, reason, actor, at)
        commit_unmerge(split.parting, split.listed, changes, split.member.members)
        return split.parting

    return retry_on_contention(attempt)


@dataclass(frozen=True, slots=True)
class _Split:
    parting: Parting
    placed: list[Placed]
    listed: OpenCases
    member: Customer
    above: list[Customer]


def _read_split(customer_id: str, member_id: str) -> _Split:
    """The open cases are read first: whatever is written into the other one's case after that
    changes their record, and the parting is refused.
    """
    member = read_customer_of(member_id)
    family = read_family(member_id)
    since = member.merged_at
    if since is None or read_family(customer_id).root != family.root:
        advice = "name a customer who was merged into this one"
        raise InvalidRequestError("They are not merged.", (("member", advice),))
    above = [read_customer_of(member.merged_into)]
    while above[-1].merged_into:
        above.append(read_customer_of(above[-1].merged_into))
    listed = read_open_cases(above[-1].id)
    going = frozenset({member.id, *member.members})
    parting = Parting(above[-1].id, member.id, going, since)
    placed = list_placed(parting, family.ids, listed)
    _refuse_shared(parting, placed)
    return _Split(parting, placed, listed, member, above)


def _refuse_shared(parting: Parting, placed: Sequence[Placed]) -> None:
    """Names of the one's case would lead into the other's. Raises InvalidRequestError."""
    shared = []
    for found in placed:
        case = found.case
        if not case.merged_into:
            continue
        into = read_head(case.merged_into)
        if parting.side(into.customer_id) != parting.side(case.customer_id):
            shared.append((f"cases.{case.id}", f"un-merge {case.ref} from {into.ref} first"))
    if shared:
        raise InvalidRequestError("Cases of both were merged.", tuple(shared))


@dataclass(frozen=True, slots=True)
class _Hands:
    """What it takes for cases and messages to change hands."""

    actor: Actor
    desk: Desk
    at: datetime
    entropy: Entropy

    def place(self, placing: Placing) -> None:
        if placing.leaving:
            self._move(placing)
        self._give(placing.case.id, placing.owner, placing.staying)

    def _move(self, placing: Placing) -> None:
        """What leaves goes into a case of its own, and that one to its customer."""
        leaving = {one.id: one.customer_id for one in placing.leaving}
        messages, files = list_messages(placing.case.id)
        moving = [one for one in messages if one.id in leaving][:_MOST_AT_ONCE]
        new = NewCase(
            make_ulid(self.at, self.entropy(10)),
            make_reference(self.entropy(5)),
            self.desk.fallback.team,
            self.entropy(SEAL_SIZE).hex(),
        )
        finding = choose_playbook(moving[0], None, self.desk)
        case = read_head(placing.case.id)
        left, opened = move_messages(case, moving, new, finding, self.desk, self.actor, self.at)
        relations.commit_move(
            left, opened, moving, [one for one in files if one.message_id in leaving], self.actor
        )
        owner = leaving[moving[0].id]
        moved = [replace(one, customer_id=leaving[one.id]) for one in opened.messages]
        self._give(new.id, owner, moved)

    def _give(self, case_id: str, owner: str, messages: Sequence[Message]) -> None:
        """The case becomes *owner*'s, and the messages those of the customers they name."""
        wanted = {one.id: one.customer_id for one in messages}
        if read_head(case_id).customer_id == owner and not wanted:
            return
        before = {one.id: one for one in list_messages(case_id)[0]}
        changing = [
            (replace(before[name], customer_id=customer_id), before[name].customer_id)
            for name, customer_id in wanted.items()
            if before[name].customer_id != customer_id
        ]
        for start in range(0, max(len(changing), 1), _MOST_AT_ONCE):
            chunk = changing[start : start + _MOST_AT_ONCE]
            retry_on_contention(partial(self._give_some, case_id, owner, chunk))

    def _give_some(
        self, case_id: str, owner: str, chunk: Sequence[tuple[Message, str]], _attempt: int
    ) -> Case:
        case = read_head(case_id)
        told = {
            "customer_id": owner,
            "before": case.customer_id,
            "messages": [message.id for message, _ in chunk],
        }
        change = begin_change(case).record(
            EventKind.CUSTOMER_CHANGED, self.actor, self.at, told, customer_id=owner
        )
        commit_owner(change, chunk)
        return change.after
