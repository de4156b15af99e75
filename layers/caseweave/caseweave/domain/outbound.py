"""Messages to the customer: written is queued, since the message itself is the outbox (P6)."""

from datetime import datetime

from caseweave.domain.case import Case
from caseweave.domain.message import (
    Channel,
    Contact,
    Delivery,
    DeliveryState,
    Direction,
    Message,
    Purpose,
)


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
    return Message(
        id=message_id,
        case_id=case.id,
        customer_id=case.customer_id,
        direction=Direction.OUTBOUND,
        channel=channel,
        provider=contact.provider,
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
