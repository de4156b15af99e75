"""Providers in every mood: each message is delivered or visibly not, and never sent twice."""

import itertools

import pytest

from caseweave.cli.outside.http import call, call_json
from tests.stack.conftest import wait_for
from tests.stack.numbers import new_phone

_numbers = itertools.count(40_000_000)


@pytest.fixture
def mood(stack):
    """Tell the provider sink how to treat its next calls; it is forgotten afterwards."""
    url = f"{stack.outside.outputs['SinkUrl']}/_sink/faults"

    def set_mood(mode, **more):
        assert call_json("POST", url, {"provider": "twilio", "mode": mode, **more}).status < 300

    yield set_mood
    call("DELETE", url)


def acknowledgement(stack, agent, phone):
    """The acknowledgement in the case of *phone*, or None before it is queued."""
    (address,) = [i for i in stack.items() if i["pk"]["S"] == f"ADDR#phone#{phone}"]
    messages = agent.read_case(address["case_id"]["S"])["messages"]
    return next((m for m in messages if m["direction"] == "outbound"), None)


def wait_for_state(stack, agent, phone, state, seconds=30):
    def reached():
        found = acknowledgement(stack, agent, phone)
        return found if found and found["delivery"]["state"] == state else None

    return wait_for(reached, f"a message that is {state}", seconds)


def accepted(stack, phone):
    return [m for m in stack.received("twilio", phone) if m["status"] == "accepted"]


def test_a_healthy_provider_delivers_and_its_receipt_says_so(stack, agent):
    phone = new_phone()
    stack.outside.send_sms(phone, "hello there")

    message = wait_for_state(stack, agent, phone, "delivered")
    (sent,) = accepted(stack, phone)
    assert message["delivery"]["provider_id"] == sent["provider_id"]


def test_a_refusal_for_good_is_failed_with_the_providers_words(stack, agent, mood):
    phone = new_phone()
    mood("refuse", code=21610)
    stack.outside.send_sms(phone, "hello there")

    message = wait_for_state(stack, agent, phone, "failed")
    assert "21610" in message["delivery"]["error"]
    assert accepted(stack, phone) == []


def test_an_answer_lost_on_the_way_is_unknown_until_the_receipt_tells(stack, agent, mood):
    """The provider took it and the line broke: we say unknown, send nothing again, and learn."""
    phone = new_phone()
    mood("hang_up_after")
    stack.outside.send_sms(phone, "hello there")

    wait_for_state(stack, agent, phone, "delivered")
    assert len(accepted(stack, phone)) == 1


def test_a_line_that_breaks_before_the_provider_read_is_unknown_and_stays_visible(
    stack, agent, mood
):
    phone = new_phone()
    mood("hang_up_before")
    stack.outside.send_sms(phone, "hello there")

    message = wait_for_state(stack, agent, phone, "unknown")
    assert message["delivery"]["error"].startswith("no answer")
    assert accepted(stack, phone) == []


def test_a_throttled_message_goes_out_when_the_queue_brings_it_again(stack, agent, mood):
    phone = new_phone()
    mood("throttle")
    stack.outside.send_sms(phone, "hello there")

    wait_for_state(stack, agent, phone, "delivered", 75)
    assert len(accepted(stack, phone)) == 1


def test_trouble_of_one_channel_stays_in_that_channel(stack, agent, mood):
    phone, user = new_phone(), next(_numbers)
    mood("slow", seconds=4)
    stack.outside.send_sms(phone, "hello there")
    stack.outside.send_telegram({"id": user, "first_name": "T"}, "hello there")

    wait_for(lambda: stack.received("telegram", str(user)), "the answer in Telegram", 15)
    wait_for_state(stack, agent, phone, "delivered", 30)
