"""What happened to a customer, in a chain of their own, beside those of their cases."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from caseweave.domain.event import (
    NOTHING,
    Actor,
    ChainEnd,
    Event,
    EventKind,
    Owner,
    OwnerKind,
    make_event,
)
from caseweave.domain.identity import (
    Customer,
    KeptSuggestion,
    Link,
    Suggestion,
    SuggestionState,
)


@dataclass(frozen=True, slots=True)
class CustomerChange:
    """A customer before and after (None before: a new one), with the events and records to write
    beside them in the same transaction.
    """

    before: Customer | None
    after: Customer
    events: tuple[Event, ...] = ()
    added: tuple[Link, ...] = ()
    removed: tuple[Link, ...] = ()
    suggestions: tuple[KeptSuggestion, ...] = ()

    def record(
        self,
        kind: EventKind,
        actor: Actor,
        at: datetime,
        data: Mapping[str, Any],
        private: Mapping[str, Any] = NOTHING,
        **customer: Any,
    ) -> "CustomerChange":
        """This change and one more event, with the customer's fields as *customer* says."""
        head = self.after
        end = ChainEnd(Owner(OwnerKind.CUSTOMER, head.id), head.seq, head.chain, head.seal)
        event = make_event(end, kind, actor, at, data, private)
        after = replace(
            head,
            **customer,
            seq=event.seq,
            chain=event.digest,
            changed_at=max(at, head.changed_at or at),
            version=(self.before.version if self.before else 0) + 1,
        )
        return replace(self, after=after, events=(*self.events, event))

    def erase(self, actor: Actor, at: datetime, data: Mapping[str, Any]) -> "CustomerChange":
        """This change and the customer's erasure, after which nobody knows who they were."""
        return self.record(
            EventKind.CUSTOMER_ERASED,
            actor,
            at,
            data,
            name="",
            locale="",
            tier="",
            role="",
            erased_at=at,
        )

    def add_link(self, link: Link, actor: Actor) -> "CustomerChange":
        change = self
        # One submission's own mark is no address that anybody could ask about.
        if link.proof.holds:
            change = self.record(EventKind.LINK_ADDED, actor, link.at, *describe_link(link))
        return replace(change, added=(*change.added, link))

    def remove_link(self, link: Link, reason: str, actor: Actor, at: datetime) -> "CustomerChange":
        data, private = describe_link(link)
        change = self.record(EventKind.LINK_REMOVED, actor, at, data, {**private, "reason": reason})
        return replace(change, removed=(*change.removed, link))

    def keep_suggestion(
        self, suggestion_id: str, suggestion: Suggestion, actor: Actor, at: datetime
    ) -> "CustomerChange":
        kept = KeptSuggestion(suggestion_id, self.after.id, suggestion, SuggestionState.OPEN, at)
        change = self.record(EventKind.SUGGESTION_MADE, actor, at, *describe_suggestion(kept))
        return replace(change, suggestions=(*change.suggestions, kept))

    def settle_suggestion(
        self, kept: KeptSuggestion, state: SuggestionState, actor: Actor, at: datetime
    ) -> "CustomerChange":
        kind = (
            EventKind.SUGGESTION_ACCEPTED
            if state is SuggestionState.ACCEPTED
            else EventKind.SUGGESTION_DISMISSED
        )
        settled = replace(kept, state=state, settled_at=at, settled_by=str(actor))
        change = self.record(kind, actor, at, *describe_suggestion(kept))
        return replace(change, suggestions=(*change.suggestions, settled))


def begin_customer_change(customer: Customer) -> CustomerChange:
    return CustomerChange(before=customer, after=customer)


def describe_link(link: Link) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the chain says in the open, and what is personal."""
    data = {"kind": str(link.address.kind), "proof": str(link.proof), "source": link.source}
    return data, {"address": str(link.address)}


def describe_suggestion(kept: KeptSuggestion) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the chain says in the open, and what is personal."""
    said = kept.suggestion
    data = {
        "suggestion": kept.id,
        "kind": str(said.kind),
        "reason": said.reason,
        "customer_id": said.customer_id,
        "case_id": said.case_id,
    }
    return {name: value for name, value in data.items() if value}, {"address": str(said.address)}
