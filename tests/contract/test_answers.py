"""An answer to each provider's message leaves by that provider, to whoever wrote it."""

import json

import pytest

from caseweave.channels import registry
from caseweave.channels.request import (
    Outgoing,
    ProviderAnswer,
    Refusal,
    Refused,
    Sent,
)
from caseweave.domain.message import Contact
from tests.channels.samples import NOON
from tests.contract.specimens import SPECIMENS

# What each provider says when it has taken a message.
TAKEN = {
    "line": {"sentMessages": [{"id": "900"}]},
    "meta": {"recipient_id": "1", "message_id": "900"},
    "qq": {"id": "900", "timestamp": 1_795_411_473},
    "telegram": {"ok": True, "result": {"message_id": 900, "chat": {"id": 5550001234}}},
    "twilio": {"sid": "900", "status": "queued"},
    "vonage": {"message_uuid": "900"},
    "wechat": {"errcode": 0, "errmsg": "ok", "msgid": 900},
    "wecom": {"errcode": 0, "errmsg": "ok", "msgid": "900"},
    "wecom-kf": {"errcode": 0, "errmsg": "ok", "msgid": "900"},
    "whatsapp": {"messages": [{"id": "900"}]},
}
ANSWERED = tuple(one for one in SPECIMENS if one.name in TAKEN)
senders = pytest.mark.parametrize("specimen", ANSWERED, ids=lambda one: one.name)


def sender_of(specimen):
    return registry.SENDERS[specimen.adapter.PROVIDER]


def test_every_sender_of_the_registry_is_here():
    assert {one.adapter.PROVIDER for one in ANSWERED} == set(registry.SENDERS)


@senders
def test_an_answer_to_a_message_is_a_request_to_its_provider(specimen):
    (said,) = specimen.parse(specimen.signed())
    contact = Contact(
        said.channel,
        said.provider,
        said.account,
        said.sender.proven[0].address,
        NOON,
        said.context,
    )
    answer = Outgoing(contact, "01CASE~2026-11-23T12:00:00.000Z~01MESSAGE", "answer-17")
    credentials = specimen.holding(["new"], access_token="tok-1", channel_access_token="tok-1")

    built = sender_of(specimen).build_send(answer, "https://api.example.com", credentials)

    assert built.url.startswith("https://api.example.com/")
    assert b"answer-17" in built.body
    who = said.sender.proven[0].address.value.rpartition(".")[2].lstrip("+")
    assert who in built.url + built.body.decode()
    assert sender_of(specimen).build_send(answer, "https://api.example.com", credentials) == built


@senders
def test_what_the_provider_took_has_its_id_and_nothing_else_is_called_sent(specimen):
    read = sender_of(specimen).read_answer

    taken = read(ProviderAnswer(200, json.dumps(TAKEN[specimen.name]).encode()))
    assert isinstance(taken, Sent)
    # WeChat numbers templates only.
    assert ("900" in taken.provider_id) == (specimen.name != "wechat")
    for status, body in ((500, b""), (502, b"<html>"), (200, b"\xff"), (200, b"[]")):
        refused = read(ProviderAnswer(status, body))
        assert isinstance(refused, Refused)
        assert refused.kind is Refusal.UNKNOWN
    refused = read(ProviderAnswer(429, b"{}"))
    assert isinstance(refused, Refused)
    # WeChat's answers all have the status 200: who said 429 is not known.
    assert refused.kind is (Refusal.UNKNOWN if specimen.name == "wechat" else Refusal.THROTTLED)
