"""Whatever came in by whichever door can be read again from what was kept, and changes nothing."""

import json

import boto3
import pytest

from caseweave.channels.mail_registry import MAIL
from caseweave.channels.registry import MESSENGERS, SMS
from caseweave.replay import Outcome, Replayed, Replayer
from caseweave.storage.ledger_pages import LedgerFilter, list_all
from caseweave.webhooks import receive_webhook
from tests.channels.test_accounts import BOTS, told_telegram
from tests.usecases import test_web_intake
from tests.usecases.doors import (
    ACCOUNTS,
    CALLS,
    FILES,
    MAILS,
    WEBHOOKS,
    other_doors,
    read_account,
    webhooks,
)
from tests.usecases.test_web_intake import desk, submit  # noqa: F401 - a fixture
from tests.usecases.world import NOON, YEAR

OTHERS = ["ses", "ses receipt", "connect", "connect transcript", "wecom pulled", "desk"]
SECRETS = [ACCOUNTS["aliyun"].current("token"), "s3cret", "t0ken"]


@pytest.fixture
def s3(table):
    client = boto3.client("s3")
    client.create_bucket(Bucket=FILES)
    return client


def replay_all(door):
    names = [line.name for line in list_all(LedgerFilter())]
    return Replayer(FILES, read_account, door, YEAR).replay_named(names)


def check_replay(door, dump):
    """Everything is understood again, is known, and leaves every byte as it was."""
    before = dump()
    names = [line.name for line in list_all(LedgerFilter())]
    assert names
    assert replay_all(door) == [Replayed(name, Outcome.KNOWN) for name in names]
    assert dump() == before


def test_there_is_a_request_for_every_registered_provider():
    assert {name for name, _ in WEBHOOKS.values()} == SMS.keys() | MESSENGERS.keys()
    assert MAILS.keys() == MAIL.keys()
    assert ACCOUNTS.keys() == SMS.keys() | MESSENGERS.keys() | MAIL.keys()


@pytest.mark.parametrize("label", [*WEBHOOKS, *CALLS, *MAILS])
def test_a_webhook_can_be_read_again(label, door, dump, s3, monkeypatch):
    assert webhooks(door, monkeypatch)[label]().status == 200

    assert [item["state"]["S"] for item in dump() if item["kind"]["S"] == "ledger"] != [
        "quarantined"
    ]
    check_replay(door, dump)
    assert not any(secret in json.dumps(dump(), default=repr) for secret in SECRETS)


@pytest.mark.parametrize("secret", ["hook-1", "hook-2"])
def test_an_update_is_read_again_as_of_the_bot_whose_secret_came_with_it(secret, door, dump):
    def read_bots(name):
        return BOTS

    request = told_telegram(secret)
    receive_webhook("telegram", MESSENGERS, request, read_bots, lambda: door, YEAR, NOON)
    before = dump()

    (line,) = list_all(LedgerFilter())
    again = Replayer(FILES, read_bots, door, YEAR).replay_named([line.name])

    assert again == [Replayed(line.name, Outcome.KNOWN)]
    assert dump() == before
    assert secret not in json.dumps(before, default=repr)


def test_an_update_that_was_not_understood_becomes_the_message_of_its_bot(table, door, monkeypatch):
    def read_bots(name):
        return BOTS

    def fail(*_):
        raise ValueError

    with monkeypatch.context() as broken:
        broken.setattr("caseweave.channels.telegram.read_json_object", fail)
        request = told_telegram("hook-2")
        receive_webhook("telegram", MESSENGERS, request, read_bots, lambda: door, YEAR, NOON)

    (line,) = list_all(LedgerFilter())
    (again,) = Replayer(FILES, read_bots, door, YEAR).replay_named([line.name])

    assert again.outcome is Outcome.TAKEN_IN
    assert [one.name.account for one in list_all(LedgerFilter(state="parsed"))] == ["72"]


@pytest.mark.parametrize("label", OTHERS)
def test_what_comes_by_no_webhook_can_be_read_again(label, door, dump, s3):
    doors = other_doors(door, s3)
    assert doors.keys() == set(OTHERS)
    assert doors[label]()

    check_replay(door, dump)


def test_forms_and_chats_can_be_read_again_without_session_sign_in_or_form(desk, door, dump):  # noqa: F811
    signed_in = {"authorization": "Bearer lin", "idempotency_key": "k1"}
    status, _, begun = test_web_intake.ask(desk, "POST", "chat", {"message": "在吗"}, **signed_in)
    assert status == 201, begun
    session = begun["session"]
    file = test_web_intake.upload(desk, session=session)
    more = {"message": "还在等", "files": [file["upload"]]}
    path = {"session": session}
    assert test_web_intake.ask(desk, "POST", "chat/{session}/messages", more, path=path)[0] == 201
    status, _, _ = submit(desk, "contact", {"message": "x", "email": "lin@example.com"})
    assert status == 201

    check_replay(door, dump)
    assert "Bearer" not in json.dumps(dump(), default=repr)
