import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings

from caseweave.channels import connect
from caseweave.channels.connect import Caller
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import Channel, IgnoredEvent, InboundMessage, Remark
from caseweave.errors import UnparseableError
from tests.channels.test_hostile import ODD_VALUES, json_values, outcome, paths, replaced

INSTANCE, CONTACT = "5c1d-instance", "0a5e-contact"
ARN = f"arn:aws:connect:ap-northeast-1:111122223333:instance/{INSTANCE}"
LIN = Caller("TELEPHONE_NUMBER", "+8613800138000", "Lin")


def event(happened="INITIATED", **detail):
    return {
        "version": "0",
        "id": "7bf73129-1428-4cd3-a780-95db273d1602",
        "detail-type": "Amazon Connect Contact Event",
        "source": "aws.connect",
        "detail": {
            "eventType": happened,
            "contactId": CONTACT,
            "channel": "VOICE",
            "instanceArn": ARN,
            "initiationMethod": "INBOUND",
            "initiationTimestamp": "2026-11-23T05:24:33.120Z",
            **detail,
        },
    }


def identity(contact=CONTACT):
    return ProvenAddress(Address(AddressKind.UNPROVEN, f"connect.{contact}"), Proof.NONE)


def test_a_call_is_a_message_whose_number_is_only_claimed():
    assert connect.needs_caller(event())
    assert connect.parse(event(), LIN) == InboundMessage(
        channel=Channel.VOICE,
        provider="connect",
        account=INSTANCE,
        event_id=CONTACT,
        provider_id=CONTACT,
        sender=Sender(
            proven=(identity(),), claims=(Address(AddressKind.PHONE, "+8613800138000"),), name="Lin"
        ),
        body="",
        occurred_at=datetime(2026, 11, 23, 5, 24, 33, 120_000, tzinfo=UTC),
        context={"contact_id": CONTACT},
        fields={"contact_id": CONTACT, "phone": "+8613800138000"},
        is_answerable=False,
    )


@pytest.mark.parametrize(
    "caller", [Caller(), Caller("TELEPHONE_NUMBER", "anonymous"), Caller("VOIP", "sip:x@example")]
)
def test_a_caller_without_a_number_claims_none(caller):
    assert connect.parse(event(), caller).sender.claims == ()


def test_a_chat_is_a_message_of_a_messenger():
    found = connect.parse(event(channel="Chat"), Caller())

    assert (found.channel, found.is_answerable) == (Channel.MESSENGER, False)


def test_how_a_call_ended_is_added_to_the_first_of_its_transfers():
    ended = event(
        "DISCONNECTED",
        contactId="0a5e-leg2",
        initialContactId=CONTACT,
        disconnectTimestamp="2026-11-23T05:30:33.120Z",
        disconnectReason="CUSTOMER_DISCONNECT",
        AgentInfo={"AgentArn": f"{ARN}/agent/a-7"},
        queueInfo={"queueArn": f"{ARN}/queue/q-1"},
    )

    assert not connect.needs_caller(ended)
    assert connect.parse(ended, Caller()) == InboundMessage(
        channel=Channel.VOICE,
        provider="connect",
        account=INSTANCE,
        event_id="0a5e-leg2.ended",
        provider_id="0a5e-leg2.ended",
        sender=Sender(proven=(identity(),)),
        body="",
        occurred_at=datetime(2026, 11, 23, 5, 30, 33, 120_000, tzinfo=UTC),
        context={"contact_id": CONTACT},
        fields={
            "contact_id": "0a5e-leg2",
            "seconds": "360",
            "agent": "a-7",
            "queue": "q-1",
            "reason": "CUSTOMER_DISCONNECT",
        },
        is_automatic=True,
        is_answerable=False,
        remark=Remark.ADDITION,
        about=CONTACT,
    )


