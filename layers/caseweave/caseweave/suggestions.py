"""Suggestions who a customer may be besides: what accepting one would do now, and doing it."""

from dataclasses import dataclass
from datetime import datetime

from caseweave.customer_linking import plan_link
from caseweave.customer_merging import plan_merge_of_two
from caseweave.domain.customer_change import CustomerChange, begin_customer_change
from caseweave.domain.event import Actor
from caseweave.domain.identity import (
    Family,
    KeptSuggestion,
    Link,
    Proof,
    SuggestionKind,
    SuggestionState,
)
from caseweave.domain.joining import are_two_people
from caseweave.errors import InvalidRequestError, NotFoundError
from caseweave.storage.customer_merging import commit_or_contend, put_merged_cases
from caseweave.storage.customers import (
    find_addresses,
    list_suggestions,
    put_customer_change,
    read_customer_of,
    read_family,
    read_people,
)
from caseweave.storage.transaction import Transaction, retry_on_contention


@dataclass(frozen=True, slots=True)
class Weighed:
    """A suggestion that nobody has decided, and what accepting it would do now: `other_id` is the
    customer whom it is about by now, "" for an address that is nobody's.
    """

    kept: KeptSuggestion
    kind: SuggestionKind
    other_id: str


def weigh_suggestions(family: Family) -> list[Weighed]:
    """The open suggestions of a family that still say something: about others."""
    found = [one for one in list_suggestions(family.ids) if one.state is SuggestionState.OPEN]
    owners = find_addresses({one.suggestion.address for one in found}, consistent=True)
    others = {}
    for kept in found:
        owner = owners.get(kept.suggestion.address)
        others[kept.of, kept.id] = kept.suggestion.customer_id or (
            owner.customer_id if owner else ""
        )
    people = read_people({family.root, *filter(None, others.values())})
    own = people[family.root]
    weighed = []
    for kept in found:
        other_id = others[kept.of, kept.id]
        if not other_id:
            weighed.append(Weighed(kept, SuggestionKind.LINK, ""))
            continue
        other = people[other_id]
        if other.root != own.root:
            is_vetoed = are_two_people(own.platform_id, other.platform_id)
            kind = SuggestionKind.CONFLICT if is_vetoed else SuggestionKind.MERGE
            weighed.append(Weighed(kept, kind, other_id))
    return weighed


def settle_suggestion(
    customer_id: str, name: str, state: SuggestionState, actor: Actor, at: datetime
) -> None:
    """Do what was suggested (ACCEPTED), or never suggest it again; in one transaction with the
    decision. Raises NotFoundError for one that is not open, InvalidRequestError for a conflict.
    """
    retry_on_contention(lambda _: _settle(customer_id, name, state, actor, at))


def _settle(
    customer_id: str, name: str, state: SuggestionState, actor: Actor, at: datetime
) -> None:
    weighed = _find_open(customer_id, name)
    kept, write = weighed.kept, Transaction()
    changes: list[CustomerChange] = []
    if state is not SuggestionState.ACCEPTED:
        changes = [begin_customer_change(read_customer_of(kept.of))]
    elif weighed.kind is SuggestionKind.LINK:
        link = Link(kept.of, kept.suggestion.address, Proof.AGENT, "agent", str(actor), at)
        changes = plan_link(write, link, actor)
    elif weighed.kind is SuggestionKind.MERGE:
        merge = plan_merge_of_two(kept.of, weighed.other_id, kept.suggestion.reason, actor, at)
        put_merged_cases(write, merge)
        changes = [merge.target, merge.source]
    else:
        advice = "they have different platform ids: dismiss it, or remove the wrong link first"
        raise InvalidRequestError("They cannot be one customer.", (("decision", advice),))
    if kept.of not in {change.after.id for change in changes}:
        changes.append(begin_customer_change(read_customer_of(kept.of)))
    for change in changes:
        is_own = change.after.id == kept.of
        put_customer_change(
            write, change.settle_suggestion(kept, state, actor, at) if is_own else change
        )
    commit_or_contend(write)


def _find_open(customer_id: str, name: str) -> Weighed:
    for one in weigh_suggestions(read_family(customer_id)):
        if one.kept.id == name:
            return one
    raise NotFoundError(f"There is no open suggestion {name}.")
