"""Long answers, files, quick replies and answers to one message, out of the deployed stack."""

import hashlib
import itertools

import pytest

from caseweave.cli.outside.customers import write_mail
from caseweave.cli.outside.http import call, call_json
from tests.stack.conftest import wait_for
from tests.stack.numbers import new_phone
from tests.stack.test_providers import Providers

_numbers = itertools.count(50_000_000)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(500)


@pytest.fixture(scope="module")
def providers(stack):
    return Providers(stack.outside)


@pytest.fixture
def mood(stack):
    """Tell a provider of the sink how to treat its next calls; it is forgotten afterwards."""
    url = f"{stack.outside.outputs['SinkUrl']}/_sink/faults"

    def set_mood(provider, mode, **more):
        asked = {"provider": provider, "mode": mode, **more}
        assert call_json("POST", url, asked).status < 300

    yield set_mood
    call("DELETE", url)


def case_with(stack, agent, body, acknowledged="accepted"):
    """The case that holds a message with this body, once it was acknowledged."""

    def find():
        found = [i for i in stack.items() if i.get("body", {}).get("S", "").strip() == body]
        file = agent.read_case(found[0]["pk"]["S"].removeprefix("CASE#")) if found else None
        sent = [m for m in file["messages"] if m["delivery"]] if file else []
        return file if sent and sent[0]["delivery"]["provider_id"] else None

    return wait_for(find, f"an acknowledged case with {body!r}")


def answer(agent, file, **said):
    """The id of a reply, queued."""
    reply = agent.post(f"/v1/cases/{file['case']['id']}/messages", said)
    assert reply.status == 201, reply.body
    return reply.json()["message_id"]


def wait_until(agent, file, message_id, *states):
    def reached():
        messages = agent.read_case(file["case"]["id"])["messages"]
        (found,) = [m for m in messages if m["id"] == message_id]
        return found if found["delivery"]["state"] in states else None

    return wait_for(reached, f"a message that is {' or '.join(states)}", 60)


