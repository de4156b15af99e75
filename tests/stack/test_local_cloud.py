"""What the launcher corrects in the emulator; these guard its pin (infra/local/launcher.py)."""

import itertools
import json

from caseweave.cli.outside.http import call
from tests.stack.conftest import wait_for

_numbers = itertools.count(60_000_000)


def test_the_table_forgets_what_is_past_its_retention(stack):
    described = stack.client("dynamodb").describe_time_to_live(
        TableName=stack.outside.outputs["TableName"]
    )

    assert described["TimeToLiveDescription"] == {
        "AttributeName": "expires_at",
        "TimeToLiveStatus": "ENABLED",
    }


def test_a_poison_record_ends_in_the_failure_queue_and_holds_up_nobody(stack):
    """A message of a case that does not exist: the router fails on it, and goes on."""
    phone = f"+86134{next(_numbers)}"
    table = stack.outside.outputs["TableName"]
    key = {"pk": {"S": "CASE#poison"}, "sk": {"S": "MSG#poison"}}
    dynamodb = stack.client("dynamodb")
    dynamodb.put_item(
        TableName=table, Item={**key, "kind": {"S": "message"}, "direction": {"S": "inbound"}}
    )
    stack.outside.send_sms(phone, "behind the poison")

    wait_for(lambda: stack.received("twilio", phone), "the customer behind the poison", 60)
    failures = stack.client("sqs")
    url = stack.outside.outputs["StreamFailuresQueueUrl"]
    got = wait_for(
        lambda: failures.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages"),
        "the record in the failure queue",
        60,
    )
    assert json.loads(got[0]["Body"])["DDBStreamBatchInfo"]["batchSize"] >= 1
    # Other tests read every record that there is.
    dynamodb.delete_item(TableName=table, Key=key)


def test_the_gateway_answers_an_unknown_route_with_a_problem(stack):
    reply = call("GET", f"{stack.outside.outputs['ApiUrl']}/nothing/here")

    assert reply.status in (403, 404)
