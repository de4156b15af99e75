"""A provider's challenge at the door: answered, and kept nowhere; an old event: refused."""

import json
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus

import pytest

from caseweave.channels.credentials import Credentials
from caseweave.channels.qq_signature import sign
from caseweave.channels.registry import MESSENGERS
from caseweave.channels.request import WebhookRequest
from caseweave.errors import InvalidSignatureError
from caseweave.http import Answer
from caseweave.webhooks import receive_webhook
from tests.usecases.world import NOON

BOT = Credentials("qq", {"app_id": "1020000001", "app_secret": "s3cret"})
CHALLENGE = WebhookRequest(b'{"d":{"plain_token":"Arq0D5A6","event_ts":"1725442341"},"op":13}')
SAID = {"id": "M1", "author": {"user_openid": "E4F4"}, "content": "还没到账"}


def event(at=NOON):
    body = json.dumps({"id": "E1", "op": 0, "t": "C2C_MESSAGE_CREATE", "d": SAID}).encode()
    seconds = str(int(at.timestamp()))
    headers = {
        "x-signature-timestamp": seconds,
        "x-signature-ed25519": sign(seconds.encode() + body, "s3cret"),
    }
    return WebhookRequest(body, headers)


def receive(request, door, now=NOON):
    retention = timedelta(days=400)
    return receive_webhook("qq", MESSENGERS, request, lambda _: BOT, lambda: door, retention, now)


def test_a_challenge_is_answered_and_kept_nowhere(table, door, dump):
    answer = receive(CHALLENGE, door)

    assert (answer.status, answer.content_type) == (HTTPStatus.OK, "application/json")
    signature = sign(b"1725442341Arq0D5A6", "s3cret")
    assert json.loads(answer.body) == {"plain_token": "Arq0D5A6", "signature": signature}
    assert dump() == []


def test_a_signed_challenge_is_answered_too(table, door, dump):
    seconds = "1725442341"
    signature = sign(seconds.encode() + CHALLENGE.body, "s3cret")
    headers = {"x-signature-timestamp": seconds, "x-signature-ed25519": signature}

    assert "Arq0D5A6" in receive(replace(CHALLENGE, headers=headers), door).body
    assert dump() == []


def test_an_event_is_kept_and_acknowledged(table, door, dump):
    assert receive(event(), door) == Answer(HTTPStatus.OK, '{"op":12}')
    assert any(item["pk"]["S"].startswith("CASE#") for item in dump())


def test_which_bot_an_event_was_for_is_kept_for_a_replay(table, door, dump):
    request = event()
    of_bot = replace(request, headers={**request.headers, "x-bot-appid": "1020000001"})

    receive(of_bot, door)

    (kept,) = [item for item in dump() if item["pk"]["S"].startswith("IN#")]
    assert "x-bot-appid" in str(kept)
    assert request.headers["x-signature-ed25519"] not in str(kept)


@pytest.mark.parametrize("age", [timedelta(hours=2), timedelta(days=30), timedelta(hours=-2)])
def test_an_event_of_another_time_is_refused_and_kept_nowhere(table, door, dump, age):
    with pytest.raises(InvalidSignatureError):
        receive(event(), door, NOON + age)

    assert dump() == []
