"""Tencent Cloud's SMS replies in."""

import json
from collections import Counter
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseweave.channels import tencent
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import Channel, IgnoredEvent, InboundMessage
from caseweave.errors import InvalidSignatureError, MissingSecretError, UnparseableError
from tests.channels.test_hostile import ODD_VALUES, json_values, outcome, paths, replaced
from tests.vectors import VECTORS, needs_vectors, read_json

TOKEN = "Zr8-4k_tokentokentoken"


def account(**values):
    return Credentials("tencent", {"token": TOKEN} | values)


def is_accepted(query, **values):
    try:
        tencent.verify(WebhookRequest(body=b"{}", query=query), account(**values))
    except InvalidSignatureError:
        return False
    return True


def parse(body):
    return tencent.parse(WebhookRequest(body=body), account())


def reply(**changes):
    return {
        "extend": "17",
        "mobile": "13800138000",
        "nationcode": "86",
        "sign": "某某",
        "text": "还没到账",
        "time": 1_795_411_473,
        **changes,
    }


def digest(value):
    return f"sha256.{sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()}"


ID = digest(["86", "13800138000", "1795411473", "17", "还没到账"])


def message(**changes):
    phone = Address(AddressKind.PHONE, changes.pop("phone", "+8613800138000"))
    event_id = changes.pop("id", ID)
    values = {
        "channel": Channel.SMS,
        "provider": "tencent",
        "account": "17",
        "event_id": event_id,
        "provider_id": event_id,
        "sender": Sender(proven=(ProvenAddress(phone, Proof.PROVIDER),)),
        "body": "还没到账",
        "occurred_at": datetime(2026, 11, 23, 5, 24, 33, tzinfo=UTC),
        "context": {"extend": "17", "sign": "某某"},
    }
    return InboundMessage(**(values | changes))


@pytest.mark.parametrize(
    ("query", "accepted"),
    [
        ((("token", TOKEN),), True),
        ((), False),
        ((("token", ""),), False),
        ((("token", TOKEN[:-1]),), False),
        ((("token", TOKEN + "="),), False),
        ((("token", TOKEN + "签\ud800"),), False),
        ((("token", TOKEN), ("token", TOKEN)), False),
    ],
)
def test_who_knows_the_token_gets_in(query, accepted):
    assert is_accepted(query) is accepted


@pytest.mark.parametrize(("token", "accepted"), [("new", 1), ("old", 1), ("older", 0)])
def test_while_the_token_is_rotated_both_are_good_and_no_third(token, accepted):
    assert is_accepted((("token", token),), token=["new", "old"]) == accepted


@pytest.mark.parametrize("nothing", [None, "", [], [""]])
def test_an_unset_token_lets_nobody_in(nothing):
    with pytest.raises(MissingSecretError, match="tencent has no token"):
        tencent.verify(WebhookRequest(body=b"{}", query=(("token", ""),)), account(token=nothing))


def test_a_reply_becomes_a_message():
    assert parse(json.dumps(reply()).encode()) == [message()]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"nationcode": "852", "mobile": "61234567"},
            {
                "phone": "+85261234567",
                "id": digest(["852", "61234567", "1795411473", "17", "还没到账"]),
            },
        ),
        ({"nationcode": 86, "mobile": 13800138000, "time": "1795411473"}, {}),
        (
            {"nationcode": "+86"},
            {"id": digest(["+86", "13800138000", "1795411473", "17", "还没到账"])},
        ),
        (
            {"mobile": "10086"},
            {"phone": "10086", "id": digest(["86", "10086", "1795411473", "17", "还没到账"])},
        ),
        (
            {"extend": "", "sign": None},
            {
                "account": "",
                "context": {},
                "id": digest(["86", "13800138000", "1795411473", "", "还没到账"]),
            },
        ),
        (
            {"time": "soon"},
            {"occurred_at": None, "id": digest(["86", "13800138000", "soon", "17", "还没到账"])},
        ),
        (
            {"time": 10**30},
            {
                "occurred_at": None,
                "id": digest(["86", "13800138000", str(10**30), "17", "还没到账"]),
            },
        ),
    ],
)
def test_each_field_is_read_as_it_is_meant(changes, expected):
    assert parse(json.dumps(reply(**changes)).encode()) == [message(**expected)]


def test_the_same_reply_has_the_same_id_and_any_other_has_another():
    def event_id(**changes):
        (event,) = parse(json.dumps(reply(**changes)).encode())
        return event.event_id

    others = [
        {"nationcode": "1"},
        {"mobile": "13800138001"},
        {"time": 1_795_411_474},
        {"extend": "18"},
        {"text": "还没到"},
    ]

    assert event_id() == event_id(sign="another name of ours")
    assert len({event_id(), *(event_id(**one) for one in others)}) == 6


def test_reports_are_kept_and_a_bad_item_costs_no_other():
    report = {"sid": "1", "report_status": "SUCCESS", "mobile": "13800138000"}
    bad = reply(mobile="13xxxxxxxxx")

    assert parse(json.dumps([report, bad, None, reply()]).encode()) == [
        IgnoredEvent("tencent", "", digest(report), "a status report: we sent nothing"),
        IgnoredEvent("tencent", "", digest(bad), "not understood: the sender is no phone number"),
        IgnoredEvent("tencent", "", digest(None), "not understood: no object"),
        message(),
    ]


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"1", b"null", b"mobile=1", b"{}", b'{"text": "hi"}', b"[" * 100_000),
        json.dumps(reply(text=None)).encode(),
        json.dumps(reply(mobile="13xxxxxxxxx")).encode(),
        json.dumps(reply(nationcode="")).encode(),
        json.dumps(reply(mobile="１３８００１３８０００")).encode(),
    ],
)
def test_what_is_no_reply_is_unparseable(body):
    with pytest.raises(UnparseableError):
        parse(body)


def test_tencent_hears_what_it_waits_for():
    content_type, body = tencent.ACKNOWLEDGED

    assert (content_type, json.loads(body)) == ("application/json", {"result": 0, "errmsg": "OK"})


def test_free_text_cannot_be_sent():
    assert not hasattr(tencent, "build_send")
    assert not hasattr(tencent, "read_answer")


def test_any_node_may_be_anything():
    for payload in (reply(), [reply(), reply()]):
        for path in paths(payload):
            for value in ODD_VALUES:
                outcome(parse, json.dumps(replaced(payload, path, value)).encode())


@settings(max_examples=200, deadline=None)
@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_events_or_unparseable(body):
    outcome(parse, body)


@pytest.mark.parametrize("depth", [100, 500, 900, 960, 985, 5_000])
def test_depth_is_no_surprise(depth):
    outcome(parse, b'[{"text": "\\ud800", "x": %b}]' % (b"[" * depth + b"]" * depth))


@needs_vectors
def test_the_documents_example_is_read():
    counts = Counter()
    for entry in read_json(VECTORS / "tencent-sms" / "manifest.json")["files"]:
        raw = (VECTORS / "tencent-sms" / entry["file"]).read_bytes()
        # The document hides nine digits of the number.
        assert outcome(parse, raw) == []
        counts.update(type(one).__name__ for one in parse(raw.replace(b"xxxxxxxxx", b"800138000")))
        if "expected" in entry:
            assert json.loads(tencent.ACKNOWLEDGED[1]) == entry["expected"]["reply"]
    print(dict(counts))
    assert counts["InboundMessage"] >= 1
