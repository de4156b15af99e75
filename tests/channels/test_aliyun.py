"""Alibaba Cloud's uplink SMS in."""

import json
from collections import Counter
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseweave.channels import aliyun
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import Channel, IgnoredEvent, InboundMessage
from caseweave.errors import InvalidSignatureError, MissingSecretError, UnparseableError
from tests.channels.test_hostile import ODD_VALUES, json_values, outcome, paths, replaced
from tests.vectors import VECTORS, needs_vectors, read_json

TOKEN = "Zr8-4k_tokentokentoken"


def account(**values):
    return Credentials("aliyun", {"token": TOKEN} | values)


def is_accepted(query, **values):
    try:
        aliyun.verify(WebhookRequest(body=b"[]", query=query), account(**values))
    except InvalidSignatureError:
        return False
    return True


def parse(body):
    return aliyun.parse(WebhookRequest(body=body), account())


def item(**changes):
    return {
        "phone_number": "13800138000",
        "send_time": "2026-11-23 13:24:33",
        "content": "还没到账",
        "dest_code": "8812",
        "sequence_id": "1195411473",
        **changes,
    }


def message(**changes):
    phone = Address(AddressKind.PHONE, changes.pop("phone", "+8613800138000"))
    values = {
        "channel": Channel.SMS,
        "provider": "aliyun",
        "account": "8812",
        "event_id": "1195411473",
        "provider_id": "1195411473",
        "sender": Sender(proven=(ProvenAddress(phone, Proof.PROVIDER),)),
        "body": "还没到账",
        "occurred_at": datetime(2026, 11, 23, 5, 24, 33, tzinfo=UTC),
        "context": {"dest_code": "8812"},
    }
    return InboundMessage(**(values | changes))


def digest(value):
    return f"sha256.{sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()}"


# The token


@pytest.mark.parametrize(
    ("query", "accepted"),
    [
        ((("token", TOKEN),), True),
        ((("a", "b"), ("token", TOKEN)), True),
        ((), False),
        ((("token", ""),), False),
        ((("token", TOKEN[:-1]),), False),
        ((("token", TOKEN + "x"),), False),
        ((("token", TOKEN.swapcase()),), False),
        ((("token", TOKEN + "签"),), False),
        ((("token", TOKEN + "\ud800"),), False),
        ((("token", TOKEN * 10_000),), False),
        ((("Token", TOKEN),), False),
        ((("token", TOKEN), ("token", "other")), False),
        ((("token", "other"), ("token", TOKEN)), False),
    ],
)
def test_who_knows_the_token_gets_in(query, accepted):
    assert is_accepted(query) is accepted


@pytest.mark.parametrize(("token", "accepted"), [("new", 1), ("old", 1), ("older", 0)])
def test_while_the_token_is_rotated_both_are_good_and_no_third(token, accepted):
    assert is_accepted((("token", token),), token=["new", "old"]) == accepted


@pytest.mark.parametrize("nothing", [None, "", [], [""]])
def test_an_unset_token_lets_nobody_in(nothing):
    with pytest.raises(MissingSecretError, match="aliyun has no token"):
        aliyun.verify(WebhookRequest(body=b"[]", query=(("token", ""),)), account(token=nothing))


