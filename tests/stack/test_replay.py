"""Replay over HTTP, with the rights that the functions really have."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from caseweave.domain.times import to_rfc3339
from tests.stack.conftest import wait_for


@pytest.fixture
def lead(stack):
    return stack.api("lead")


def received_by(stack):
    """The ledger, and what customers wrote: what goes to them is still on its way meanwhile."""
    pages = (
        stack.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=stack.outside.outputs["TableName"],
            FilterExpression="kind = :ledger OR direction = :inbound",
            ExpressionAttributeValues={":ledger": {"S": "ledger"}, ":inbound": {"S": "inbound"}},
        )
    )
    found = [item for page in pages for item in page["Items"]]
    return {(one["pk"]["S"], one["sk"]["S"]): one for one in found}


def test_a_range_is_listed_and_replaying_it_changes_nothing(stack, lead):
    since = datetime.now(UTC)
    phone = f"+861390{uuid.uuid4().int % 10**7:07d}"
    for text in ("还没到账", "在吗"):
        assert stack.outside.send_sms(phone, text).status == 200
    wait_for(lambda: stack.received("twilio", phone), "the acknowledgement")
    until = to_rfc3339(datetime.now(UTC) + timedelta(seconds=1))
    query = f"from={to_rfc3339(since)}&to={until}&provider=twilio&state=parsed"

    listed = lead.get(f"/v1/ledger?{query}")
    assert listed.status == 200, listed.body
    named = [one for one in listed.json()["items"] if one["case_id"]]
    before = received_by(stack)
    told = lead.post("/v1/replay", {"entries": named})

    assert told.status == 200, told.body
    assert len(named) >= 2
    assert (told.json()["counts"], told.json()["new"]) == ({"known": len(named)}, 0)
    after = received_by(stack)
    assert {key: after[key] for key in before} == before


def test_an_agent_lists_and_replays_nothing(stack):
    agent = stack.api("agent")

    assert agent.get("/v1/ledger").status == 403
    assert agent.post("/v1/replay", {"entries": []}).status == 403
