"""Twilio Programmable Messaging: SMS, MMS and WhatsApp out.

https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
https://www.twilio.com/docs/messaging/guides/accepted-mime-types
https://www.twilio.com/docs/api/errors
"""

from base64 import b64encode
from urllib.parse import quote, urlencode

from caseweave.channels.credentials import Credentials
from caseweave.channels.request import (
    Abilities,
    Outgoing,
    ProviderAnswer,
    ProviderRequest,
    Refusal,
    Refused,
    SendResult,
    Sent,
    read_retry_after,
    read_said,
)
from caseweave.domain.message import Channel, Contact

API_URL = "https://api.twilio.com"
WHATSAPP = "whatsapp:"

_PICTURE, _CLIP = 5 * 2**20, 16 * 2**20
_PICTURES = {"image/jpeg": _PICTURE, "image/png": _PICTURE, "image/gif": _PICTURE}
# Twilio makes segments of a text by itself, and refuses above this (error 21617).
_SMS = Abilities(longest_body=1600, keeps_order=False)
# Pictures only go to phones in North America; elsewhere they would be refused.
_MMS = Abilities(longest_body=1600, keeps_order=False, files=_PICTURES)
_WHATSAPP = Abilities(
    longest_body=1600,
    files={
        "image/jpeg": _PICTURE,
        "image/png": _PICTURE,
        "audio": _CLIP,
        "video/mp4": _CLIP,
        "application/pdf": _CLIP,
    },
)
_KINDS = {
    20003: Refusal.TRANSIENT,  # the credentials: for ops to mend
    20005: Refusal.TRANSIENT,  # the account is not active
    20429: Refusal.THROTTLED,
    21610: Refusal.OPTED_OUT,
    21611: Refusal.THROTTLED,  # the number's queue is full
    63016: Refusal.WINDOW_CLOSED,
    63018: Refusal.THROTTLED,
}


def abilities(contact: Contact) -> Abilities:
    if _is_whatsapp(contact):
        return _WHATSAPP
    return _MMS if contact.address.value.startswith("+1") else _SMS


def build_send(outgoing: Outgoing, base_url: str, credentials: Credentials) -> ProviderRequest:
    """The request that sends *outgoing*; receipts come to the webhook URL and name its key."""
    sid = credentials.current("account_sid")
    basic = b64encode(f"{sid}:{credentials.current('auth_token')}".encode()).decode()
    query = urlencode([("message", outgoing.key)], quote_via=quote)
    contact = outgoing.contact
    sender = contact.context.get("to") or credentials.current("from")
    form = {"To": _spell(contact.address.value, contact), "From": _spell(sender, contact)}
    if outgoing.media is None:
        form["Body"] = outgoing.body
    else:
        form["MediaUrl"] = outgoing.media.url
    form["StatusCallback"] = f"{credentials.current('webhook_url')}?{query}"
    return ProviderRequest(
        url=f"{base_url}/2010-04-01/Accounts/{sid}/Messages.json",
        headers={
            "Authorization": f"Basic {basic}",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        body=urlencode(form).encode(),
    )


def _is_whatsapp(contact: Contact) -> bool:
    written_to = contact.context.get("to", "")
    return contact.channel is Channel.MESSENGER or written_to.startswith(WHATSAPP)


def _spell(number: str, contact: Contact) -> str:
    """A number as Twilio names it: in WhatsApp, both sides have its prefix."""
    bare = number.removeprefix(WHATSAPP)
    return f"{WHATSAPP}{bare}" if _is_whatsapp(contact) else bare


def read_answer(answer: ProviderAnswer) -> SendResult:
    """What Twilio said. A 5xx does not tell whether the message was taken."""
    said = read_said(answer)
    if answer.status in (200, 201) and said.get("sid"):
        return Sent(str(said["sid"]))
    code = said.get("code")
    detail = f"{answer.status if code is None else code} {said.get('message', '')}".strip()
    return Refused(_kind(answer.status, code), detail, read_retry_after(answer))


def read_refusal(code: str) -> str:
    """The kind of refusal of an error code in a receipt; "" for any that is nothing special."""
    kind = _KINDS.get(int(code)) if code.isascii() and code.isdecimal() and len(code) < 7 else None
    return str(kind) if kind in (Refusal.OPTED_OUT, Refusal.WINDOW_CLOSED) else ""


def _kind(status: int, code: object) -> Refusal:
    if status == 429:
        return Refusal.THROTTLED
    if not 400 <= status < 500:
        return Refusal.UNKNOWN
    if status in (401, 403):
        return Refusal.TRANSIENT
    return _KINDS.get(code, Refusal.PERMANENT) if isinstance(code, int) else Refusal.PERMANENT