# Messages


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, message()),
        ({"sequence_id": 1195411473}, message()),
        ({"sign_name": "某某"}, message(context={"dest_code": "8812", "sign_name": "某某"})),
        ({"dest_code": ""}, message(account="", context={})),
        ({"dest_code": 8812}, message()),
        ({"content": "😀 \0"}, message(body="😀 \0")),
        ({"content": ""}, message(body="")),
        ({"phone_number": "8613800138000"}, message()),
        ({"phone_number": "+8613800138000"}, message()),
        ({"phone_number": "008613800138000"}, message()),
        ({"phone_number": 13800138000}, message()),
        ({"phone_number": "0085261234567"}, message(phone="+85261234567")),
        ({"phone_number": "+85261234567"}, message(phone="+85261234567")),
        ({"phone_number": "10086"}, message(phone="10086")),
        ({"send_time": "2026-11-23 07:24:33"}, None),
        ({"send_time": "2026-11-23T05:24:33+00:00"}, message()),
        ({"send_time": "1990-13-40 99:00:00"}, message(occurred_at=None)),
        ({"send_time": "0001-01-01 00:00:00"}, message(occurred_at=None)),
        ({"send_time": None}, message(occurred_at=None)),
        # Midnight in China is the day before in UTC.
        (
            {"send_time": "2026-01-01 00:00:00"},
            message(occurred_at=datetime(2025, 12, 31, 16, tzinfo=UTC)),
        ),
    ],
)
def test_an_uplink_sms_becomes_a_message(changes, expected):
    expected = expected or message(occurred_at=datetime(2026, 11, 22, 23, 24, 33, tzinfo=UTC))
    assert parse(json.dumps([item(**changes)]).encode()) == [expected]


def test_without_a_sequence_id_the_content_is_the_id():
    bare = item()
    del bare["sequence_id"]

    assert parse(json.dumps([bare]).encode()) == [
        message(event_id=digest(bare), provider_id=digest(bare))
    ]


def test_every_message_of_a_push_is_kept_and_a_bad_one_costs_no_other():
    masked, report = item(phone_number="1380013****"), {"biz_id": "9", "success": True}
    pushed = [item(), masked, 7, item(content=None), report, item(sequence_id="2")]

    assert parse(json.dumps(pushed).encode()) == [
        message(),
        IgnoredEvent(
            "aliyun", "8812", digest(masked), "not understood: the sender is no phone number"
        ),
        IgnoredEvent("aliyun", "", digest(7), "not understood: no object"),
        IgnoredEvent("aliyun", "8812", digest(item(content=None)), "not understood: no content"),
        IgnoredEvent("aliyun", "", digest(report), "a delivery report: we sent nothing"),
        message(event_id="2", provider_id="2"),
    ]


@pytest.mark.parametrize("body", [b"", b"{}", b"1", b"null", b"phone_number=1", b"[" * 100_000])
def test_what_is_no_list_is_unparseable(body):
    with pytest.raises(UnparseableError):
        parse(body)


def test_aliyun_hears_the_number_that_it_waits_for():
    content_type, body = aliyun.ACKNOWLEDGED

    assert (content_type, json.loads(body)) == (
        "application/json",
        {"code": 0, "msg": "接收成功"},
    )


def test_free_text_cannot_be_sent():
    assert not hasattr(aliyun, "build_send")
    assert not hasattr(aliyun, "read_answer")


# Whatever comes


def test_any_node_may_be_anything():
    payload = [item(sign_name="s"), item()]
    for path in paths(payload):
        for value in ODD_VALUES:
            outcome(parse, json.dumps(replaced(payload, path, value)).encode())


@settings(max_examples=200, deadline=None)
@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_events_or_unparseable(body):
    outcome(parse, body)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(list(item())), json_values) | json_values))
def test_every_item_is_an_event(items):
    assert len(outcome(parse, json.dumps(items).encode())) == len(items)


@pytest.mark.parametrize("depth", [100, 500, 900, 960, 985, 5_000])
def test_depth_is_no_surprise(depth):
    outcome(parse, b'[{"content": "\\ud800", "x": %b}]' % (b"[" * depth + b"]" * depth))


@needs_vectors
def test_the_documents_example_is_read():
    counts = Counter()
    for entry in read_json(VECTORS / "aliyun-sms" / "manifest.json")["files"]:
        raw = (VECTORS / "aliyun-sms" / entry["file"]).read_bytes()
        # The document hides four digits of the number.
        assert [type(one) for one in outcome(parse, raw)] == [IgnoredEvent]
        events = outcome(parse, raw.replace(b"****", b"0000"))
        counts.update(type(one).__name__ for one in events)
    print(dict(counts))
    assert counts["InboundMessage"] >= 1
