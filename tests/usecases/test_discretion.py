"""Secrets in what agents are shown, what the bus is told, and in replies."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from caseweave.agents.caller import Caller, Moment
from caseweave.agents.cases import list_cases, note, read_case, reply
from caseweave.agents.reveal import reveal_message
from caseweave.agents.view import describe_message
from caseweave.domain.event import EventKind, event_record
from caseweave.domain.evidence import commit_to, find_broken_link
from caseweave.domain.masking import mask_text
from caseweave.domain.media import Links
from caseweave.domain.message import Attachment
from caseweave.errors import ForbiddenError, InvalidRequestError, NotFoundError, UnavailableError
from caseweave.relay import relay_record
from caseweave.storage import cases
from tests.usecases.test_router import route
from tests.usecases.world import NOON, crash_at_call, receive, sms

MEI = Caller("mei", ("agent",))
SAID = "卡密:ABCD1234EFGH5678 无效,验证码 482913,卡 4111111111111111"
SHOWN = mask_text(SAID).text
LATER = NOON + timedelta(minutes=2)


def moment():
    return Moment(LATER, bytes)


def links(_attachment):
    return Links("https://files/1")


@pytest.fixture
def case(table, door, desk):
    landed = receive(sms("+8613800138000", SAID), door)
    route(landed, desk)
    return cases.read_head(landed.case_id)


@pytest.fixture
def message(case):
    return next(m for m in cases.list_messages(case.id)[0] if m.direction == "inbound")


def chain_of(case_id):
    return cases.read_file(case_id).events


def test_lists_and_timelines_show_no_secret_and_say_so(case, desk):
    file = read_case(case.id, MEI, links, NOON)
    listed = list_cases({}, MEI, desk)["items"]
    assert "码 482913" not in json.dumps([file, listed], ensure_ascii=False)
    assert "ABCD1234" not in json.dumps([file, listed], ensure_ascii=False)
    shown = file["messages"][0]
    assert (shown["body"], shown["masked"]) == (SHOWN, True)
    assert shown["masked_kinds"] == ["card_secret", "code", "payment_card"]
    # Its subject is the customer's.
    assert file["messages"][1]["subject"] == SHOWN


def test_every_text_of_a_message_is_masked_and_its_page_is_not_linked(message):
    told = replace(
        message,
        subject="验证码 482913",
        quoted="> 验证码 482913",
        author="验证码 482913",
        fields={"order": "4111111111111111", "card": "4111111111111111", "密码": "abc12345"},
        attachments=(Attachment("身份证 11010519491231002X.png", "image/png"),),
        quick_replies=("验证码 482913",),
        page_digest="ab" * 32,
    )
    shown = describe_message(told, links)
    assert shown["fields"] == {
        "order": "4111111111111111",
        "card": "████████████1111",
        "密码": "██████45",
    }
    assert shown["attachments"][0]["name"] == "身份证 ██████████████002X.png"
    assert "482913" not in json.dumps(shown)
    assert shown["page_url"] is None
    plain = replace(message, body="没到账", page_digest="ab" * 32)
    assert describe_message(plain, links)["page_url"] == "https://files/1"


def test_a_message_is_revealed_with_an_event_that_says_who_and_why(case, message):
    before = chain_of(case.id)
    answer = reveal_message(case.ref, message.id, {"reason": "核对卡密"}, MEI, moment(), links)
    assert answer["message"]["body"] == SAID
    events = chain_of(case.id)
    assert events[: len(before)] == before
    (event,) = events[len(before) :]
    seal = cases.read_head(case.id).seal
    assert (event.kind, str(event.actor), event.at) == (
        EventKind.CONTENT_REVEALED,
        "agent:mei",
        LATER,
    )
    assert event.private == {"reason": "核对卡密"}
    assert event.data == {
        "message_id": message.id,
        "private_digest": commit_to({"reason": "核对卡密"}, seal),
    }
    assert cases.read_head(case.id).chain == event.digest
    links_ = [
        (e.previous, e.digest, event_record(e.owner, e.seq, e.at, e.actor, e.kind, e.data))
        for e in events
    ]
    assert find_broken_link(links_) is None


@pytest.mark.parametrize("call", range(1, 6))
@pytest.mark.parametrize("after", [False, True])
def test_without_the_event_there_is_no_text(case, message, call, after):
    before = len(chain_of(case.id))
    answer = None
    with crash_at_call(call, after=after) as calls:
        try:
            answer = reveal_message(case.id, message.id, {"reason": "x"}, MEI, moment(), links)
        except UnavailableError:
            assert answer is None
    written = len(chain_of(case.id)) - before
    assert written in ((1,) if answer else (0, 1))
    assert "TransactWriteItems" in calls or call < 5


@pytest.mark.parametrize(
    ("reason", "advice"), [("", "write why"), ("  ", "write why"), ("x" * 501, "write why")]
)
def test_a_reason_must_be_given(case, message, reason, advice):
    with pytest.raises(InvalidRequestError) as caught:
        reveal_message(case.id, message.id, {"reason": reason}, MEI, moment(), links)
    assert advice in caught.value.errors[0][1]


def test_auditors_and_strangers_are_refused_and_other_messages_not_found(case, message):
    said = {"reason": "x"}
    for roles in (("auditor",), ()):
        with pytest.raises(ForbiddenError):
            reveal_message(case.id, message.id, said, Caller("ann", roles), moment(), links)
    with pytest.raises(NotFoundError):
        reveal_message(case.id, "01JDZZZZZZZZZZZZZZZZZZZZZZ", said, MEI, moment(), links)
    assert EventKind.CONTENT_REVEALED not in [event.kind for event in chain_of(case.id)]


def test_a_reply_with_a_secret_leaves_as_written_with_a_warning(case, desk):
    said = {"body": "您的新卡密:WXYZ9876QRST5432"}
    answer = reply(case.id, said, None, MEI, desk, moment(), lambda *_: None)
    assert [one["kind"] for one in answer["warnings"]] == ["card_secret"]
    assert set(answer["warnings"][0]) == {"kind", "zh-CN", "en"}
    sent = [m for m in cases.list_messages(case.id)[0] if m.id == answer["message_id"]]
    assert sent[0].body == said["body"]
    plain = reply(case.id, {"body": "已处理"}, None, MEI, desk, moment_at(3), lambda *_: None)
    assert plain["warnings"] == []


def moment_at(minutes):
    return Moment(NOON + timedelta(minutes=minutes), lambda n: b"\1" * n)


def test_a_note_is_masked_like_everything_else(case, desk):
    note(case.id, {"body": SAID}, None, MEI, desk, moment())
    file = read_case(case.id, MEI, links, NOON)
    assert [m["body"] for m in file["messages"] if m["direction"] == "note"] == [SHOWN]


def test_the_bus_is_told_no_secret():
    published = []
    data = {
        "message_id": "4111111111111111",
        "digest": "4111111111111111",
        "reason": SAID,
        "order": "4111111111111111",
        "deep": [{"said": SAID}],
        "count": 3,
    }
    record = {
        "kind": {"S": "event"},
        "pk": {"S": "CASE#01"},
        "sk": {"S": "EVT#00000002"},
        "actor": {"S": "agent:mei"},
        "event": {"S": "note_added"},
        "data": {"S": json.dumps(data)},
        "digest": {"S": "d"},
        "at": {"S": "2026-11-23T12:00:00.000Z"},
    }
    relay_record(record, None, None, lambda *event: published.append(event), None, None, None)
    assert published[0][1]["data"] == {
        **data,
        "reason": SHOWN,
        "deep": [{"said": SHOWN}],
    }
