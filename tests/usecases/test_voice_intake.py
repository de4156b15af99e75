"""A phone call, from the webhook to the case: one message, its recording, its transcript."""

from caseweave.domain.case import CaseState
from caseweave.domain.event import Actor
from caseweave.domain.handling import set_state
from caseweave.domain.message import Channel
from caseweave.storage import cases
from caseweave.voice_intake import receive_call
from tests.channels.samples import twilio_request
from tests.channels.test_twilio_voice import ACCOUNT, CALL, RECORDING, URL, WHO
from tests.usecases.world import NOON, YEAR

BACK = f"{URL}?From=%2B8613800138000&To=%2B15550001111&StirVerstat=TN-Validation-Passed-A"


def tell(form, desk, door, url=URL, query=()):
    request = twilio_request(list(form.items()), url=url, query=query)
    return receive_call("twilio", request, desk, lambda _: ACCOUNT, lambda: door, YEAR, NOON)


def messages(dump):
    (case_id,) = {item["pk"]["S"] for item in dump() if item["kind"]["S"] == "case"}
    return cases.read_file(case_id.removeprefix("CASE#")).messages


def test_a_call_its_recording_and_its_transcript_are_in_one_case(table, door, desk, dump):
    answer = tell(CALL, desk, door)
    tell(RECORDING, desk, door, BACK, WHO)
    spoken = {"TranscriptionSid": "TR1", "TranscriptionText": "not arrived"}
    tell(CALL | {"CallStatus": "completed"} | spoken, desk, door, BACK, WHO)

    assert answer.content_type == "text/xml"
    assert answer.body.startswith('<?xml version="1.0" encoding="UTF-8"?><Response><Say')
    assert [(m.channel, m.body) for m in messages(dump)] == [
        (Channel.VOICE, "[电话 · phone call]"),
        (Channel.VOICE, "[录音 · recording, 17 s]"),
        (Channel.VOICE, "not arrived"),
    ]


def test_twilios_retry_of_a_call_changes_nothing_and_hears_the_same(table, door, desk, dump):
    first = tell(CALL, desk, door)
    before = dump()

    assert tell(CALL, desk, door) == first
    assert dump() == before


def test_two_callers_who_hide_their_numbers_are_two_customers(table, door, desk, dump):
    tell(CALL | {"From": "anonymous"}, desk, door)
    tell(CALL | {"From": "anonymous", "CallSid": "CA2"}, desk, door)

    assert len([item for item in dump() if item["kind"]["S"] == "case"]) == 2


def test_the_recording_of_who_hides_the_number_is_in_the_case_of_the_call(table, door, desk, dump):
    tell(CALL | {"From": "anonymous"}, desk, door)
    who = (("From", "anonymous"), ("To", "+15550001111"))
    tell(RECORDING, desk, door, f"{URL}?From=anonymous&To=%2B15550001111", who)

    assert len(messages(dump)) == 2


def test_what_follows_a_call_stays_in_its_case_even_if_that_is_closed(table, door, desk, dump):
    tell(CALL, desk, door)
    (head,) = [item for item in dump() if item["kind"]["S"] == "case"]
    case = cases.read_head(head["pk"]["S"].removeprefix("CASE#"))
    agent = Actor("agent", "ling")
    cases.commit_change(set_state(case, CaseState.CLOSED, "done", desk, agent, NOON, "Q1"))

    tell(RECORDING, desk, door, BACK, WHO)

    assert [m.body for m in messages(dump)] == ["[电话 · phone call]", "[录音 · recording, 17 s]"]
