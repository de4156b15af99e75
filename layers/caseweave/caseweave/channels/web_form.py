"""The business's own web form: anonymous, or signed in with the business's JWT.

A signed-in customer's `sub`, and the phone and mail address that the platform vouches for, are
proven. Whatever is typed into the form is claimed.
Claims: https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims
"""

import re
from collections.abc import Mapping
from typing import Any

from caseweave.channels.request import WebhookRequest, read_form, read_json_object
from caseweave.domain.identity import (
    Address,
    AddressKind,
    Proof,
    ProvenAddress,
    Sender,
    normalise_email,
    normalise_phone,
)
from caseweave.domain.message import Channel, InboundMessage
from caseweave.errors import UnparseableError

PROVIDER = "form"
CHAT = "chat"
FORM_NAME = re.compile(r"[a-z0-9-]{1,40}")
# Fields beside the message that triage and search understand.
_FIELDS = ("order_no", "product", "error_code")
_LONGEST_FIELD = 200


def bearer_token(request: WebhookRequest) -> str:
    """The JWT of a signed-in customer; "" for an anonymous one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def parse(
    request: WebhookRequest, form: str, claims: Mapping[str, Any], submission: str
) -> InboundMessage:
    """The message of a submission; *claims* are those of the verified JWT (empty: anonymous).

    *submission* names the submission: the client's Idempotency-Key, or a fresh id. Raises
    UnparseableError for a body that is neither a JSON object nor a form.
    """
    said = _read_body(request)
    contact = said.get("contact")
    typed = contact if isinstance(contact, dict) else said
    sender = _signed_in(claims) if claims else _anonymous(submission)
    return InboundMessage(
        channel=Channel.WEB,
        provider=PROVIDER,
        account=form,
        event_id=f"{sender.proven[0].address}.{submission}",
        provider_id=submission,
        sender=Sender(
            proven=sender.proven,
            claims=_addresses(typed),
            name=sender.name or _text(typed, "name")[:_LONGEST_FIELD],
            locale=_text(said, "locale")[:20] or sender.locale,
            tier=sender.tier,
            role=sender.role,
        ),
        body=_text(said, "message") or _text(said, "body"),
        subject=_text(said, "subject"),
        fields={
            "form": form,
            **{name: _text(said, name)[:_LONGEST_FIELD] for name in _FIELDS if _text(said, name)},
        },
    )


def parse_chat(request: WebhookRequest, case_id: str, submission: str) -> InboundMessage:
    """The next message from a page whose session, for *case_id*, was verified.

    Raises UnparseableError for a body that is neither a JSON object nor a form.
    """
    said = _read_body(request)
    page = Address(AddressKind.UNPROVEN, f"session.{case_id}")
    return InboundMessage(
        channel=Channel.WEB,
        provider=CHAT,
        account="",
        event_id=f"{case_id}.{submission}",
        provider_id=submission,
        sender=Sender(proven=(ProvenAddress(page, Proof.SESSION),)),
        body=_text(said, "message") or _text(said, "body"),
        session_case_id=case_id,
    )


def _read_body(request: WebhookRequest) -> dict[str, Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return dict(read_form(request.body))
    return read_json_object(request.body)


def _signed_in(claims: Mapping[str, Any]) -> Sender:
    subject = _text(claims, "sub")
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
        name=_text(claims, "name"),
        locale=_text(claims, "locale"),
        tier=_text(claims, "tier"),
        role=_text(claims, "role"),
    )


def _anonymous(submission: str) -> Sender:
    address = Address(AddressKind.UNPROVEN, f"form.{submission}")
    return Sender(proven=(ProvenAddress(address, Proof.NONE),))


def _addresses(said: Mapping[str, Any]) -> tuple[Address, ...]:
    """What is written in `email` and `phone`, if it is an address at all: an empty one would be
    shared by everybody who has none.
    """
    email, phone = normalise_email(_text(said, "email")), normalise_phone(_text(said, "phone"))
    found = []
    if "@" in email and len(email) <= _LONGEST_FIELD:
        found.append(Address(AddressKind.EMAIL, email))
    # Without its country code a number could be anybody's.
    if phone.startswith("+") and 8 <= len(phone) <= 16:
        found.append(Address(AddressKind.PHONE, phone))
    return tuple(found)


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if isinstance(value, str):
        # Claims can hold half a surrogate pair, which cannot be stored.
        return value.encode("utf-8", "replace").decode()
    return str(value) if isinstance(value, int | float) else ""
