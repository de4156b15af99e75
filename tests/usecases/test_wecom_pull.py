"""Pulling 微信客服: every message once, whatever comes in which order and dies where (P1, P2)."""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws
from pynamodb.connection import Connection
from ruamel.yaml import YAML

from caseweave.channels import wecom
from caseweave.channels.request import ProviderAnswer, ProviderRequest, Refusal, Refused
from caseweave.domain.message import Delivery, DeliveryState
from caseweave.errors import NotFoundError, UnavailableError
from caseweave.http import LONGEST_BODY
from caseweave.intake import Door, take_in
from caseweave.notifier import NOTIFIER
from caseweave.relay import relay_record
from caseweave.replay import Replayer
from caseweave.router import route_case
from caseweave.storage import cases
from caseweave.storage.ledger import RawInput
from caseweave.storage.outbox import outbox_key, read_outbound, settle_message
from caseweave.storage.pulls import PullState, PullWish, read_pull, write_pull
from caseweave.wecom_pull import (
    LOCK_LIFETIME,
    PATIENCE,
    PullUnfinishedError,
    Source,
    pause_after,
    pull_messages,
    wish_for_all,
)
from tests.channels.wecom_samples import (
    KFID,
    callback,
    hint,
    kf,
    kf_event,
    kf_text,
    wecom_account,
)
from tests.conftest import ROOT, make_table
from tests.depth import DEPTH
from tests.usecases.conftest import KEYS
from tests.usecases.test_router import acknowledgements
from tests.usecases.world import NOON, YEAR

WISH = str(PullWish("wecom", KFID, "ENC1"))
KEEP = timedelta(days=400)


@dataclass
class WeCom:
    """微信客服 itself: a log of messages, handed out two at a time, from where a cursor says."""

    log: list = field(default_factory=list)
    size: int = 2
    empty_pages: int = 0
    bad_cursors: frozenset = frozenset()
    answers: list = field(default_factory=list)
    asked: list = field(default_factory=list)
    on_ask: object = None

    def __call__(self, request: ProviderRequest) -> ProviderAnswer | Refused:
        asked = json.loads(request.body) | {"access_token": request.url.partition("token=")[2]}
        self.asked.append(asked)
        if self.on_ask is not None:
            self.on_ask(asked)
        if self.answers:
            return self.answers.pop(0)
        if asked.get("cursor") in self.bad_cursors:
            return told(errcode=95000, errmsg="invalid cursor")
        at, hole = map(int, asked.get("cursor", "0.0").split("."))
        if hole < self.empty_pages:
            return told(errcode=0, next_cursor=f"{at}.{hole + 1}", has_more=1, msg_list=[])
        end = min(at + self.size, len(self.log))
        return told(
            errcode=0,
            next_cursor=f"{end}.0" if end > at else f"{at}.{hole}",
            has_more=int(end < len(self.log)),
            msg_list=self.log[at:end],
        )

    @property
    def cursors(self):
        return [one.get("cursor", "") for one in self.asked]


def told(**said):
    return ProviderAnswer(200, json.dumps(said).encode())


@dataclass
class Clock:
    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at


def make_source(provider, clock=None, forgotten=None):
    tokens = iter(f"T{number}" for number in range(1, 10_000))
    return Source(
        resolve_account=lambda account: wecom_account(access_token=next(tokens)),
        read_credentials=wecom_account,
        forget_token=lambda found: forgotten.append(found.current("access_token")),
        ask=provider,
        base_url="https://qyapi.weixin.qq.com",
        make_door=lambda: Door("frontline", KEYS, os.urandom),
        retention=YEAR,
        now=clock or Clock(),
    )


def pull(provider, wish=WISH, holder="h1", tries=1, **options):
    return pull_messages(wish, make_source(provider, **options), holder, tries)


def bodies(dump):
    """What customers said, by the record that holds it."""
    found = [item for item in dump() if item["kind"]["S"] == "message"]
    return sorted(item.get("body", {}).get("S", "") for item in found)


