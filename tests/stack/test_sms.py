"""SMS at the deployed door: WhatsApp by Twilio, STOP, parts of long texts, and SNS."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from Crypto.PublicKey import RSA

from caseweave.cli.outside.http import call
from caseweave.cli.outside.sns import TOPIC, seal
from caseweave.cli.outside.vonage import vonage_sms
from caseweave.domain.times import to_rfc3339
from tests.stack.conftest import wait_for
from tests.stack.test_providers import acknowledgement, case_with

_numbers = itertools.count(80_000_000)
OURS = "15005550009"


@pytest.fixture(scope="module")
def topic(stack):
    """Posts to the webhook of the SMS topic as SNS does."""
    key = RSA.import_key(stack.outside.secrets["aws_sms"]["private_key"])

    def post(message, signed_by=key, **more):
        url = f"{stack.outside.outputs['ApiUrl']}/intake/sms/aws"
        headers = {"Content-Type": "text/plain; charset=UTF-8"}
        return call("POST", url, seal(signed_by, message, **more), headers)

    return post


@pytest.fixture(scope="module")
def vonage(stack):
    """Posts to the webhook of the SMS API, signed."""

    def post(phone, text, **more):
        delivery = vonage_sms(stack.outside.secrets["vonage"], phone, text, **more)
        return stack.outside.post(delivery)

    return post


def test_whatsapp_by_twilio_is_answered_in_whatsapp(stack, agent):
    phone = f"+86151{next(_numbers)}"
    ours = f"whatsapp:{stack.outside.secrets['twilio']['from']}"
    reply = stack.outside.send_sms(f"whatsapp:{phone}", f"wa {phone}", To=ours, ProfileName="Lin")
    assert reply.status == 200

    file = case_with(stack, agent, f"wa {phone}")
    assert file["case"]["channels"] == ["messenger"]
    (sent,) = wait_for(
        lambda: stack.received("twilio", f"whatsapp:{phone}"), "the answer in WhatsApp"
    )
    assert sent["from"] == ours
    acknowledgement(agent, file["case"]["id"], "delivered")


def test_after_stop_nothing_but_its_confirmation_leaves_and_agents_see_why(stack, agent, vonage):
    phone = f"86152{next(_numbers)}"
    vonage(phone, f"question {phone}")
    file = case_with(stack, agent, f"question {phone}")
    wait_for(lambda: stack.received("vonage", phone), "the acknowledgement")
    vonage(phone, "退订。")
    wait_for(lambda: len(stack.received("vonage", phone)) == 2, "the confirmation")

    name = file["case"]["id"]
    assert agent.post(f"/v1/cases/{name}/messages", {"body": "are you there?"}).status < 300

    def failed():
        found = [m for m in agent.read_case(name)["messages"] if m["purpose"] == "reply"]
        return found[0]["delivery"] if found[0]["delivery"]["state"] == "failed" else None

    error = wait_for(failed, "the refusal")["error"]
    assert error.startswith("the customer sent STOP at ")
    assert len(stack.received("vonage", phone)) == 2


def test_the_parts_of_a_long_sms_become_one_message(stack, agent, vonage):
    phone = f"86153{next(_numbers)}"
    more = {"concat": "true", "concat_ref": "7", "concat_total": "2"}
    assert vonage(phone, f" world {phone}", concat_part="2", **more).status == 200
    assert vonage(phone, "hello", concat_part="1", **more).status == 200

    file = case_with(stack, agent, f"hello world {phone}")
    assert [m["direction"] for m in file["messages"]].count("inbound") == 1


def test_what_never_becomes_whole_is_a_message_all_the_same(stack, agent, vonage):
    phone = f"86154{next(_numbers)}"
    more = {"concat": "true", "concat_ref": "7", "concat_total": "2"}
    vonage(phone, f"alone {phone} ", concat_part="1", **more)
    later = to_rfc3339(datetime.now(UTC) + timedelta(minutes=5))

    stack.invoke("PartsFunction", json.dumps({"now": later}).encode())

    case_with(stack, agent, f"alone {phone} [… 缺第 2/2 段 · part 2 of 2 is missing …]")


def test_an_sms_by_sns_is_answered_by_aws_and_its_event_settles_the_answer(stack, agent, topic):
    phone = f"+86155{next(_numbers)}"
    sms = {
        "originationNumber": phone,
        "destinationNumber": "+15005550010",
        "messageKeyword": "KEYWORD",
        "messageBody": f"sns {phone}",
        "inboundMessageId": str(uuid4()),
    }
    assert topic(sms).status == 200

    name = case_with(stack, agent, f"sns {phone}")["case"]["id"]
    acknowledgement(agent, name, "accepted")
    (sent,) = stack.received("aws", phone)
    assert sent["from"] == "+15005550010"
    event = {
        "eventType": "TEXT_DELIVERED",
        "messageId": sent["provider_id"],
        "originationPhoneNumber": "+15005550010",
        "context": sent["request"]["Context"],
    }
    assert topic(event).status == 200
    acknowledgement(agent, name, "delivered")


def test_an_offered_subscription_is_confirmed(stack, topic):
    url = (
        f"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t"
    )

    reply = topic("You have chosen …", Type="SubscriptionConfirmation", SubscribeURL=url, Token="t")

    assert reply.status == 200


def test_sns_is_nobody_elses(stack, topic):
    assert topic("{}", signed_by=RSA.generate(2048)).status == 403
    assert topic("{}", TopicArn="arn:aws:sns:us-east-1:999999999999:x").status == 403


def test_a_call_is_greeted_kept_and_answered_by_sms(stack, agent):
    phone, sid = f"+86156{next(_numbers)}", f"CA{uuid4().hex}"
    said = stack.outside.call_hotline(phone, sid)
    assert said.status == 200
    assert b"<Say" in said.body
    assert b"<Record" in said.body
    spoken = {"TranscriptionSid": f"TR{next(_numbers)}", "TranscriptionText": f"spoken {phone}"}
    stack.outside.call_hotline(phone, sid, CallStatus="completed", **spoken)

    file = case_with(stack, agent, f"spoken {phone}")
    assert file["case"]["channels"] == ["voice"]
    acknowledgement(agent, file["case"]["id"], "delivered")
    (sent,) = stack.received("twilio", phone)
    assert sent["from"] == stack.outside.secrets["twilio"]["from"]


def test_a_call_that_nobody_signed_is_refused(stack):
    reply = stack.outside.post_twilio({"CallSid": "CA1"}, signature="no", address="voice_url")

    assert reply.status == 403
