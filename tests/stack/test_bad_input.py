"""Rubbish at the door: refused without a trace, or kept; never a 5xx, never a loss."""

import itertools
import json
import uuid

import pytest

from caseweave.cli.outside.customers import write_mail
from caseweave.cli.outside.http import call
from tests.stack.conftest import wait_for

PROBLEM = "application/problem+json"
_numbers = itertools.count(20_000_000)


def new_phone():
    return f"+86138{next(_numbers)}"


def post(stack, path, body=b"{}", **headers):
    url = stack.outside.outputs["ApiUrl"] + path
    return call("POST", url, body, {name.replace("_", "-"): v for name, v in headers.items()})


@pytest.mark.parametrize(
    "path",
    [
        "/intake/sms/nobody",
        "/intake/messenger/nobody",
        "/intake/web/forms/No_Such_Form!",
        "/intake/web/forms/refunds",
    ],
)
def test_an_unknown_provider_or_form_is_not_found(stack, path):
    reply = post(stack, path)

    assert reply.status == 404
    assert reply.json()["status"] == 404


@pytest.mark.parametrize("signature", ["", "wrong", "AAAA" * 7, "é"])
def test_a_wrong_twilio_signature_is_refused_and_leaves_nothing(stack, signature):
    before = len(stack.items())
    form = {"MessageSid": f"SM{uuid.uuid4().hex}", "From": new_phone(), "Body": "hi"}

    reply = stack.outside.post_twilio(form, signature=signature)

    assert reply.status == 403
    assert b"signature" not in reply.body.lower()
    assert not [i for i in stack.items() if form["MessageSid"] in i["pk"]["S"]]
    assert len(stack.items()) >= before


@pytest.mark.parametrize("secret", ["", "wrong"])
def test_a_wrong_telegram_secret_is_refused_and_leaves_nothing(stack, secret):
    update_id = next(_numbers)

    reply = stack.outside.post_telegram({"update_id": update_id}, secret=secret)

    assert reply.status == 403
    assert not [i for i in stack.items() if str(update_id) in i["pk"]["S"]]


def test_a_right_signature_over_another_body_is_refused(stack):
    secret = stack.outside.secrets["twilio"]
    good = {"MessageSid": "SM1", "From": new_phone(), "Body": "hi", "To": secret["from"]}
    from_wire = stack.outside.post_twilio(good, signature="x" * 28)

    assert from_wire.status == 403


def test_a_replayed_event_is_answered_and_changes_nothing(stack):
    phone, sid = new_phone(), f"SM{uuid.uuid4().hex}"
    stack.outside.send_sms(phone, "once", sid=sid)
    wait_for(lambda: stack.received("twilio", phone), "the acknowledgement")

    reply = stack.outside.send_sms(phone, "once", sid=sid)

    assert reply.status == 200
    bodies = [
        i
        for i in stack.items()
        if i.get("body", {}).get("S") == "once" and i.get("author", {}).get("S") == f"phone:{phone}"
    ]
    assert len(bodies) == 1


def test_a_body_over_the_limit_is_413_and_not_read(stack):
    huge = json.dumps({"message": "x" * 300_000}).encode()

    assert post(stack, "/intake/web/forms/contact", huge).status == 413
    assert stack.outside.post_telegram(huge).status == 413


@pytest.mark.parametrize(
    "body",
    ["🤯🧨" * 20, "x" * 100_000, "nul\x00 nul\x00", "\ufeff\u202e rtl", "字" * 40_000],
    ids=["emoji", "100kB", "NUL", "marks", "120kB of Chinese"],
)
def test_any_text_in_a_form_becomes_a_message(stack, agent, body):
    reply = stack.outside.send_form("contact", {"message": body})

    assert reply.status == 201
    (message,) = [
        m
        for m in agent.read_case(reply.json()["reference"])["messages"]
        if m["direction"] == "inbound"
    ]
    assert message["body"] == body


@pytest.mark.parametrize("body", ["", "🤯", "x" * 100_000, "nul\x00"], ids=str.__len__)
def test_any_text_by_sms_becomes_a_message(stack, body):
    phone = new_phone()

    assert stack.outside.send_sms(phone, body).status == 200
    assert [i for i in stack.items() if i.get("author", {}).get("S") == f"phone:{phone}"]