def ledger(dump):
    return {
        item["event_id"]["S"]: item["state"]["S"]
        for item in dump()
        if item["kind"]["S"] == "ledger"
    }


def texts(*words):
    return [kf_text(word, f"M{number}") for number, word in enumerate(words)]


def test_every_message_of_every_page_is_taken_in(table, dump):
    provider = WeCom(texts("一", "二", "三", "四", "五"))

    assert pull(provider) == 3

    assert bodies(dump) == sorted(["一", "二", "三", "四", "五"])
    assert provider.cursors == ["", "2.0", "4.0"]
    assert {one["token"] for one in provider.asked} == {"ENC1"}
    state = read_pull("wecom", KFID)
    assert (state.cursor, state.holder, state.locked_until) == ("5.0", "", None)
    assert state.pulled_at == NOON


def test_each_message_has_a_ledger_entry_of_its_own(table, dump):
    pull(WeCom(texts("一", "二")))

    entries = [item for item in dump() if item["kind"]["S"] == "ledger"]
    assert {item["pk"]["S"] for item in entries} == {
        f"IN#wecom#{KFID}#M0",
        f"IN#wecom#{KFID}#M1",
    }
    kept = [json.loads(bytes(item["body"]["B"])[1:]) for item in entries]
    assert all(one["open_kfid"] == KFID for one in kept)
    assert sorted(one["message"]["text"]["content"] for one in kept) == ["一", "二"]


def test_the_next_pull_goes_on_where_the_last_one_ended(table, dump):
    provider = WeCom(texts("一", "二"))
    pull(provider)
    provider.log += [kf_text("三", "M7")]

    pull(provider)

    assert provider.cursors == ["", "2.0"]
    assert bodies(dump) == sorted(["一", "二", "三"])


def test_an_empty_page_with_more_to_come_is_not_the_end(table, dump):
    provider = WeCom(texts("一", "二", "三"), empty_pages=3)

    pull(provider)

    assert bodies(dump) == sorted(["一", "二", "三"])


def test_a_cursor_that_leads_nowhere_is_no_endless_loop(table):
    stuck = told(errcode=0, next_cursor="", has_more=1, msg_list=[])
    provider = WeCom(answers=[stuck] * 10)

    with pytest.raises(UnavailableError, match="no cursor"):
        pull(provider)
    assert len(provider.asked) == 1


def test_what_takes_too_long_goes_on_in_the_next_call(table, dump):
    clock = Clock()
    provider = WeCom(texts(*"abcdefgh"))

    def slow(asked):
        clock.at += PATIENCE / 2

    provider.on_ask = slow
    with pytest.raises(PullUnfinishedError):
        pull(provider, clock=clock)
    assert len(provider.asked) == 3

    # Nothing is locked, and nothing is asked for twice.
    pull(provider, holder="h2", clock=Clock(clock.at))
    assert bodies(dump) == sorted("abcdefgh")
    assert provider.cursors == ["", "2.0", "4.0", "6.0"]


def test_one_that_cannot_be_understood_costs_no_other(table, dump):
    provider = WeCom([kf_text("一", "M1"), {"msgid": "M2"}, kf("image", {}, "M3"), "x", None])

    pull(provider)

    assert bodies(dump) == ["一"]
    states = list(ledger(dump).values())
    assert sorted(states) == ["ignored", "parsed", "quarantined", "quarantined", "quarantined"]
    assert read_pull("wecom", KFID).cursor == "5.0"


def test_a_quarantined_one_is_understood_by_a_replay_after_the_fix(table, dump, door):
    broken = kf_text("一", "M1") | {"external_userid": None}
    pull(WeCom([broken]))
    assert bodies(dump) == []

    (done,) = Replayer("files", lambda name: wecom_account(), door, YEAR).replay_quarantined(10)

    assert (done.is_understood, done.reason) == (False, "no external_userid")


def test_one_that_is_larger_than_the_store_takes_is_visible_and_in_nobodys_way(table, dump):
    provider = WeCom([kf_text("很长" * LONGEST_BODY, "M1"), kf_text("短", "M2")])

    pull(provider)

    assert bodies(dump) == ["短"]
    assert sorted(ledger(dump).values()) == ["parsed", "quarantined"]


