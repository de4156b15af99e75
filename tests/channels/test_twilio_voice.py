"""Twilio Voice: a call, its recording, its transcript; and what the caller hears."""

from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.channels import twilio, twilio_voice
from caseweave.channels.request import WebhookRequest
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import (
    Attachment,
    Channel,
    IgnoredEvent,
    InboundMessage,
    Remark,
)
from caseweave.errors import InvalidSignatureError, MissingSecretError, UnparseableError
from tests.channels.samples import twilio_account, twilio_request

URL = "https://desk.example.com/prod/intake/voice/twilio"
ACCOUNT = twilio_account(voice_url=URL)
CALL = {
    "CallSid": "CA1",
    "AccountSid": "AC7f3d2b",
    "From": "+8613800138000",
    "To": "+15550001111",
    "CallStatus": "ringing",
    "Direction": "inbound",
    "StirVerstat": "TN-Validation-Passed-A",
    "ApiVersion": "2010-04-01",
}
RECORDING = {
    "CallSid": "CA1",
    "AccountSid": "AC7f3d2b",
    "RecordingSid": "RE1",
    "RecordingUrl": "https://api.twilio.com/2010-04-01/Accounts/AC7f3d2b/Recordings/RE1",
    "RecordingStatus": "completed",
    "RecordingDuration": "17",
}
WHO = (
    ("From", "+8613800138000"),
    ("To", "+15550001111"),
    ("StirVerstat", "TN-Validation-Passed-A"),
)
PHONE = ProvenAddress(Address(AddressKind.PHONE, "+8613800138000"), Proof.PROVIDER)
GREETING = {"zh-CN": "您好 <客服>", "en": "Hello & welcome"}
THANKS = {"zh-CN": "再见", "en": "Bye"}


def parse(form, query=()):
    return twilio_voice.parse(WebhookRequest(urlencode(form).encode(), query=query), ACCOUNT)


def hear(form, query=()):
    request = WebhookRequest(urlencode(form).encode(), query=query)
    return ET.fromstring(twilio_voice.answer_call(request, ACCOUNT, GREETING, THANKS))


def call_message(**changes):
    return InboundMessage(
        **{
            "channel": Channel.VOICE,
            "provider": "twilio",
            "account": "AC7f3d2b",
            "event_id": "CA1",
            "provider_id": "CA1",
            "sender": Sender(proven=(PHONE,)),
            "body": "[电话 · phone call]",
            "context": {"to": "+15550001111"},
            "fields": {"caller_id": "TN-Validation-Passed-A"},
            **changes,
        }
    )


def test_a_call_is_a_message_of_the_number_at_once():
    assert parse(CALL) == [call_message()]


def test_the_recording_is_an_addition_to_the_call_by_who_called():
    file = Attachment(
        name="RE1.mp3",
        media_type="audio/mpeg",
        provider_ref=RECORDING["RecordingUrl"] + ".mp3",
    )
    assert parse(RECORDING, WHO) == [
        call_message(
            event_id="RE1",
            provider_id="RE1",
            body="[录音 · recording, 17 s]",
            attachments=(file,),
            remark=Remark.ADDITION,
            about="CA1",
        )
    ]


def test_the_transcript_is_an_addition_to_the_call():
    said = {
        "TranscriptionSid": "TR1",
        "TranscriptionText": "my top-up has not arrived",
        "TranscriptionStatus": "completed",
        "RecordingSid": "RE1",
        "RecordingUrl": RECORDING["RecordingUrl"],
    }
    assert parse(CALL | {"CallStatus": "completed"} | said) == [
        call_message(
            event_id="TR1",
            provider_id="TR1",
            body="my top-up has not arrived",
            remark=Remark.ADDITION,
            about="CA1",
        )
    ]


@pytest.mark.parametrize(
    "number",
    ["anonymous", "", "+266696687", "+7378742833", "+86282452253", "unknown", "sip:x@y", "+1٢345"],
)
def test_who_hides_the_number_is_nobody_we_know(number):
    (message,) = parse(CALL | {"From": number})

    nobody = Address(AddressKind.UNPROVEN, "call.CA1")
    assert message.sender == Sender(proven=(ProvenAddress(nobody, Proof.NONE),))
    assert not message.is_answerable


