"""Contacts made in person, on paper or on a telephone of the desk's own, entered by agents."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from caseweave.agents.caller import WRITERS, Caller, Moment
from caseweave.agents.fields import read_text, read_time
from caseweave.channels.identities import identify_email, identify_phone
from caseweave.channels.kept_message import keep_message
from caseweave.domain.identity import (
    Address,
    AddressKind,
    Proof,
    ProvenAddress,
    Sender,
)
from caseweave.domain.message import Channel, InboundMessage
from caseweave.errors import InvalidRequestError, NotFoundError
from caseweave.intake import Door, receive_message
from caseweave.storage.cases import find_case_id
from caseweave.storage.customers import read_customer_of
from caseweave.storage.ledger import RawInput

PROVIDER = "desk"
_CHANNELS = (Channel.OFFLINE, Channel.VOICE)
_LONGEST_BODY = 20_000
_LONGEST = 200


def enter_contact(
    said: Mapping[str, Any],
    submission: str,
    caller: Caller,
    door: Door,
    retention: timedelta,
    moment: Moment,
) -> dict[str, Any]:
    """What a customer said elsewhere joins the case or the customer that the agent names.

    Named by neither, it opens a case of its own: a phone number or mail address that the agent
    only wrote down is a claim, and suggests whose it may be. *submission* names the entry, so that
    a retry enters it once. Raises InvalidRequestError, NotFoundError, ForbiddenError.
    """
    caller.require(*WRITERS)
    inbound = _read_contact(said, submission, caller, moment.now)
    body = json.dumps(dict(said), ensure_ascii=False).encode("utf-8", "replace")
    kept = keep_message(inbound)
    raw = RawInput(PROVIDER, caller.name, moment.now, retention, body, headers=kept)
    landed = receive_message(inbound, raw, door)
    return {"case_id": landed.case_id, "reference": landed.ref, "message_id": landed.message_id}


def _read_contact(
    said: Mapping[str, Any], submission: str, caller: Caller, now: datetime
) -> InboundMessage:
    case, customer = _optional(said, "case"), _optional(said, "customer_id")
    if customer:
        customer = _find_customer(customer)
    proof = Proof.AGENT if case or customer else Proof.NONE
    origin = Address(AddressKind.UNPROVEN, f"{PROVIDER}.{caller.name}.{submission}"[:_LONGEST])
    return InboundMessage(
        channel=_read_channel(said),
        provider=PROVIDER,
        account=caller.name,
        event_id=submission,
        provider_id=submission,
        sender=Sender(
            proven=(ProvenAddress(origin, proof),),
            claims=_read_claims(said),
            name=_optional(said, "name"),
        ),
        body=_read_body(said),
        subject=_optional(said, "subject"),
        occurred_at=_read_time(said, now),
        fields={"entered_by": caller.name},
        session_case_id=find_case_id(case) if case else "",
        customer_id=customer,
        is_answerable=False,
    )


def _find_customer(customer_id: str) -> str:
    """Raises NotFoundError for one who was erased as for one who never was."""
    customer = read_customer_of(customer_id)
    if customer.erased_at is not None:
        raise NotFoundError(f"Customer {customer_id} was erased.")
    return customer.id


def _read_channel(said: Mapping[str, Any]) -> Channel:
    name = said.get("channel", str(Channel.OFFLINE))
    if name not in _CHANNELS:
        advice = f"use one of: {', '.join(_CHANNELS)}"
        raise InvalidRequestError("That is not entered by hand.", (("channel", advice),))
    return Channel(name)


def _read_body(said: Mapping[str, Any]) -> str:
    body = read_text(said, "body")
    if not body.strip() or len(body) > _LONGEST_BODY:
        advice = f"write 1 to {_LONGEST_BODY} characters"
        raise InvalidRequestError("What was said is missing or too long.", (("body", advice),))
    return body


def _read_time(said: Mapping[str, Any], now: datetime) -> datetime:
    at = read_time(said, "occurred_at", now)
    if at > now:
        advice = "write when it happened: not later than now"
        raise InvalidRequestError("That is in the future.", (("occurred_at", advice),))
    return at


def _read_claims(said: Mapping[str, Any]) -> tuple[Address, ...]:
    """The number and the mail address, as far as each is one. Raises InvalidRequestError."""
    claims = []
    if number := _optional(said, "phone"):
        phone = identify_phone(number)
        if not phone.startswith("+") or not 8 <= len(phone) <= 16:
            advice = "write it with its country code: +8613800138000"
            raise InvalidRequestError("That is no phone number.", (("phone", advice),))
        claims.append(Address(AddressKind.PHONE, phone))
    if email := identify_email(_optional(said, "email")):
        if "@" not in email:
            advice = "write an address such as ling@example.com"
            raise InvalidRequestError("That is no mail address.", (("email", advice),))
        claims.append(Address(AddressKind.EMAIL, email))
    return tuple(claims)


def _optional(said: Mapping[str, Any], name: str) -> str:
    """A text that may be left out. Raises InvalidRequestError for anything else."""
    value = said.get(name, "")
    if not isinstance(value, str) or len(value) > _LONGEST:
        advice = f"write a text of at most {_LONGEST} characters, or leave it out"
        raise InvalidRequestError(f"{name} is not usable.", ((name, advice),))
    return value