# What WeCom refuses


def test_a_hints_token_that_has_ended_is_left_out(table, dump):
    provider = WeCom(texts("一"), answers=[told(errcode=95007, errmsg="invalid msg token")])

    pull(provider)

    assert [one.get("token") for one in provider.asked] == ["ENC1", None]
    assert bodies(dump) == ["一"]


def test_a_cursor_that_is_refused_is_given_up_and_nothing_with_it(table, dump):
    provider = WeCom(texts("一", "二", "三"))
    pull(provider)
    provider.log += [kf_text("四", "M9")]
    provider.bad_cursors = frozenset({"3.0"})

    pull(provider)

    assert bodies(dump) == sorted(["一", "二", "三", "四"])
    assert read_pull("wecom", KFID).cursor == "4.0"


def test_an_access_token_that_is_refused_is_forgotten_and_another_fetched(table, dump):
    forgotten = []
    provider = WeCom(texts("一"), answers=[told(errcode=42001, errmsg="expired")])

    pull(provider, forgotten=forgotten)

    assert forgotten == ["T1"]
    assert [one["access_token"] for one in provider.asked] == ["T1", "T2"]
    assert bodies(dump) == ["一"]


@pytest.mark.parametrize(
    "answer",
    [
        told(errcode=45009, errmsg="api freq out of limit"),
        told(errcode=-1, errmsg="system busy"),
        told(errcode=48002, errmsg="api forbidden"),
        ProviderAnswer(502, b"<html>"),
        Refused(Refusal.UNKNOWN, "no answer: ReadTimeoutError"),
    ],
)
def test_a_pull_that_fails_is_brought_again_and_finds_no_lock(table, dump, answer):
    provider = WeCom(texts("一"), answers=[answer] * 3)
    with pytest.raises(UnavailableError, match=KFID):
        pull(provider)
    provider.answers = []

    assert pull(provider, holder="h2") == 1
    assert bodies(dump) == ["一"]


def test_what_wishes_for_no_pull_is_not_found(table):
    for body in ("", "[]", "{}", '["wecom"]', "null"):
        with pytest.raises(NotFoundError):
            pull(WeCom(), wish=body)


# One at a time


def test_who_finds_the_lock_taken_leaves_and_the_holder_looks_once_more(table, dump):
    second = []

    class Busy(WeCom):
        """While the first page is under way another message comes, and its hint."""

        def __call__(self, request):
            answer = super().__call__(request)
            if len(self.asked) == 1:
                self.log = [*self.log, kf_text("二", "M9")]
                second.append(pull(WeCom(), holder="h2"))
            return answer

    assert pull(Busy(texts("一"))) == 2

    assert second == [0]
    assert bodies(dump) == sorted(["一", "二"])
    assert read_pull("wecom", KFID).holder == ""


def test_a_lock_that_a_dead_process_left_runs_out(table, dump):
    write_pull(PullState("wecom", KFID, holder="dead", locked_until=NOON + LOCK_LIFETIME))
    provider = WeCom(texts("一"))

    assert pull(provider, clock=Clock(NOON + LOCK_LIFETIME - timedelta(seconds=1))) == 0
    assert pull(provider, clock=Clock(NOON + LOCK_LIFETIME)) == 1
    assert bodies(dump) == ["一"]


def test_who_lost_the_lock_does_not_turn_the_cursor_back(table, dump):
    """The first holder is slow; the second goes through the whole log meanwhile."""
    clock = Clock()

    class Slow(WeCom):
        def __call__(self, request):
            answer = super().__call__(request)
            clock.at += LOCK_LIFETIME
            pull(WeCom(self.log, size=10), holder="h2", clock=clock)
            return answer

    assert pull(Slow(texts(*"abcde")), clock=clock) == 0

    assert bodies(dump) == list("abcde")
    assert read_pull("wecom", KFID).cursor == "5.0"