@pytest.mark.parametrize(
    ("told", "name", "reason"),
    [
        (event("QUEUED"), f"{CONTACT}.QUEUED", "QUEUED of VOICE"),
        (event(initiationMethod="TRANSFER"), f"{CONTACT}.INITIATED", "INITIATED of VOICE"),
        (event(initiationMethod="OUTBOUND"), f"{CONTACT}.INITIATED", "INITIATED of VOICE"),
        (event(channel="TASK"), f"{CONTACT}.INITIATED", "INITIATED of TASK"),
        (
            event("EVENT_OF_NEXT_YEAR"),
            f"{CONTACT}.EVENT_OF_NEXT_YEAR",
            "EVENT_OF_NEXT_YEAR of VOICE",
        ),
    ],
)
def test_what_adds_nothing_is_kept_and_ignored(told, name, reason):
    assert connect.parse(told, Caller()) == IgnoredEvent("connect", INSTANCE, name, reason)


def test_a_rule_that_matched_is_kept_and_ignored():
    told = event() | {
        "detail-type": "Contact Lens Post Call Rules Matched",
        "detail": {
            "ruleName": "angry",
            "instanceArn": ARN,
            "contactArn": f"{ARN}/contact/{CONTACT}",
        },
    }

    found = connect.parse(told, Caller())

    assert found.reason == "Contact Lens Post Call Rules Matched: angry"
    assert (found.account, found.event_id.partition(".")[0]) == (INSTANCE, CONTACT)


TRANSCRIPT = {
    "Channel": "VOICE",
    "LanguageCode": "zh-CN",
    "CustomerMetadata": {"ContactId": CONTACT, "InstanceId": INSTANCE},
    "Participants": [{"ParticipantId": "CUSTOMER", "ParticipantRole": "CUSTOMER"}],
    "Transcript": [
        {"ParticipantId": "AGENT", "Content": "您好", "BeginOffsetMillis": 0},
        {"ParticipantId": "CUSTOMER", "Content": " 充值\n没到账 ", "BeginOffsetMillis": 65_900},
        {"ParticipantId": "CUSTOMER", "Type": "EVENT"},
        {
            "ParticipantId": "x",
            "ParticipantRole": "AGENT",
            "Content": "马上查",
            "AbsoluteTime": "2026-11-23T05:26:33.120Z",
        },
    ],
}
KEY = "Analysis/Voice/Redacted/2026/11/23/0a5e-contact_analysis_redacted_2026-11-23T05:31:00Z.json"


def test_what_was_said_is_added_to_the_call():
    found = connect.parse_transcript(json.dumps(TRANSCRIPT).encode(), KEY)

    assert found == InboundMessage(
        channel=Channel.VOICE,
        provider="connect",
        account=INSTANCE,
        event_id=f"{CONTACT}.transcript.redacted",
        provider_id=f"{CONTACT}.transcript.redacted",
        sender=Sender(proven=(identity(),)),
        body="[0:00:00] AGENT: 您好\n[0:01:05] CUSTOMER: 充值 没到账\n[05:26:33] AGENT: 马上查",
        context={"contact_id": CONTACT},
        fields={"contact_id": CONTACT, "language": "zh-CN"},
        is_automatic=True,
        is_answerable=False,
        remark=Remark.ADDITION,
        about=CONTACT,
    )


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"CustomerMetadata": {}}', b"\xff"])
def test_a_file_that_is_no_transcript_is_said_to_be_none(content):
    with pytest.raises(UnparseableError):
        connect.parse_transcript(content, KEY)


@settings(max_examples=60, deadline=None)
@given(value=json_values)
def test_any_event_becomes_events_or_unparseable(value):
    told = value if isinstance(value, dict) else {"detail": value}
    outcome(lambda _: [connect.parse(told, LIN)], b"")


def test_any_odd_value_in_an_event_is_survived():
    ended = event("DISCONNECTED", agentInfo={"agentArn": "a"})
    for path in paths(ended):
        for odd in ODD_VALUES:
            told = replaced(ended, path, odd)
            if isinstance(told, dict):
                outcome(lambda _, told=told: [connect.parse(told, LIN)], b"")


def test_any_odd_value_in_a_transcript_is_survived():
    for path in paths(TRANSCRIPT):
        for odd in ODD_VALUES:
            body = json.dumps(replaced(TRANSCRIPT, path, odd)).encode()
            outcome(lambda content: [connect.parse_transcript(content, KEY)], body)
