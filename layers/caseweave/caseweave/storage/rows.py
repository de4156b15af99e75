"""Domain values to stored items, and back from their values. Neither leaves `storage`."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from caseweave.domain.case import Case, Priority
from caseweave.domain.case_links import CaseLink, LinkKind
from caseweave.domain.continuing import awaits_reading
from caseweave.domain.event import Actor, Event, EventKind, is_milestone
from caseweave.domain.evidence import GENESIS
from caseweave.domain.identity import (
    Address,
    AddressKind,
    Customer,
    KeptSuggestion,
    Link,
    Proof,
    Suggestion,
    SuggestionKind,
    SuggestionState,
)
from caseweave.domain.media import FileOutcome
from caseweave.domain.message import (
    Contact,
    Delivery,
    DeliveryState,
    KnownAddress,
    Message,
    timeline_place,
)
from caseweave.domain.presence import Doing, Presence
from caseweave.domain.times import from_rfc3339, optional_rfc3339, optional_time, to_rfc3339
from caseweave.storage import table
from caseweave.storage.encoding import (
    decode_contact,
    decode_details,
    decode_head,
    decode_outcome,
    decode_parts,
    encode_contact,
    encode_details,
    encode_head,
    encode_outcome,
    encode_parts,
)
from caseweave.storage.items import Item, make_item

# The values of a record by attribute name, however it was read.
Values = Mapping[str, Any]
_PRIORITY_RANK = {
    Priority.URGENT: "0",
    Priority.HIGH: "1",
    Priority.NORMAL: "2",
    Priority.LOW: "3",
}
# In a customer's timeline: a case opens, then something is said in it, then it closes.
_OPENING, _MESSAGE, _CLOSING = range(3)
# A case that is due at no time sorts after all that are.
_NEVER = "9999-12-31T23:59:59.999Z"


def case_item(case: Case) -> Item:
    due_at = optional_rfc3339(case.due_at) or _NEVER
    due_pk, due_sk = _due_place(case)
    return make_item(
        table.CaseRow,
        table.case_key(case.id),
        ref=case.ref,
        customer_id=case.customer_id,
        state=str(case.state),
        team=case.team,
        head=encode_head(case),
        version=case.version,
        worklist_pk=table.worklist_partition(case.team, case.state),
        worklist_sk=f"{_PRIORITY_RANK[case.priority]}#{due_at}#{case.id}",
        customer_pk=f"CUST#{case.customer_id}",
        customer_sk=f"CASE#{to_rfc3339(case.opened_at)}#{case.id}",
        due_pk=due_pk,
        due_sk=due_sk,
        assignee_pk=f"AGENT#{case.assignee}" if case.assignee else None,
        assignee_sk=f"{case.state}#{due_at}#{case.id}" if case.assignee else None,
        changed_pk=_changed_on(case.updated_at, case.id),
        changed_sk=f"CASE#{case.id}",
    )


def _changed_on(at: datetime | None, owner_id: str) -> str | None:
    return table.changed_partition(to_rfc3339(at)[:10], owner_id) if at else None


def _due_place(case: Case) -> tuple[str | None, str | None]:
    """Where a schedule finds it: by its next moment, or when closed, by its last."""
    if case.erased_at is not None:
        return None, None
    if not case.is_active:
        return table.closed_partition(case.id), f"{to_rfc3339(case.updated_at)}#{case.id}"
    if case.attention_at is None:
        return None, None
    return table.due_partition(case.id), f"{to_rfc3339(case.attention_at)}#{case.id}"


def read_case(values: Values) -> Case:
    return decode_head(
        values["head"],
        case_id=values["pk"].removeprefix("CASE#"),
        ref=values["ref"],
        customer_id=values["customer_id"],
        state=values["state"],
        team=values["team"],
        version=int(values["version"]),
    )


def message_item(message: Message) -> Item:
    occurred_at = to_rfc3339(message.occurred_at)
    delivery = message.delivery
    waits_since = delivery.at if delivery and awaits_reading(message) else None
    return make_item(
        table.MessageRow,
        table.message_key(message.case_id, occurred_at, message.id),
        message_id=message.id,
        customer_id=message.customer_id,
        direction=str(message.direction),
        channel=str(message.channel),
        author=message.author,
        body=message.body or None,
        occurred_at=occurred_at,
        details=encode_details(message),
        customer_pk=f"CUST#{message.customer_id}",
        customer_sk=table.timeline_sort_key(
            to_rfc3339(timeline_place(message)[0]), _MESSAGE, message.id
        ),
        due_pk=table.unread_partition(message.case_id) if waits_since else None,
        due_sk=f"{to_rfc3339(waits_since)}#{message.id}" if waits_since else None,
        delivery_state=str(delivery.state) if delivery else None,
        delivery_at=to_rfc3339(delivery.at) if delivery else None,
        delivery_id=delivery.provider_id or None if delivery else None,
        delivery_error=delivery.error or None if delivery else None,
        delivery_refusal=delivery.refusal or None if delivery else None,
        delivery_parts=encode_parts(delivery) if delivery else None,
        erased_at=optional_rfc3339(message.erased_at),
    )


def read_message(values: Values) -> Message:
    message = decode_details(
        values["details"],
        message_id=values["message_id"],
        case_id=values["pk"].removeprefix("CASE#"),
        customer_id=values["customer_id"],
        direction=values["direction"],
        channel=values["channel"],
        author=values["author"],
        body=values.get("body") or "",
        occurred_at=values["occurred_at"],
        delivery=_read_delivery(values),
    )
    erased_at = optional_time(values.get("erased_at"))
    return replace(message, erased_at=erased_at) if erased_at else message


def _read_delivery(values: Values) -> Delivery | None:
    if not values.get("delivery_state"):
        return None
    return Delivery(
        state=DeliveryState(values["delivery_state"]),
        at=from_rfc3339(values["delivery_at"]),
        provider_id=values.get("delivery_id") or "",
        error=values.get("delivery_error") or "",
        refusal=values.get("delivery_refusal") or "",
        **decode_parts(values.get("delivery_parts")),
    )


def event_item(event: Event, customer_id: str = "") -> Item:
    """Openings and closings of cases stand in the timeline of their customer, if one is named."""
    at = to_rfc3339(event.at)
    rank = _OPENING if event.kind is EventKind.CASE_OPENED else _CLOSING
    name = f"{event.owner.id}#{event.seq:08d}"
    is_listed = bool(customer_id) and is_milestone(event)
    return make_item(
        table.EventRow,
        table.event_key(event.owner, event.seq),
        customer_pk=f"CUST#{customer_id}" if is_listed else None,
        customer_sk=table.timeline_sort_key(at, rank, name) if is_listed else None,
        at=at,
        actor=str(event.actor),
        event=str(event.kind),
        data=dict(event.data),
        private=dict(event.private) or None,
        previous=event.previous,
        digest=event.digest,
    )


def read_event(values: Values) -> Event:
    return Event(
        owner=table.read_owner(values["pk"]),
        seq=int(values["sk"].removeprefix("EVT#")),
        at=from_rfc3339(values["at"]),
        actor=Actor.parse(values["actor"]),
        kind=EventKind(values["event"]),
        data=values["data"],
        private=values.get("private") or {},
        previous=values["previous"],
        digest=values["digest"],
    )


def outcome_item(case_id: str, outcome: FileOutcome) -> Item:
    return make_item(
        table.FileRow,
        table.file_key(case_id, outcome.message_id, outcome.index),
        state=str(outcome.state),
        details=encode_outcome(outcome),
    )


def read_outcome(values: Values) -> FileOutcome:
    _, message_id, index = values["sk"].split("#")
    return decode_outcome(
        values["details"], message_id=message_id, index=int(index), state=values["state"]
    )


def case_link_item(link: CaseLink) -> Item:
    return make_item(
        table.CaseLinkRow,
        table.case_link_key(link.case_id, link.kind, link.other_id),
        at=to_rfc3339(link.at),
        actor=str(link.actor),
        other_seq=link.other_seq,
    )


def read_case_link(values: Values) -> CaseLink:
    _, kind, other_id = values["sk"].split("#", 2)
    return CaseLink(
        case_id=values["pk"].removeprefix("CASE#"),
        kind=LinkKind(kind),
        other_id=other_id,
        at=from_rfc3339(values["at"]),
        actor=Actor.parse(values["actor"]),
        other_seq=int(values["other_seq"]),
    )


def seen_item(case_id: str, presence: Presence) -> Item:
    return make_item(
        table.SeenRow,
        table.seen_key(case_id, presence.agent),
        doing=str(presence.doing),
        since=to_rfc3339(presence.since),
        until=to_rfc3339(presence.until),
        expires_at=presence.until,
    )


def read_presence(values: Values) -> Presence:
    return Presence(
        agent=values["sk"].removeprefix("SEEN#"),
        doing=Doing(values["doing"]),
        since=from_rfc3339(values["since"]),
        until=from_rfc3339(values["until"]),
    )


def address_item(
    address: Address,
    customer_id: str,
    proof: Proof,
    case_id: str = "",
    contact: Contact | None = None,
    listed_under: str = "",
) -> Item:
    return make_item(
        table.AddressRow,
        table.address_key(address.kind, address.value),
        customer_id=customer_id,
        proof=str(proof),
        case_id=case_id or None,
        listed_under=listed_under or None,
        last_inbound_at=to_rfc3339(contact.at) if contact else None,
        contact=encode_contact(contact) if contact else None,
    )


def read_address(values: Values) -> KnownAddress:
    _, kind, value = values["pk"].split("#", 2)
    contact = values.get("contact")
    return KnownAddress(
        address=Address(AddressKind(kind), value),
        customer_id=values["customer_id"],
        proof=Proof(values["proof"]),
        case_id=values.get("case_id") or "",
        last_inbound_at=optional_time(values.get("last_inbound_at")),
        contact=decode_contact(contact) if contact else None,
        listed_under=values.get("listed_under") or "",
    )


def customer_item(customer: Customer) -> Item:
    return make_item(
        table.CustomerRow,
        table.customer_key(customer.id),
        name=customer.name or None,
        locale=customer.locale or None,
        tier=customer.tier or None,
        role=customer.role or None,
        created_at=optional_rfc3339(customer.created_at),
        merged_into=customer.merged_into or None,
        merged_at=optional_rfc3339(customer.merged_at),
        members=list(customer.members) or None,
        seq=customer.seq,
        chain=customer.chain,
        changed_at=optional_rfc3339(customer.changed_at),
        seal=customer.seal or None,
        version=customer.version,
        changed_pk=_changed_on(customer.changed_at, customer.id),
        changed_sk=f"CUST#{customer.id}" if customer.changed_at else None,
        erased_at=optional_rfc3339(customer.erased_at),
    )


def read_customer(values: Values) -> Customer:
    return Customer(
        id=values["pk"].removeprefix("CUST#"),
        name=values.get("name") or "",
        locale=values.get("locale") or "",
        tier=values.get("tier") or "",
        role=values.get("role") or "",
        created_at=from_rfc3339(values["created_at"]),
        merged_into=values.get("merged_into") or "",
        merged_at=optional_time(values.get("merged_at")),
        members=tuple(values.get("members") or ()),
        seq=int(values.get("seq") or 0),
        chain=values.get("chain") or GENESIS,
        changed_at=optional_time(values.get("changed_at")),
        seal=values.get("seal") or "",
        version=int(values.get("version") or 0),
        erased_at=optional_time(values.get("erased_at")),
    )


def link_item(link: Link) -> Item:
    return make_item(
        table.LinkRow,
        table.link_key(link.of, link.address.kind, link.address.value),
        address_kind=str(link.address.kind),
        address_value=link.address.value,
        proof=str(link.proof),
        source=link.source or None,
        actor=link.actor or None,
        linked_at=to_rfc3339(link.at),
    )


def read_link(values: Values) -> Link:
    return Link(
        of=values["pk"].removeprefix("CUST#"),
        address=Address(AddressKind(values["address_kind"]), values["address_value"]),
        proof=Proof(values["proof"]),
        source=values.get("source") or "",
        actor=values.get("actor") or "",
        at=from_rfc3339(values["linked_at"]),
    )


def suggestion_item(kept: KeptSuggestion) -> Item:
    said = kept.suggestion
    return make_item(
        table.SuggestionRow,
        table.suggestion_key(kept.of, kept.id),
        address_kind=str(said.address.kind),
        address_value=said.address.value,
        other_id=said.customer_id or None,
        case_id=said.case_id or None,
        suggestion=str(said.kind),
        reason=said.reason,
        state=str(kept.state),
        made_at=to_rfc3339(kept.made_at),
        settled_at=optional_rfc3339(kept.settled_at),
        settled_by=kept.settled_by or None,
    )


def read_suggestion(values: Values) -> KeptSuggestion:
    return KeptSuggestion(
        id=values["sk"].removeprefix("SUGGEST#"),
        of=values["pk"].removeprefix("CUST#"),
        suggestion=Suggestion(
            customer_id=values.get("other_id") or "",
            address=Address(AddressKind(values["address_kind"]), values["address_value"]),
            reason=values["reason"],
            case_id=values.get("case_id") or "",
            kind=SuggestionKind(values["suggestion"]),
        ),
        state=SuggestionState(values["state"]),
        made_at=from_rfc3339(values["made_at"]),
        settled_at=optional_time(values.get("settled_at")),
        settled_by=values.get("settled_by") or "",
    )