def test_many_pullers_at_once_keep_each_message_once(table, dump):
    provider = WeCom(texts(*"abcdefghij"), size=3)

    def run(number):
        with suppress(UnavailableError):
            pull(provider, holder=f"h{number}")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(run, range(6)))

    assert bodies(dump) == list("abcdefghij")
    assert read_pull("wecom", KFID).holder == ""


def test_what_the_queue_brings_again_waits_for_the_lock_which_may_be_its_own(table):
    write_pull(PullState("wecom", KFID, holder="dead", locked_until=NOON + LOCK_LIFETIME))

    with pytest.raises(PullUnfinishedError, match="locked"):
        pull(WeCom(), tries=2)
    assert pull(WeCom(), tries=3, clock=Clock(NOON + LOCK_LIFETIME)) == 1


def test_an_entry_comes_again_ever_later():
    pauses = [pause_after(tries).total_seconds() for tries in range(1, 10)]

    assert pauses == [3, 6, 12, 24, 48, 96, 120, 120, 120]


def test_the_function_has_time_for_a_page_after_the_last_moment_to_begin_one():
    yaml = YAML(typ="rt")
    queue = yaml.load(ROOT / "infra" / "inbound.yaml")["Resources"]["PullQueue"]["Properties"]
    function = yaml.load(ROOT / "template.yaml")["Resources"]["IntakeWecomPullFunction"]

    runs = timedelta(seconds=function["Properties"]["Timeout"])
    assert PATIENCE + timedelta(seconds=20) < runs < timedelta(seconds=queue["VisibilityTimeout"])


# Hints and the clock


def test_a_hint_is_kept_once_and_becomes_a_wish(table, dump, door):
    (event,) = wecom.parse(callback(hint()), wecom_account())
    raw = RawInput("wecom", "", NOON, KEEP, b"<xml/>")

    assert [take_in([event], raw, door), take_in([event], raw, door)] == [1, 0]

    (entry,) = dump()
    assert (entry["kind"]["S"], entry["state"]["S"]) == ("ledger", "hint")
    assert int(entry["expires_at"]["N"]) == int((NOON + timedelta(days=7)).timestamp())
    wishes = []
    relay_record(entry, None, None, None, wishes.append, None, None)
    assert wishes == [str(PullWish("wecom", KFID, event.token))]


@pytest.mark.parametrize("state", ["parsed", "ignored", "quarantined"])
def test_no_other_entry_of_the_ledger_is_one(state):
    relay_record(
        {"kind": {"S": "ledger"}, "state": {"S": state}}, None, None, None, None, None, None
    )


def test_the_clock_wishes_for_every_account_that_was_not_pulled_just_now(table):
    for account, at in (("wk1", NOON), ("wk2", NOON - timedelta(minutes=4))):
        pull(WeCom(), wish=str(PullWish("wecom", account)), clock=Clock(at))
    failing = WeCom(answers=[told(errcode=-1)])
    with suppress(UnavailableError):
        pull(failing, wish=str(PullWish("wecom", "wk3")))
    wishes = []

    assert wish_for_all(wishes.append, NOON) == 2

    assert wishes == [str(PullWish("wecom", "wk2")), str(PullWish("wecom", "wk3"))]


def test_without_any_account_the_clock_wishes_for_nothing(table):
    assert wish_for_all([].append, NOON) == 0


# A message that failed after WeCom took it


def test_a_late_failure_reaches_the_message_that_was_sent(table, dump, door, desk):
    provider = WeCom(texts("一"))
    pull(provider)
    (item,) = [one for one in dump() if one["kind"]["S"] == "message"]
    case_id = item["pk"]["S"].removeprefix("CASE#")
    route_case(case_id, item["sk"]["S"], desk, "", KEYS, NOON)
    (reply,) = acknowledgements(case_id)
    key = outbox_key(reply)
    settle_message(key, Delivery(DeliveryState.ACCEPTED, NOON, "0a1b2c"), NOTIFIER)

    provider.log += [kf_event("msg_send_fail", fail_msgid="0a1b2c", fail_type=6)]
    pull(provider)

    delivery = read_outbound(key).delivery
    assert delivery.state is DeliveryState.FAILED
    assert delivery.error.startswith("6 more than 5 messages")


