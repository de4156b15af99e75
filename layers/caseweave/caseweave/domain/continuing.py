"""An answer that the customer's page never fetched goes on by another channel (promise P6).

Only to an address that is proven to be the customer's: what was merely typed into a form may be
somebody else's (promise P4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from caseweave.domain.case import Case
from caseweave.domain.event import Actor, CaseChange, EventKind, begin_change
from caseweave.domain.identity import AddressKind
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
from caseweave.domain.web_rules import Continuing

# In the original: the message that goes on, or NOWHERE; in that message: the original.
CONTINUED_BY = "continued_by"
CONTINUES = "continues"
NOWHERE = "nobody"
CONTINUATION = Actor("system", "continuations")
_KINDS = {Channel.EMAIL: AddressKind.EMAIL, Channel.SMS: AddressKind.PHONE}
# The customer's acknowledgement says nothing that the next answer does not.
_WORTH_CONTINUING = (Purpose.REPLY, Purpose.NOTICE)


def awaits_reading(message: Message) -> bool:
    """Is it there for the page to fetch, and was nothing done about its not being fetched?"""
    return (
        message.channel is Channel.WEB
        and message.direction is Direction.OUTBOUND
        and message.purpose in _WORTH_CONTINUING
        and message.delivery is not None
        and message.delivery.state is DeliveryState.ACCEPTED
        and CONTINUED_BY not in message.fields
    )


def choose_contact(
    addresses: Sequence[KnownAddress], rules: Continuing, now: datetime
) -> Contact | None:
    """How the customer is reached beside the page, None if nothing is proven.

    As they last wrote from there; else (their sign-in vouches for it) at the address alone.
    """
    for channel in rules.by:
        proven = [a for a in addresses if a.address.kind is _KINDS[channel] and a.proof.holds]
        for known in sorted(proven, key=lambda one: str(one.address)):
            if known.contact is not None and known.contact.channel is channel:
                return known.contact
            provider = "ses" if channel is Channel.EMAIL else rules.sms_provider
            return Contact(channel, provider, "", known.address, now)
    return None


def continue_message(
    case: Case, original: Message, contact: Contact, now: datetime, message_id: str
) -> CaseChange:
    """The same answer again, queued for another channel; each names the other."""
    copy = replace(
        original,
        id=message_id,
        channel=contact.channel,
        provider=contact.provider,
        provider_id="",
        occurred_at=now,
        received_at=now,
        contact=contact,
        fields={**original.fields, "reference": case.ref, CONTINUES: original.id},
        delivery=Delivery(DeliveryState.QUEUED, now),
    )
    return begin_change(case).add_message(EventKind.MESSAGE_QUEUED, CONTINUATION, copy)


def note_continued(original: Message, message_id: str) -> Message:
    fields: Mapping[str, str] = {**original.fields, CONTINUED_BY: message_id or NOWHERE}
    return replace(original, fields=fields)