def upload(agent, file, name, content, media_type="image/png"):
    """What to write into a reply's attachments."""
    said = {
        "name": name,
        "media_type": media_type,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    reply = agent.post(f"/v1/cases/{file['case']['id']}/uploads", said)
    assert reply.status == 201, reply.body
    target = reply.json()["upload"]
    put = call(target["method"], target["url"], content, target["headers"])
    assert put.status == 200, put.body
    return reply.json()["attachment"]


def sent_since(stack, provider, to, count):
    """What the provider took after the first *count*."""
    return [m for m in stack.received(provider, to) if m["status"] == "accepted"][count:]


def paragraphs(count, length):
    return "\n\n".join(f"{n} " + "字" * length + "。" for n in range(1, count + 1))


@pytest.fixture
def telegram_case(stack, agent):
    user = next(_numbers)
    stack.outside.send_telegram({"id": user, "first_name": "T"}, f"telegram {user}")
    return str(user), case_with(stack, agent, f"telegram {user}")


@pytest.fixture
def whatsapp_case(stack, agent, providers):
    phone = f"86135{next(_numbers)}"
    providers.whatsapp_text(phone, f"whatsapp {phone}")
    return phone, case_with(stack, agent, f"whatsapp {phone}")


def test_telegram_gets_a_file_a_long_text_in_order_and_keys_under_the_last(
    stack, agent, telegram_case
):
    user, file = telegram_case
    text = paragraphs(3, 2500)

    sent = answer(
        agent,
        file,
        body=text,
        attachments=[upload(agent, file, "shot.png", PNG)],
        quick_replies=["到账了", "没有"],
        reply_to=file["messages"][0]["id"],
    )

    message = wait_until(agent, file, sent, "accepted")
    picture, *texts = sent_since(stack, "telegram", user, 1)
    assert call("GET", picture["media"][0]).body == PNG
    assert picture["reply_to"] == file["messages"][0]["provider_id"].rpartition(".")[2]
    assert "".join(one["body"] for one in texts) == text
    assert [one["quick_replies"] for one in texts] == [[], [], ["到账了", "没有"]]
    ids = [f"{user}.{one['provider_id']}" for one in (picture, *texts)]
    assert [part["provider_id"] for part in message["delivery"]["parts"]] == ids


def test_whatsapp_gets_a_long_text_then_buttons_and_a_refused_part_fails_it(
    stack, agent, whatsapp_case, mood
):
    phone, file = whatsapp_case
    text = paragraphs(2, 2500)
    sent = answer(agent, file, body=text, quick_replies=["Yes", "No"], attachments=[])

    wait_until(agent, file, sent, "accepted")
    parts = sent_since(stack, "whatsapp", phone, 1)
    assert "".join(one["body"] for one in parts) == text
    assert parts[-1]["request"]["type"] == "interactive"
    assert parts[-1]["quick_replies"] == ["Yes", "No"]

    mood("whatsapp", "refuse", code=131047)
    message = wait_until(agent, file, answer(agent, file, body="still there?"), "failed")
    assert message["delivery"]["refusal"] == "window_closed"
    assert "Use another channel" in message["delivery"]["advice"]["en"]
    assert "131047" in message["delivery"]["error"]


def test_throttled_between_two_parts_nothing_is_sent_twice(stack, agent, whatsapp_case, mood):
    phone, file = whatsapp_case
    text = paragraphs(2, 2500)
    mood("whatsapp", "slow", seconds=0)
    mood("whatsapp", "throttle")

    sent = answer(agent, file, body=text)

    wait_until(agent, file, sent, "accepted")
    assert "".join(one["body"] for one in sent_since(stack, "whatsapp", phone, 1)) == text


def test_a_long_sms_leaves_in_numbered_parts_with_a_link_to_the_file(stack, agent):
    phone = new_phone()
    stack.outside.send_sms(phone, f"sms {phone}")
    file = case_with(stack, agent, f"sms {phone}")
    text = paragraphs(2, 1200)

    sent = answer(
        agent,
        file,
        body=text,
        attachments=[upload(agent, file, "截图.png", PNG)],
        quick_replies=["Yes"],
    )

    def parts():
        return wait_until(agent, file, sent, "delivered")["delivery"]["parts"]

    # The receipt of the last part may overtake the others.
    delivered = ["delivered"] * 3
    wait_for(lambda: [part["state"] for part in parts()] == delivered, "three receipts")
    link, *texts = sent_since(stack, "twilio", phone, 1)
    assert [one["body"][:6] for one in (link, *texts)] == ["(1/3) ", "(2/3) ", "(3/3) "]
    assert "".join(one["body"][6:] for one in texts) == f"{text}\n\n1. Yes"
    path = link["body"].rpartition("/live/")[2]
    followed = call("GET", f"{stack.outside.outputs['ApiUrl']}/{path}")
    assert followed.status == 302, followed.body
    assert call("GET", followed.headers["Location"]).body == PNG
    assert call("GET", f"{stack.outside.outputs['ApiUrl']}/{path}x").status == 404


def test_a_mail_encloses_the_file_and_answers_the_very_mail(stack, agent):
    sender = f"lin{next(_numbers)}@example.com"
    first = write_mail(sender, "first", f"mail one {sender}")
    stack.outside.deliver_mail(first)
    file = case_with(stack, agent, f"mail one {sender}")
    stack.outside.deliver_mail(write_mail(sender, "second", f"mail two {sender}"))
    case_with(stack, agent, f"mail two {sender}")

    sent = answer(
        agent,
        file,
        body="See the picture.",
        attachments=[upload(agent, file, "shot.png", PNG)],
        quick_replies=["Yes", "No"],
        reply_to=file["messages"][0]["id"],
    )

    wait_until(agent, file, sent, "accepted")
    (mail,) = [m for m in stack.received("ses", sender) if m["body"].startswith("See the")]
    assert mail["media"] == ["shot.png"]
    assert mail["reply_to"] == first["Message-ID"]
    assert mail["body"].splitlines() == ["See the picture.", "", "1. Yes", "2. No"]


def test_the_customers_page_shows_files_and_quick_replies(stack, agent):
    outside = stack.outside
    form = {"message": f"page {next(_numbers)}", "product": "game-topup"}
    opened = outside.send_form("topup", form).json()
    file = case_with(stack, agent, form["message"])

    sent = answer(
        agent,
        file,
        body="Did it arrive?",
        attachments=[upload(agent, file, "shot.png", PNG)],
        quick_replies=["Yes", "No"],
    )

    wait_until(agent, file, sent, "accepted", "delivered")
    items = outside.read_answers(opened["session"]).json()["items"]
    (shown,) = [one for one in items if one["id"] == sent]
    assert shown["quick_replies"] == ["Yes", "No"]
    assert call("GET", shown["attachments"][0]["url"]).body == PNG


def test_a_file_that_is_not_what_was_told_is_not_sent(stack, agent, telegram_case):
    _, file = telegram_case
    told = upload(agent, file, "shot.png", PNG)
    path = f"/v1/cases/{file['case']['id']}/messages"

    for wrong in (told | {"sha256": "0" * 64}, told | {"size": len(PNG) + 1}):
        refused = agent.post(path, {"body": "see", "attachments": [wrong]})
        assert refused.status == 422
        assert refused.json()["errors"][0]["field"] == "attachments"


def test_a_blocked_bot_and_a_broken_token_are_told_apart(stack, agent, telegram_case, mood):
    _, file = telegram_case
    mood("telegram", "refuse", code=403)
    blocked = wait_until(agent, file, answer(agent, file, body="hello"), "failed")
    assert blocked["delivery"]["refusal"] == "opted_out"

    mood("telegram", "refuse", code=401)
    # Not the message's fault: it leaves once ops have mended the token.
    wait_until(agent, file, answer(agent, file, body="again"), "accepted")
