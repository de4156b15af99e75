"""Messages to the customer: written is queued, since the message itself is the outbox (P6)."""

from datetime import datetime

from caseweave.domain.case import Case
from caseweave.domain.identity import AddressKind
from caseweave.domain.message import (
    Channel,
    Contact,
    Delivery,
    DeliveryState,
    Direction,
    Message,
    Purpose,
)

MAIL_SENDER = "ses"


def make_outbound(
    case: Case,
    channel: Channel,
    body: str,
    purpose: Purpose,
    author: str,
    now: datetime,
    message_id: str,
    contact: Contact | None = None,
) -> Message:
    """A queued message to the customer by *contact*, or by the case's own of *channel*, which must
    be there.
    """
    contact = contact or case.contacts[channel]
    # Whoever receives mail for us, it leaves through SES.
    provider = MAIL_SENDER if channel is Channel.EMAIL else contact.provider
    return Message(
        id=message_id,
        case_id=case.id,
        customer_id=case.customer_id,
        direction=Direction.OUTBOUND,
        channel=channel,
        provider=provider,
        author=author,
        body=body,
        subject=case.subject,
        occurred_at=now,
        received_at=now,
        purpose=purpose,
        contact=contact,
        fields={"reference": case.ref},
        delivery=Delivery(DeliveryState.QUEUED, now),
    )


def find_mail_address(contact: Contact | None) -> str:
    """Where an answer by mail goes: as the customer's mail said, or else to the address itself; ""
    if there is none.
    """
    if contact is None:
        return ""
    is_email = contact.address.kind is AddressKind.EMAIL
    return contact.context.get("address", "") or (contact.address.value if is_email else "")
