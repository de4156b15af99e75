"""Who wrote a message that Twilio passes on, and what it says: SMS, MMS, and WhatsApp by Twilio.

https://www.twilio.com/docs/messaging/guides/webhook-request
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from caseweave.channels.identities import identify_phone
from caseweave.channels.twilio_sending import WHATSAPP
from caseweave.domain.identity import (
    Address,
    AddressKind,
    Proof,
    ProvenAddress,
    Sender,
)
from caseweave.domain.message import Attachment, Channel
from caseweave.errors import UnparseableError

MOST_MEDIA = 10
_LONGEST_TEXT = 200
_NUMBER = re.compile(r"\+?[0-9]{3,15}", re.ASCII)
# A name in place of a number: https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &._+-]{1,11}", re.ASCII)
_CONTEXT = {
    "To": "to",
    "MessagingServiceSid": "messaging_service",
    "OriginalRepliedMessageSid": "reply_to",
}
# What agents may want to know beside the text.
_FIELDS = {"ButtonPayload": "button", "Forwarded": "forwarded", "OptOutType": "opt_out_type"}
_REFERRAL = ("ReferralHeadline", "ReferralBody", "ReferralSourceUrl")


@dataclass(frozen=True, slots=True)
class Origin:
    """On which channel a message came, and from whom. A name is nobody's: it cannot be answered."""

    channel: Channel
    sender: Sender
    is_a_name: bool = False


def read_origin(form: Mapping[str, str], sid: str) -> Origin:
    """Raises UnparseableError."""
    told, name = form["From"], form.get("ProfileName", "")[:_LONGEST_TEXT]
    if told.startswith(WHATSAPP):
        number = told.removeprefix(WHATSAPP)
        if not _NUMBER.fullmatch(number):
            # Who hides the number from businesses has an id there; `WaId` may know it.
            number = f"+{form.get('WaId', '')}"
        return Origin(Channel.MESSENGER, _owner(number, name))
    if not _NUMBER.fullmatch(told) and _NAME.fullmatch(told):
        # Anybody may call himself so: each message is from an identity of its own.
        nobody = Address(AddressKind.UNPROVEN, f"sms.{sid}")
        sender = Sender(proven=(ProvenAddress(nobody, Proof.NONE),), name=told)
        return Origin(Channel.SMS, sender, is_a_name=True)
    return Origin(Channel.SMS, _owner(told, name))


def _owner(number: str, name: str) -> Sender:
    if not _NUMBER.fullmatch(number):
        raise UnparseableError("From is neither a phone number nor a short code")
    phone = Address(AddressKind.PHONE, identify_phone(number))
    return Sender(proven=(ProvenAddress(phone, Proof.PROVIDER),), name=name)


def read_words(form: Mapping[str, str]) -> str:
    """The text; words for a button or a place, which may come without."""
    place = ", ".join(filter(None, [form.get("Latitude"), form.get("Longitude")]))
    where = [form.get("Label"), form.get("Address"), place] if place else []
    text = form.get("Body") or form.get("ButtonText") or ""
    return "\n".join(filter(None, [text, *where]))


def read_attachments(form: Mapping[str, str]) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(
            name=f"media-{number}",
            media_type=form.get(f"MediaContentType{number}") or "application/octet-stream",
            provider_ref=form[f"MediaUrl{number}"],
        )
        for number in range(MOST_MEDIA)
        if form.get(f"MediaUrl{number}")
    )


def read_context(form: Mapping[str, str]) -> dict[str, str]:
    """What an answer needs: the number that was written to, and what was replied to."""
    found = {name: form.get(told, "")[:_LONGEST_TEXT] for told, name in _CONTEXT.items()}
    return {name: value for name, value in found.items() if value or name == "to"}


def read_fields(form: Mapping[str, str]) -> dict[str, str]:
    found = {name: form.get(told, "")[:_LONGEST_TEXT] for told, name in _FIELDS.items()}
    # The advertisement that the customer came from.
    found["referral"] = "\n".join(
        form[name][:_LONGEST_TEXT] for name in _REFERRAL if form.get(name)
    )
    return {name: value for name, value in found.items() if value}