# Any order, any crash


class DiedError(BaseException):
    """The process is gone: nothing after this line runs in it, no clean-up either."""


@contextmanager
def dying_at(number: int, *, after: bool) -> Iterator[None]:
    """The process dies at the *number*-th call that it makes to the store; at none if 0."""
    calls = 0
    original = Connection._make_api_call

    def dying(self: Connection, operation: str, arguments: dict) -> dict:
        nonlocal calls
        calls += 1
        if number and (calls > number or (calls == number and not after)):
            raise DiedError
        answer = original(self, operation, arguments)
        if calls == number:
            raise DiedError
        return answer

    Connection._make_api_call = dying
    try:
        with suppress(DiedError):
            yield
    finally:
        Connection._make_api_call = original


OTHER = "wmF3BfCAAAother"
LOG = [
    kf_event("enter_session", "E1"),
    kf_text("充值没到账", "M1"),
    kf("image", {"media_id": "m-1"}, "M2"),
    kf_text("您好", "M3", origin=5),
    kf_text("我也是", "M4", external_userid=OTHER),
    {"msgid": "M5", "origin": 3, "msgtype": "text"},
    kf_text("充值没到账", "M1"),
    kf_event("user_recall_msg", "E2", recall_msgid="M1"),
    kf_text("算了", "M6", external_userid=OTHER),
]


def final_records():
    """What is in the cases and in the ledger, without what is drawn at random or told by clocks."""
    name = boto3.client("dynamodb").list_tables()["TableNames"][0]
    items = boto3.client("dynamodb").scan(TableName=name)["Items"]
    kept = sorted(
        (
            one["account"]["S"],
            one["state"]["S"],
            bytes(one["body"]["B"]),
            one.get("message_id", {}).get("S") is not None,
        )
        for one in items
        if one["kind"]["S"] == "ledger"
    )
    heads = sorted(
        one["pk"]["S"].removeprefix("CASE#") for one in items if one["kind"]["S"] == "case"
    )
    files = [cases.read_file(case_id) for case_id in heads]
    said = sorted(
        [
            (m.author, m.body, m.provider_id, m.attachments, m.occurred_at, dict(m.fields))
            for m in file.messages
        ]
        for file in files
    )
    pulled = read_pull("wecom", KFID)
    return kept, said, (pulled.cursor, pulled.holder)


@contextmanager
def a_table():
    with mock_aws():
        make_table()
        yield


@cache
def clean_records():
    with a_table():
        pull(WeCom(LOG, size=100))
        return final_records()


stories = st.lists(
    st.tuples(
        st.integers(0, len(LOG)),
        st.sampled_from([0, 1, 2, 3, 5, 8, 13, 21, 34]),
        st.booleans(),
        st.sampled_from([0, 1, 10, 50]),
    ),
    max_size=3,
)


@given(stories, st.integers(1, 4), st.integers(0, 2))
@settings(deadline=None, max_examples=4 * DEPTH)
def test_any_hints_and_any_deaths_leave_the_records_of_one_clean_pull(story, size, empty_pages):
    """Each step: so much of the log is there, a hint comes, and its puller may die at some call."""
    expected = clean_records()
    with a_table():
        clock, shown = Clock(), 0
        for number, (length, dies_at, after, wait) in enumerate(story):
            shown = max(shown, length)
            provider = WeCom(LOG[:shown], size=size, empty_pages=empty_pages)
            with dying_at(dies_at, after=after):
                pull(provider, holder=f"h{number}", clock=clock)
            clock.at += timedelta(seconds=wait)
        # In the end the clock sees to it, once every lock has run out.
        clock.at += LOCK_LIFETIME
        pull(WeCom(LOG, size=size, empty_pages=empty_pages), holder="last", clock=clock)

        kept, said, (cursor, holder) = final_records()
        assert kept == expected[0]
        assert said == expected[1]
        assert (cursor.partition(".")[0], holder) == (str(len(LOG)), "")
