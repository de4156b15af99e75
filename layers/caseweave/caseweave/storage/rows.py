"""Domain values to rows and back. Rows never leave `storage`."""

from caseweave.domain.case import Case, CaseState, Priority
from caseweave.domain.event import Actor, Event, EventKind
from caseweave.domain.identity import Address, AddressKind, Customer, Proof
from caseweave.domain.message import (
    Channel,
    Contact,
    Delivery,
    DeliveryState,
    Direction,
    KnownAddress,
    Message,
    Purpose,
)
from caseweave.domain.times import from_rfc3339, optional_rfc3339, optional_time, to_rfc3339
from caseweave.storage import table
from caseweave.storage.encoding import (
    decode_attachment,
    decode_clock,
    decode_contact,
    encode_attachment,
    encode_clock,
    encode_contact,
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
    pk, sk = table.case_key(case.id)
    due_at = optional_rfc3339(case.due_at)
    attention_at = optional_rfc3339(case.attention_at) if case.is_active else None
    return table.CaseRow(
        pk,
        sk,
        ref=case.ref,
        customer_id=case.customer_id,
        state=str(case.state),
        team=case.team,
        assignee_name=case.assignee or None,
        category=case.category or None,
        priority=str(case.priority),
        level=case.level,
        language=case.language,
        subject=case.subject or None,
        opened_at=to_rfc3339(case.opened_at),
        updated_at=to_rfc3339(case.updated_at),
        due_at=due_at,
        channels=list(case.channels),
        contacts={channel: encode_contact(contact) for channel, contact in case.contacts.items()},
        last_channel=case.last_channel,
        acknowledged=list(case.acknowledged),
        clocks=[encode_clock(clock) for clock in case.clocks],
        incident_id=case.incident_id or None,
        replied_seq=case.replied_seq,
        state_seq=case.state_seq,
        seq=case.seq,
        chain=case.chain,
        version=case.version,
        worklist_pk=table.worklist_partition(case.team, case.state),
        worklist_sk=f"{_PRIORITY_RANK[case.priority]}#{due_at or _NEVER}#{case.id}",
        due_pk=table.due_partition(case.id) if attention_at else None,
        due_sk=f"{attention_at}#{case.id}" if attention_at else None,
        customer_pk=f"CUST#{case.customer_id}",
        customer_sk=f"CASE#{to_rfc3339(case.opened_at)}#{case.id}",
        assignee_pk=f"AGENT#{case.assignee}" if case.assignee else None,
        assignee_sk=f"{case.state}#{due_at or _NEVER}#{case.id}" if case.assignee else None,
    )


def read_case(row: table.CaseRow) -> Case:
    return Case(
        id=row.pk.removeprefix("CASE#"),
        ref=row.ref,
        customer_id=row.customer_id,
        state=CaseState(row.state),
        team=row.team,
        assignee=row.assignee_name or "",
        category=row.category or "",
        priority=Priority(row.priority),
        level=int(row.level),
        language=row.language,
        subject=row.subject or "",
        opened_at=from_rfc3339(row.opened_at),
        updated_at=from_rfc3339(row.updated_at),
        channels=tuple(Channel(channel) for channel in row.channels),
        contacts={Channel(key): decode_contact(value) for key, value in row.contacts.items()},
        last_channel=Channel(row.last_channel) if row.last_channel else None,
        acknowledged=tuple(Channel(channel) for channel in row.acknowledged),
        clocks=tuple(decode_clock(clock) for clock in row.clocks),
        incident_id=row.incident_id or "",
        replied_seq=int(row.replied_seq),
        state_seq=int(row.state_seq),
        seq=int(row.seq),
        chain=row.chain,
        version=int(row.version),
    )


def message_row(message: Message) -> table.MessageRow:
    occurred_at = to_rfc3339(message.occurred_at)
    pk, sk = table.message_key(message.case_id, occurred_at, message.id)
    delivery = message.delivery
    return table.MessageRow(
        pk,
        sk,
        message_id=message.id,
        customer_id=message.customer_id,
        direction=str(message.direction),
        channel=str(message.channel),
        provider=message.provider,
        provider_id=message.provider_id or None,
        author=message.author,
        subject=message.subject or None,
        body=message.body or None,
        occurred_at=occurred_at,
        received_at=to_rfc3339(message.received_at),
        proof=str(message.proof),
        purpose=str(message.purpose) if message.purpose else None,
        is_automatic=int(message.is_automatic),
        attachments=[encode_attachment(a) for a in message.attachments] or None,
        contact=encode_contact(message.contact) if message.contact else None,
        fields=dict(message.fields) or None,
        seq=message.seq,
        delivery_state=str(delivery.state) if delivery else None,
        delivery_at=to_rfc3339(delivery.at) if delivery else None,
        delivery_id=delivery.provider_id or None if delivery else None,
        delivery_error=delivery.error or None if delivery else None,
        customer_pk=f"CUST#{message.customer_id}",
        customer_sk=f"MSG#{occurred_at}#{message.id}",
    )


def read_message(row: table.MessageRow) -> Message:
    return Message(
        id=row.message_id,
        case_id=row.pk.removeprefix("CASE#"),
        customer_id=row.customer_id,
        direction=Direction(row.direction),
        channel=Channel(row.channel),
        provider=row.provider,
        provider_id=row.provider_id or "",
        author=row.author,
        subject=row.subject or "",
        body=row.body or "",
        occurred_at=from_rfc3339(row.occurred_at),
        received_at=from_rfc3339(row.received_at),
        proof=Proof(row.proof),
        purpose=Purpose(row.purpose) if row.purpose else None,
        is_automatic=bool(row.is_automatic),
        attachments=tuple(decode_attachment(stored) for stored in row.attachments or ()),
        contact=decode_contact(row.contact) if row.contact else None,
        fields=row.fields or {},
        seq=int(row.seq),
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
