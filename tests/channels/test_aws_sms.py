"""AWS End User Messaging: SMS and events as they come in SNS's envelopes."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.channels import aws_sms
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import (
    Channel,
    DeliveryState,
    IgnoredEvent,
    InboundMessage,
    Receipt,
)
from caseweave.errors import MissingSecretError, UnparseableError
from tests.channels.samples import NOON, OUTBOX_KEY, outbound, outgoing

ACCOUNT = Credentials("aws", {"topic_arns": ["arn:t"], "from": "+15005550010"})
SMS = {
    "originationNumber": "+8613800138000",
    "destinationNumber": "+15005550010",
    "messageKeyword": "KEYWORD_1",
    "messageBody": "还没到账 😡",
    "inboundMessageId": "cae173d2-66b9-564c-8309-21f858e9fb84",
    "previousPublishedMessageId": "ba8a4f2e-5c1a-4c1e-9d2a-000000000001",
}
EVENT = {
    "eventType": "TEXT_DELIVERED",
    "eventVersion": "1.0",
    "eventTimestamp": 1795435200000,
    "isFinal": True,
    "originationPhoneNumber": "+15005550010",
    "destinationPhoneNumber": "+8613800138000",
    "isoCountryCode": "CN",
    "messageId": "4862bd45-0001",
    "messageStatus": "DELIVERED",
    "messageStatusDescription": "Message has been accepted by phone",
    "context": {"caseweave": OUTBOX_KEY},
    "totalMessageParts": 1,
}


def parse(message, kind="Notification"):
    envelope = {
        "Type": kind,
        "MessageId": "SNS1",
        "TopicArn": "arn:t",
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": "2026-11-23T12:00:00.000Z",
    }
    return aws_sms.parse(WebhookRequest(json.dumps(envelope).encode()), ACCOUNT)


def test_an_sms_becomes_a_message_of_a_proven_number_at_sns_time():
    phone = Address(AddressKind.PHONE, "+8613800138000")
    assert parse(SMS) == [
        InboundMessage(
            channel=Channel.SMS,
            provider="aws",
            account="+15005550010",
            event_id="cae173d2-66b9-564c-8309-21f858e9fb84",
            provider_id="cae173d2-66b9-564c-8309-21f858e9fb84",
            sender=Sender(proven=(ProvenAddress(phone, Proof.PROVIDER),)),
            body="还没到账 😡",
            occurred_at=NOON,
            context={"to": "+15005550010", "reply_to": SMS["previousPublishedMessageId"]},
        )
    ]


@pytest.mark.parametrize(
    ("event", "state", "error"),
    [
        ("TEXT_QUEUED", None, ""),
        ("TEXT_PENDING", None, ""),
        ("TEXT_UNKNOWN", None, ""),
        ("TEXT_OF_NEXT_YEAR", None, ""),
        ("TEXT_SENT", DeliveryState.ACCEPTED, ""),
        ("TEXT_SUCCESSFUL", DeliveryState.ACCEPTED, ""),
        ("TEXT_DELIVERED", DeliveryState.DELIVERED, ""),
        *(
            (
                f"TEXT_{why}",
                DeliveryState.FAILED,
                "DELIVERED: Message has been accepted by phone",
            )
            for why in (
                "BLOCKED",
                "CARRIER_BLOCKED",
                "CARRIER_UNREACHABLE",
                "INVALID",
                "INVALID_MESSAGE",
                "PROTECT_BLOCKED",
                "SPAM",
                "TTL_EXPIRED",
                "UNREACHABLE",
            )
        ),
    ],
)
def test_an_event_becomes_a_receipt_of_the_message_that_its_context_names(event, state, error):
    receipt = Receipt(
        provider="aws",
        account="+15005550010",
        event_id=f"4862bd45-0001.{event}",
        provider_id="4862bd45-0001",
        outbox_key=OUTBOX_KEY,
        state=state,
        error=error,
    )
    assert parse(EVENT | {"eventType": event}) == [receipt]
    assert parse({"source": "aws.sms-voice", "detail": EVENT | {"eventType": event}}) == [receipt]


@pytest.mark.parametrize("context", [None, [], "x", {}, {"caseweave": 7}])
def test_an_event_without_our_key_is_found_by_the_id(context):
    (receipt,) = parse(EVENT | {"context": context})

    assert (receipt.outbox_key, receipt.provider_id) == ("", "4862bd45-0001")


@pytest.mark.parametrize(
    ("message", "kind", "reason"),
    [
        (
            EVENT | {"eventType": "MEDIA_DELIVERED"},
            "Notification",
            "an event of kind MEDIA_DELIVERED",
        ),
        ("You have chosen", "SubscriptionConfirmation", "the topic offers its subscription"),
        ("You left", "UnsubscribeConfirmation", "the subscription to the topic has ended"),
    ],
)
def test_other_events_are_known_and_ignored(message, kind, reason):
    assert parse(message, kind) == [IgnoredEvent("aws", "arn:t", "SNS1", reason)]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("hello", "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "neither a message nor an event"),
        ({"detail": {}}, "neither a message nor an event"),
        (SMS | {"inboundMessageId": ""}, "no inboundMessageId"),
        (SMS | {"inboundMessageId": "x" * 201}, "no inboundMessageId"),
        (SMS | {"originationNumber": "BANK"}, "originationNumber is neither"),
        (SMS | {"originationNumber": None}, "originationNumber is neither"),
        (EVENT | {"messageId": None}, "no messageId"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_what_has_no_id_or_no_sender_is_unparseable(message, reason):
    with pytest.raises(UnparseableError, match=reason):
        parse(message)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([SMS, EVENT]), st.data())
def test_any_value_in_any_place_is_an_event_or_unparseable(message, data):
    name = data.draw(st.sampled_from([*message, "detail"]))
    try:
        (event,) = parse(message | {name: data.draw(JSON)})
    except UnparseableError:
        return
    assert isinstance(event, InboundMessage | Receipt | IgnoredEvent)
    assert event.event_id


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_an_event_or_unparseable(body):
    with suppress(UnparseableError):
        assert aws_sms.parse(WebhookRequest(body), ACCOUNT)


def message_to(**context):
    phone = Address(AddressKind.PHONE, "+8613800138000")
    return outgoing(outbound(Channel.SMS, "aws", phone, context=context), OUTBOX_KEY)


def test_an_answer_leaves_from_the_number_that_was_written_to_and_carries_our_key():
    assert aws_sms.build_text(message_to(to="+15005550099"), ACCOUNT) == {
        "DestinationPhoneNumber": "+8613800138000",
        "OriginationIdentity": "+15005550099",
        "MessageBody": "您好，已经补发。",
        "MessageType": "TRANSACTIONAL",
        "Context": {"caseweave": OUTBOX_KEY},
    }


def test_the_configuration_set_is_named_where_there_is_one():
    account = ACCOUNT.having("configuration_set", "support")

    arguments = aws_sms.build_text(message_to(), account)

    assert arguments["ConfigurationSetName"] == "support"
    assert arguments["OriginationIdentity"] == "+15005550010"


def test_nothing_is_sent_from_no_number():
    with pytest.raises(MissingSecretError):
        aws_sms.build_text(message_to(), ACCOUNT.having("from", ""))
