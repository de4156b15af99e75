"""Domain values to rows and back. Rows never leave `storage`."""

from caseweave.domain.case import Case, Priority
from caseweave.domain.event import Actor, Event, EventKind
from caseweave.domain.identity import Address, AddressKind, Customer, Proof
from caseweave.domain.message import (
    Contact,
    Delivery,
    DeliveryState,
    KnownAddress,
    Message,
)
from caseweave.domain.times import from_rfc3339, optional_rfc3339, optional_time, to_rfc3339
from caseweave.storage import table
from caseweave.storage.encoding import (
    decode_contact,
    decode_details,
    decode_head,
    encode_contact,
    encode_details,
    encode_head,
)

_PRIORITY_RANK = {
    Priority.URGENT: "0",
    Priority.HIGH: "1",
    Priority.NORMAL: "2",
    Priority.LOW: "3",
}
# A case that is due at no time sorts after all that are.
_NEVER = "9999-12-31T23:59:59.999Z"


def case_row(case: Case) -> table.CaseRow:
    due_at = optional_rfc3339(case.due_at)
    row = table.CaseRow(
        *table.case_key(case.id),
        ref=case.ref,
        customer_id=case.customer_id,
        state=str(case.state),
        team=case.team,
        head=encode_head(case),
        version=case.version,
        worklist_pk=table.worklist_partition(case.team, case.state),
        worklist_sk=f"{_PRIORITY_RANK[case.priority]}#{due_at or _NEVER}#{case.id}",
        customer_pk=f"CUST#{case.customer_id}",
        customer_sk=f"CASE#{to_rfc3339(case.opened_at)}#{case.id}",
    )
    attention_at = case.attention_at
    if attention_at is not None and case.is_active:
        row.due_pk = table.due_partition(case.id)
        row.due_sk = f"{to_rfc3339(attention_at)}#{case.id}"
    if case.assignee:
        row.assignee_pk = f"AGENT#{case.assignee}"
        row.assignee_sk = f"{case.state}#{due_at or _NEVER}#{case.id}"
    return row


def read_case(row: table.CaseRow) -> Case:
    return decode_head(
        row.head,
        case_id=row.pk.removeprefix("CASE#"),
        ref=row.ref,
        customer_id=row.customer_id,
        state=row.state,
        team=row.team,
        version=int(row.version),
    )


def message_row(message: Message) -> table.MessageRow:
    occurred_at = to_rfc3339(message.occurred_at)
    row = table.MessageRow(
        *table.message_key(message.case_id, occurred_at, message.id),
        message_id=message.id,
        customer_id=message.customer_id,
        direction=str(message.direction),
        channel=str(message.channel),
        author=message.author,
        body=message.body or None,
        occurred_at=occurred_at,
        details=encode_details(message),
        customer_pk=f"CUST#{message.customer_id}",
        customer_sk=f"MSG#{occurred_at}#{message.id}",
    )
    if message.delivery is not None:
        set_delivery(row, message.delivery)
    return row


def set_delivery(row: table.MessageRow, delivery: Delivery) -> None:
    row.delivery_state = str(delivery.state)
    row.delivery_at = to_rfc3339(delivery.at)
    row.delivery_id = delivery.provider_id or None
    row.delivery_error = delivery.error or None


def read_message(row: table.MessageRow) -> Message:
    return decode_details(
        row.details,
        message_id=row.message_id,
        case_id=row.pk.removeprefix("CASE#"),
        customer_id=row.customer_id,
        direction=row.direction,
        channel=row.channel,
        author=row.author,
        body=row.body or "",
        occurred_at=row.occurred_at,
        delivery=_read_delivery(row),
    )


def _read_delivery(row: table.MessageRow) -> Delivery | None:
    if not row.delivery_state:
        return None
    return Delivery(
        state=DeliveryState(row.delivery_state),
        at=from_rfc3339(row.delivery_at),
        provider_id=row.delivery_id or "",
        error=row.delivery_error or "",
    )


def event_row(event: Event) -> table.EventRow:
    pk, sk = table.event_key(event.case_id, event.seq)
    return table.EventRow(
        pk,
        sk,
        at=to_rfc3339(event.at),
        actor=str(event.actor),
        event=str(event.kind),
        data=dict(event.data),
        previous=event.previous,
        digest=event.digest,
    )


def read_event(row: table.EventRow) -> Event:
    return Event(
        case_id=row.pk.removeprefix("CASE#"),
        seq=int(row.sk.removeprefix("EVT#")),
        at=from_rfc3339(row.at),
        actor=Actor.parse(row.actor),
        kind=EventKind(row.event),
        data=row.data,
        previous=row.previous,
        digest=row.digest,
    )


def address_row(
    address: Address,
    customer_id: str,
    proof: Proof,
    case_id: str = "",
    contact: Contact | None = None,
) -> table.AddressRow:
    return table.AddressRow(
        *table.address_key(address.kind, address.value),
        customer_id=customer_id,
        proof=str(proof),
        case_id=case_id or None,
        last_inbound_at=to_rfc3339(contact.at) if contact else None,
        contact=encode_contact(contact) if contact else None,
    )


def read_address(row: table.AddressRow) -> KnownAddress:
    _, kind, value = row.pk.split("#", 2)
    return KnownAddress(
        address=Address(AddressKind(kind), value),
        customer_id=row.customer_id,
        proof=Proof(row.proof),
        case_id=row.case_id or "",
        last_inbound_at=optional_time(row.last_inbound_at),
        contact=decode_contact(row.contact) if row.contact else None,
    )


def customer_row(customer: Customer) -> table.CustomerRow:
    return table.CustomerRow(
        *table.customer_key(customer.id),
        name=customer.name or None,
        locale=customer.locale or None,
        tier=customer.tier or None,
        role=customer.role or None,
        created_at=optional_rfc3339(customer.created_at),
    )


def read_customer(row: table.CustomerRow) -> Customer:
    return Customer(
        id=row.pk.removeprefix("CUST#"),
        name=row.name or "",
        locale=row.locale or "",
        tier=row.tier or "",
        role=row.role or "",
        created_at=from_rfc3339(row.created_at),
    )