@pytest.mark.parametrize(
    "body",
    [b"", b"not json", b"[]", b"\xff\xfe\x00", b'"text"', b"{" * 5000, b"[" * 100_000],
    ids=["empty", "words", "list", "bytes", "string", "braces", "deep"],
)
def test_a_verified_body_nobody_understands_is_kept_as_quarantined(stack, lead, body):
    reply = stack.outside.post_telegram(body)

    assert reply.status == 200
    kept = lead.get("/v1/quarantine").json()["items"]
    assert any(one["provider"] == "telegram" for one in kept)


def test_invalid_utf8_in_a_form_is_kept_with_replacement_characters(stack, agent):
    reply = post(
        stack,
        "/intake/web/forms/contact",
        b'{"message": "caf\xe9 \xff"}',
        Content_Type="application/json",
    )

    assert reply.status == 201
    (message,) = [
        m
        for m in agent.read_case(reply.json()["reference"])["messages"]
        if m["direction"] == "inbound"
    ]
    assert message["body"] == "caf\ufffd \ufffd"


def test_a_plain_html_form_works_too(stack):
    reply = post(
        stack,
        "/intake/web/forms/contact",
        b"message=%E4%BD%A0%E5%A5%BD&name=Lin",
        Content_Type="application/x-www-form-urlencoded",
    )

    assert reply.status == 201


def test_malformed_json_from_a_page_is_kept_for_people(stack):
    reply = post(stack, "/intake/web/forms/contact", b"{oops", Content_Type="application/json")

    assert (reply.status, reply.json()) == (202, {"state": "quarantined", "reference": None})


@pytest.mark.parametrize("token", ["rubbish", "a.b.c", "e30.e30."])
def test_a_sign_in_that_does_not_hold_is_refused_not_taken_as_anonymous(stack, token):
    assert stack.outside.send_form("contact", {"message": "hi"}, token=token).status == 403


def test_a_forged_session_shows_nothing(stack):
    assert stack.outside.read_answers("A" * 43).status == 404


def test_a_mail_without_message_id_date_and_from_is_a_case(stack):
    marker = f"headless {uuid.uuid4().hex}"
    stack.outside.deliver_mail(f"Subject: x\r\n\r\n{marker}\r\n".encode())

    wait_for(
        lambda: [i for i in stack.items() if i.get("body", {}).get("S", "").strip() == marker],
        "the mail without headers",
    )


@pytest.mark.parametrize("raw", [b"", b"\x00\xff\xfe", b"no headers at all", b"\n\n\n"])
def test_no_mail_is_too_broken_to_be_kept(stack, raw):
    key = stack.outside.deliver_mail(raw)

    wait_for(
        lambda: [i for i in stack.items() if key in i.get("body_ref", {}).get("S", "")],
        "the broken mail in the ledger",
    )


def test_an_automatic_mail_is_kept_and_never_answered(stack):
    sender = f"robot{next(_numbers)}@example.org"
    mail = write_mail(sender, "Out of office", f"away {sender}", Auto_Submitted="auto-replied")
    stack.outside.deliver_mail(mail)
    wait_for(
        lambda: [i for i in stack.items() if i.get("body", {}).get("S") == f"away {sender}\n"],
        "the automatic mail",
    )
    human = f"human{next(_numbers)}@example.org"
    stack.outside.deliver_mail(write_mail(human, "Hello", "a person"))
    wait_for(lambda: stack.received("ses", human), "the answer to a person behind it")

    assert stack.received("ses", sender) == []


def test_what_is_still_not_understood_stays_quarantined_when_replayed(stack, agent, lead):
    stack.outside.post_telegram(b"{never json")

    replayed = lead.post("/v1/quarantine/replay", {})

    assert replayed.status == 200
    assert all(not one["understood"] for one in replayed.json()["items"])
    assert len(replayed.json()["items"]) >= 1
    assert agent.post("/v1/quarantine/replay", {}).status == 403
