"""The business's own web forms and chat: anonymous, or signed in with the business's JWT.

A signed-in customer's `sub`, and the phone and mail address that the platform vouches for, are
proven. Whatever is typed into the form is claimed.
Claims: https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims
"""

from collections.abc import Mapping
from typing import Any

from caseweave.channels.identities import identify_email, identify_phone
from caseweave.channels.request import WebhookRequest, read_form, read_json_object
from caseweave.domain.form_checking import Filled, as_text
from caseweave.domain.identity import (
    Address,
    AddressKind,
    Proof,
    ProvenAddress,
    Sender,
)
from caseweave.domain.message import Channel, InboundMessage
from caseweave.errors import UnparseableError

PROVIDER = "form"
CHAT = "chat"
_LONGEST_FIELD = 200


def bearer_token(request: WebhookRequest) -> str:
    """The JWT of a signed-in customer; "" for an anonymous one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def read_body(request: WebhookRequest) -> dict[str, Any]:
    """What a page posted. Raises UnparseableError for neither a JSON object nor a form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return dict(read_form(request.body))
    return read_json_object(request.body)


def make_message(filled: Filled, claims: Mapping[str, Any], submission: str) -> InboundMessage:
    """The message of a form; *claims* are those of the verified JWT (empty: anonymous).

    *submission* names it: the same again is the same message. Raises UnparseableError for a JWT
    that names no user.
    """
    sender = read_sender(claims) if claims else _anonymous(submission)
    return InboundMessage(
        channel=Channel.WEB,
        provider=PROVIDER,
        account=filled.form,
        event_id=f"{sender.proven[0].address}.{submission}",
        provider_id=submission,
        sender=Sender(
            proven=sender.proven,
            claims=_addresses(filled.contact),
            name=sender.name or filled.contact.get("name", ""),
            locale=filled.locale or sender.locale,
            tier=sender.tier,
            role=sender.role,
        ),
        body=filled.message,
        subject=filled.subject,
        fields=filled.fields,
    )


def make_chat_message(text: str, case_id: str, submission: str) -> InboundMessage:
    """The next message from a page whose session, for *case_id*, was verified."""
    page = Address(AddressKind.UNPROVEN, f"session.{case_id}")
    return InboundMessage(
        channel=Channel.WEB,
        provider=CHAT,
        account="",
        event_id=f"{case_id}.{submission}",
        provider_id=submission,
        sender=Sender(proven=(ProvenAddress(page, Proof.SESSION),)),
        body=text,
        session_case_id=case_id,
    )


def read_sender(claims: Mapping[str, Any]) -> Sender:
    """Who a verified JWT says the customer is. Raises UnparseableError if it names no user."""
    subject = as_text(claims.get("sub"))
    if not subject or len(subject) > _LONGEST_FIELD:
        raise UnparseableError("the token names no user")
    vouched = {
        name: claims.get(claim)
        for name, claim in (("phone", "phone_number"), ("email", "email"))
        if claims.get(f"{claim}_verified") is True
    }
    addresses = (Address(AddressKind.PLATFORM, subject), *_addresses(vouched))
    return Sender(
        proven=tuple(ProvenAddress(address, Proof.LOGIN) for address in addresses),
        name=as_text(claims.get("name")),
        locale=as_text(claims.get("locale")),
        tier=as_text(claims.get("tier")),
        role=as_text(claims.get("role")),
    )


def _anonymous(submission: str) -> Sender:
    address = Address(AddressKind.UNPROVEN, f"form.{submission}")
    return Sender(proven=(ProvenAddress(address, Proof.NONE),))


def _addresses(said: Mapping[str, Any]) -> tuple[Address, ...]:
    """What is written in `email` and `phone`, if it is an address at all: an empty one would be
    shared by everybody who has none.
    """
    email = identify_email(as_text(said.get("email")))
    phone = identify_phone(as_text(said.get("phone")))
    found = []
    if "@" in email and len(email) <= _LONGEST_FIELD:
        found.append(Address(AddressKind.EMAIL, email))
    # Without its country code a number could be anybody's.
    if phone.startswith("+") and 8 <= len(phone) <= 16:
        found.append(Address(AddressKind.PHONE, phone))
    return tuple(found)
