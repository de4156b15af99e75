"""Replay: what a parser did not understand becomes a message after the fix, and once."""

import json
from dataclasses import replace

import pytest

from caseweave.channels import telegram
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest
from caseweave.errors import MissingSecretError
from caseweave.intake import quarantine, take_in
from caseweave.replay import replay_quarantined
from caseweave.storage import ledger
from tests.usecases.world import NOON, YEAR, raw

ACCOUNT = Credentials("telegram", {"bot_id": "7", "secret_token": ["s"]})
UPDATE = json.dumps(
    {
        "update_id": 5,
        "message": {
            "message_id": 1,
            "from": {"id": 9, "is_bot": False, "first_name": "T"},
            "chat": {"id": 9, "type": "private"},
            "date": int(NOON.timestamp()),
            "text": "hello",
        },
    }
).encode()


@pytest.fixture
def kept(table):
    """Two bodies of Telegram that an earlier parser did not understand."""
    for body in (UPDATE, b"{oops"):
        quarantine(replace(raw(body=body), provider="telegram", account=""), "not understood")


def run(door, read_credentials=lambda name: ACCOUNT):
    return replay_quarantined(10, "files", read_credentials, door, YEAR)


def test_what_is_understood_now_becomes_a_message_and_leaves_the_list(kept, door, dump):
    done = {one.entry.body: one.is_understood for one in run(door)}

    assert done == {UPDATE: True, b"{oops": False}
    assert [entry.body for entry in ledger.list_quarantined(10)] == [b"{oops"]
    bodies = [item["body"]["S"] for item in dump() if item["kind"]["S"] == "message"]
    assert bodies == ["hello"]


def test_replaying_again_changes_nothing(kept, door, dump):
    run(door)
    before = dump()

    assert [one.is_understood for one in run(door)] == [False]
    assert dump() == before


def test_a_message_that_came_meanwhile_is_not_doubled(kept, door, dump):
    own = replace(raw(body=UPDATE), provider="telegram", account="7")
    take_in(telegram.parse(WebhookRequest(UPDATE), ACCOUNT), own, door)

    run(door)

    assert sum(item["kind"]["S"] == "message" for item in dump()) == 1
    assert len(list(ledger.list_quarantined(10))) == 1


def test_without_the_providers_account_everything_stays_where_it_is(kept, door, dump):
    def no_account(name):
        raise MissingSecretError(name)

    before = dump()

    assert [one.is_understood for one in run(door, no_account)] == [False, False]
    assert dump() == before