@pytest.mark.parametrize(
    ("verdict", "proof"),
    [
        ("TN-Validation-Failed-A", Proof.REFUTED),
        ("TN-Validation-Passed-B", Proof.NONE),
        ("No-TN-Validation", Proof.NONE),
        ("", Proof.NONE),
    ],
)
def test_a_number_that_no_network_vouches_for_is_only_claimed(verdict, proof):
    (message,) = parse(CALL | {"StirVerstat": verdict})

    nobody = ProvenAddress(Address(AddressKind.UNPROVEN, "call.CA1"), proof)
    assert message.sender == Sender(proven=(nobody,), claims=(PHONE.address,))
    assert message.fields == ({"caller_id": verdict} if verdict else {})
    assert not message.is_answerable


def test_ops_may_choose_to_trust_the_numbers_that_are_shown():
    trusting = twilio_account(voice_url=URL, caller_numbers="trusted")
    form = CALL | {"StirVerstat": "No-TN-Validation"}

    (message,) = twilio_voice.parse(WebhookRequest(urlencode(form).encode()), trusting)

    assert message.sender == Sender(proven=(PHONE,))


@pytest.mark.parametrize(
    ("form", "query", "name", "reason"),
    [
        (CALL | {"CallStatus": "completed"}, (), "CA1.completed", "the call is completed"),
        (CALL | {"CallStatus": "no-answer"}, (), "CA1.no-answer", "the call is no-answer"),
        (CALL, (("step", "done"),), "CA1.ringing", "the call is ringing"),
        (RECORDING | {"RecordingStatus": "absent"}, (), "RE1.absent", "a recording is absent"),
        (
            CALL | {"TranscriptionSid": "TR1", "TranscriptionStatus": "failed"},
            (),
            "TR1",
            "a transcript is failed",
        ),
    ],
)
def test_other_news_of_a_call_is_known_and_ignored(form, query, name, reason):
    assert parse(form, query) == [IgnoredEvent("twilio", "AC7f3d2b", name, reason)]


@pytest.mark.parametrize(
    "form", [{}, {"CallSid": ""}, {"CallSid": "x" * 201}, RECORDING | {"RecordingSid": ""}]
)
def test_what_has_no_id_is_unparseable(form):
    with pytest.raises(UnparseableError):
        parse(form)


def test_a_replay_that_knows_only_the_provider_reads_a_call_too():
    request = WebhookRequest(urlencode(CALL).encode())

    assert twilio.parse(request, ACCOUNT) == [call_message()]


@given(st.dictionaries(st.sampled_from([*CALL, *RECORDING, "TranscriptionSid"]), st.text()))
def test_any_values_are_an_event_or_unparseable(values):
    request = WebhookRequest(urlencode(values).encode())
    try:
        (event,) = twilio_voice.parse(request, ACCOUNT)
    except UnparseableError:
        return
    assert isinstance(event, InboundMessage | IgnoredEvent)


def test_the_caller_hears_both_languages_and_is_recorded():
    said = hear(CALL)

    assert [(one.tag, one.get("language"), one.text) for one in said[:2]] == [
        ("Say", "zh-CN", "您好 <客服>"),
        ("Say", "en", "Hello & welcome"),
    ]
    record = said[2]
    back = f"{URL}?From=%2B8613800138000&To=%2B15550001111&StirVerstat=TN-Validation-Passed-A"
    assert record.attrib == {
        "maxLength": "300",
        "playBeep": "true",
        "action": f"{URL}?step=done",
        "recordingStatusCallback": back,
        "transcribe": "true",
        "transcribeCallback": back,
    }


def test_after_the_recording_the_caller_is_thanked_and_not_greeted_again():
    said = hear(CALL | {"CallStatus": "in-progress"}, (("step", "done"),))

    assert [one.tag for one in said] == ["Say", "Say", "Hangup"]


@pytest.mark.parametrize("form", [RECORDING, CALL | {"CallStatus": "completed"}])
def test_a_callback_is_told_nothing(form):
    assert list(hear(form)) == []


def test_the_signature_is_over_the_address_of_the_calls():
    twilio_voice.verify(twilio_request(list(CALL.items()), url=URL), ACCOUNT)

    with pytest.raises(InvalidSignatureError):
        twilio_voice.verify(twilio_request(list(CALL.items())), ACCOUNT)
    with pytest.raises(MissingSecretError, match="voice_url"):
        twilio_voice.verify(twilio_request(list(CALL.items())), twilio_account())


def test_the_address_that_we_gave_for_callbacks_is_signed_with_its_query():
    signed = f"{URL}?From=%2B8613800138000&To=%2B15550001111&StirVerstat=TN-Validation-Passed-A"
    request = twilio_request(list(RECORDING.items()), url=signed, query=WHO)

    twilio_voice.verify(request, ACCOUNT)
