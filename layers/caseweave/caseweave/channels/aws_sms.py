"""AWS End User Messaging SMS: two-way SMS in, delivery events in, both by SNS; SMS out by its API.

https://docs.aws.amazon.com/sms-voice/latest/userguide/two-way-sms-payload.html
https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html
https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
"""

import re
from typing import Any

from caseweave.channels.credentials import Credentials
from caseweave.channels.identities import identify_phone
from caseweave.channels.json_reading import object_in, read_text_id, text_in
from caseweave.channels.request import Abilities, Outgoing, WebhookRequest, read_json_object
from caseweave.channels.sns import Envelope, read_envelope, verify_envelope
from caseweave.domain.identity import (
    Address,
    AddressKind,
    Proof,
    ProvenAddress,
    Sender,
)
from caseweave.domain.message import (
    Channel,
    Contact,
    DeliveryState,
    IgnoredEvent,
    InboundEvent,
    InboundMessage,
    Receipt,
)
from caseweave.errors import UnparseableError

PROVIDER = "aws"
ACKNOWLEDGED = ("application/json", "{}")
# Under which our own key travels with a message and comes back in its events.
CONTEXT_KEY = "caseweave"
_LONGEST_TEXT = 200
_NUMBER = re.compile(r"\+?[0-9]{3,15}", re.ASCII)
_NAMELESS = {
    "SubscriptionConfirmation": "the topic offers its subscription",
    "UnsubscribeConfirmation": "the subscription to the topic has ended",
}
_STATES = {
    "TEXT_SENT": DeliveryState.ACCEPTED,
    # The carrier took it; many never tell more.
    "TEXT_SUCCESSFUL": DeliveryState.ACCEPTED,
    "TEXT_DELIVERED": DeliveryState.DELIVERED,
    **dict.fromkeys(
        (
            "TEXT_BLOCKED",
            "TEXT_CARRIER_BLOCKED",
            "TEXT_CARRIER_UNREACHABLE",
            "TEXT_INVALID",
            "TEXT_INVALID_MESSAGE",
            "TEXT_PROTECT_BLOCKED",
            "TEXT_SPAM",
            "TEXT_TTL_EXPIRED",
            "TEXT_UNREACHABLE",
        ),
        DeliveryState.FAILED,
    ),
}


def verify(request: WebhookRequest, credentials: Credentials) -> None:
    """Check SNS's signature by the `certificate` among the credentials, and the topic.

    Raises InvalidSignatureError.
    """
    verify_envelope(PROVIDER, request, credentials)


def parse(request: WebhookRequest, credentials: Credentials) -> list[InboundEvent]:  # noqa: ARG001
    """The message, receipt or news of the subscription in an envelope. Raises UnparseableError."""
    envelope = read_envelope(request.body)
    if reason := _NAMELESS.get(envelope.kind):
        return [_ignore(envelope, reason)]
    said = read_json_object(envelope.message.encode())
    # EventBridge, where events of messages go through it, wraps them once more.
    said = said["detail"] if isinstance(said.get("detail"), dict) else said
    if "inboundMessageId" in said:
        return [_message(said, envelope)]
    event = text_in(said, "eventType")
    if event.startswith("TEXT_"):
        return [_receipt(said, event)]
    if event:
        return [_ignore(envelope, f"an event of kind {event}"[:_LONGEST_TEXT])]
    raise UnparseableError("neither a message nor an event of one")


def _ignore(envelope: Envelope, reason: str) -> IgnoredEvent:
    return IgnoredEvent(PROVIDER, envelope.topic, envelope.message_id, reason)


def _message(said: dict[str, Any], envelope: Envelope) -> InboundMessage:
    """The payload tells no time: SNS had it at once, and its time is signed."""
    number, ours = text_in(said, "originationNumber"), text_in(said, "destinationNumber")
    message_id = read_text_id(said, "inboundMessageId")
    if not _NUMBER.fullmatch(number):
        raise UnparseableError("originationNumber is neither a phone number nor a short code")
    phone = Address(AddressKind.PHONE, identify_phone(number))
    context = {"to": ours, "reply_to": text_in(said, "previousPublishedMessageId")}
    return InboundMessage(
        channel=Channel.SMS,
        provider=PROVIDER,
        account=ours[:_LONGEST_TEXT],
        event_id=message_id,
        provider_id=message_id,
        sender=Sender(proven=(ProvenAddress(phone, Proof.PROVIDER),)),
        body=text_in(said, "messageBody"),
        occurred_at=envelope.at,
        context={name: value[:_LONGEST_TEXT] for name, value in context.items() if value},
    )


def _receipt(said: dict[str, Any], event: str) -> Receipt:
    message_id, state = read_text_id(said, "messageId"), _STATES.get(event)
    key = object_in(said, "context").get(CONTEXT_KEY)
    words = [text_in(said, name) for name in ("messageStatus", "messageStatusDescription")]
    return Receipt(
        provider=PROVIDER,
        account=text_in(said, "originationPhoneNumber")[:_LONGEST_TEXT],
        event_id=f"{message_id}.{event[:_LONGEST_TEXT]}",
        provider_id=message_id,
        outbox_key=key[:_LONGEST_TEXT] if isinstance(key, str) else "",
        state=state,
        error=": ".join(filter(None, words))[:_LONGEST_TEXT]
        if state is DeliveryState.FAILED
        else "",
    )


def abilities(contact: Contact) -> Abilities:  # noqa: ARG001
    """AWS makes segments of a text by itself, and takes no files of a message by SMS."""
    return Abilities(longest_body=1600, keeps_order=False)


def build_text(outgoing: Outgoing, credentials: Credentials) -> dict[str, Any]:
    """The arguments of SendTextMessage; our key comes back in the message's events.

    Raises MissingSecretError.
    """
    configuration = credentials.values.get("configuration_set")
    return {
        "DestinationPhoneNumber": outgoing.contact.address.value,
        "OriginationIdentity": outgoing.contact.context.get("to") or credentials.current("from"),
        "MessageBody": outgoing.body,
        "MessageType": "TRANSACTIONAL",
        "Context": {CONTEXT_KEY: outgoing.key},
        **({"ConfigurationSetName": str(configuration)} if configuration else {}),
    }
