"""What SES tells of the mails that we sent, by EventBridge: delivered, bounced, called spam, …

https://docs.aws.amazon.com/ses/latest/dg/monitoring-eventbridge.html
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
Only AWS itself can put events of the source aws.ses onto a bus, so nothing has to be verified.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from caseweave.domain.message import DeliveryState, IgnoredEvent, InboundEvent, Receipt
from caseweave.errors import UnparseableError

PROVIDER = "ses"
# The tag that a mail leaves with, and that its events bring back: our own name of the message.
KEY_TAG = "outbox-key"
_LONGEST_ID = 200
_LONGEST_DETAIL = 400
_STATES = {
    "Delivery": DeliveryState.DELIVERED,
    "Bounce": DeliveryState.FAILED,
    "Complaint": DeliveryState.COMPLAINED,
    "Reject": DeliveryState.FAILED,
    "Rendering Failure": DeliveryState.FAILED,
    "RenderingFailure": DeliveryState.FAILED,
    # Still being tried; a bounce follows when SES gives up.
    "DeliveryDelay": None,
}
# Where each kind of event keeps what is particular to it.
_SECTIONS = {
    "Delivery": "delivery",
    "Bounce": "bounce",
    "Complaint": "complaint",
    "Reject": "reject",
    "Rendering Failure": "failure",
    "RenderingFailure": "failure",
    "DeliveryDelay": "deliveryDelay",
}


def encode_key(outbox_key: str) -> str:
    """The key as a tag can hold it: letters, digits, `-` and `_`."""
    return urlsafe_b64encode(outbox_key.encode()).decode().rstrip("=")


def parse_event(event: dict[str, Any]) -> list[InboundEvent]:
    """The receipt in an event of SES. Raises UnparseableError."""
    detail = _object(event, "detail")
    mail, kind = _object(detail, "mail"), _text(detail, "eventType")
    sent_id = _text(mail, "messageId")[:_LONGEST_ID]
    event_id = _text(event, "id")[:_LONGEST_ID]
    if not sent_id or not event_id or not kind:
        raise UnparseableError("an event of SES without id, eventType or mail.messageId")
    if kind not in _STATES:
        return [IgnoredEvent(PROVIDER, "", event_id, f"{kind[:40]} of a mail tells nothing new")]
    about = _object(detail, _SECTIONS[kind])
    state = None if _is_absence_note(kind, about) else _STATES[kind]
    is_trouble = state is not DeliveryState.DELIVERED
    return [
        Receipt(
            provider=PROVIDER,
            account="",
            event_id=event_id,
            provider_id=sent_id,
            outbox_key=_read_key(mail),
            state=state,
            error=_describe(kind, about) if is_trouble else "",
        )
    ]


def _is_absence_note(kind: str, about: dict[str, Any]) -> bool:
    """A "transient" bounce without any status is an automatic answer that SES took for one."""
    if kind != "Bounce" or _text(about, "bounceType") != "Transient":
        return False
    return not any(_text(one, "status") or _text(one, "action") for one in _recipients(about))


def _describe(kind: str, about: dict[str, Any]) -> str:
    """The status code, and the words of whoever refused it."""
    recipient = next(iter(_recipients(about)), {})
    said = [
        _text(recipient, "status"),
        _text(recipient, "diagnosticCode"),
        _text(about, "bounceType"),
        _text(about, "bounceSubType"),
        _text(about, "complaintFeedbackType"),
        _text(about, "delayType"),
        _text(about, "reason"),
        _text(about, "errorMessage"),
    ]
    words = " ".join(" ".join(filter(None, said)).split())
    return f"{kind}: {words}".rstrip(": ")[:_LONGEST_DETAIL]


def _recipients(about: dict[str, Any]) -> list[dict[str, Any]]:
    for name in ("bouncedRecipients", "complainedRecipients", "delayedRecipients"):
        if isinstance(told := about.get(name), list):
            return [one for one in told if isinstance(one, dict)]
    return []


def _read_key(mail: dict[str, Any]) -> str:
    """Our own name of the message; "" for a mail that left without a tag."""
    values = _object(mail, "tags").get(KEY_TAG)
    tag = values[0] if isinstance(values, list) and values else ""
    if not isinstance(tag, str):
        return ""
    try:
        return urlsafe_b64decode(tag.encode() + b"=" * (-len(tag) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""


def _object(said: dict[str, Any], name: str) -> dict[str, Any]:
    value = said.get(name)
    return value if isinstance(value, dict) else {}


def _text(said: dict[str, Any], name: str) -> str:
    value = said.get(name)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""
