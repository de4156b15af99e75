"""Replay: what was not understood becomes a message, once; what was, changes nothing."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caseweave.agents.caller import Caller
from caseweave.agents.replay import list_ledger, replay_entries
from caseweave.channels import telegram, vonage, whatsapp
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest
from caseweave.domain.event import Actor
from caseweave.domain.message import Channel, Delivery, DeliveryState
from caseweave.domain.replying import reply_to_customer
from caseweave.errors import (
    ForbiddenError,
    InvalidRequestError,
    MissingSecretError,
    UnavailableError,
)
from caseweave.intake import quarantine, take_in
from caseweave.replay import Outcome, Replayer
from caseweave.storage import cases, ledger
from caseweave.storage.ledger import LedgerName, LedgerState, read_entries
from caseweave.storage.ledger_pages import LedgerFilter, list_all
from caseweave.storage.outbox import outbox_key, settle_message
from tests.channels import test_whatsapp
from tests.depth import DEPTH
from tests.usecases.world import NOON, YEAR, crash_at_call, raw

ACCOUNT = Credentials("telegram", {"bot_id": "7", "secret_token": ["s"]})
LEAD = Caller("lead", ("lead",))
_numbers = count(1)


def update(user=9, number=5, text="hello", **more):
    said = {
        "message_id": number,
        "from": {"id": user, "is_bot": False, "first_name": "T"},
        "chat": {"id": user, "type": "private"},
        "date": int(NOON.timestamp()),
        "text": text,
    }
    return json.dumps({"update_id": number, "message": said} | more).encode()


UPDATE = update()


@pytest.fixture
def kept(table):
    """Two bodies of Telegram that an earlier parser did not understand."""
    for body in (UPDATE, b"{oops"):
        quarantine(replace(raw(body=body), provider="telegram", account=""), "not understood")


def replayer(door, read_credentials=lambda name: ACCOUNT):
    return Replayer("files", read_credentials, door, YEAR)


def run(door, **more):
    return replayer(door, **more).replay_quarantined(10)


def test_what_is_understood_now_becomes_a_message_and_leaves_the_list(kept, door, dump):
    assert sorted(one.outcome for one in run(door)) == [Outcome.NOT_UNDERSTOOD, Outcome.TAKEN_IN]

    assert [entry.body for entry in ledger.list_quarantined(10)] == [b"{oops"]
    bodies = [item["body"]["S"] for item in dump() if item["kind"]["S"] == "message"]
    assert bodies == ["hello"]


def test_what_is_quarantined_stays_until_it_is_understood_and_then_goes_in_time(kept, door, dump):
    assert not any("expires_at" in item for item in dump())

    run(door)

    ends = {
        item["state"]["S"]: item.get("expires_at", {}).get("N")
        for item in dump()
        if item["kind"]["S"] == "ledger"
    }
    in_a_year = str(int((NOON + YEAR).timestamp()))
    assert ends == {"quarantined": None, "replayed": in_a_year, "parsed": in_a_year}


def test_replaying_again_changes_nothing(kept, door, dump):
    run(door)
    before = dump()

    assert [one.outcome for one in run(door)] == [Outcome.NOT_UNDERSTOOD]
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

    done = run(door, read_credentials=no_account)

    assert [one.outcome for one in done] == [Outcome.NOT_UNDERSTOOD] * 2
    assert dump() == before


def test_two_requests_by_query_alone_that_nobody_understands_are_two_entries(table):
    entries = [
        replace(raw(body=b""), headers={"x-caseweave-query": query}) for query in ("a=1", "a=2")
    ]

    assert [quarantine(one, "?") for one in entries] == [True, True]


# Listing and replaying a range, as leads do


def take(door, user, number, at):
    body = update(user, number, f"text {number}")
    own = replace(raw(at, body), provider="telegram", account="")
    take_in(telegram.parse(WebhookRequest(body), ACCOUNT), own, door)


@pytest.fixture
def three(table, door):
    """Messages of three hours, of three customers."""
    for number in (1, 2, 3):
        take(door, 100 + number, number, NOON + timedelta(hours=number))


def listed(**query):
    return sorted(one["event_id"] for one in list_ledger(query, LEAD)["items"])


def test_the_ledger_is_listed_by_time_provider_and_state(three):
    assert listed() == ["1", "2", "3"]
    assert listed(**{"from": "2026-11-23T14:00:00Z"}) == ["2", "3"]
    assert listed(to="2026-11-23T14:00:00Z") == ["1"]
    assert listed(**{"from": "2026-11-23T22:00:00+08:00", "to": "2026-11-23T15:00:00Z"}) == ["2"]
    assert listed(provider="line") == []
    assert listed(provider="telegram", state="parsed") == ["1", "2", "3"]
    assert listed(state="quarantined") == []


def test_an_entry_says_where_it_landed(three):
    (shown,) = list_ledger({"to": "2026-11-23T14:00:00Z"}, LEAD)["items"]

    (message,) = cases.read_file(shown["case_id"]).messages
    assert shown == {
        "provider": "telegram",
        "account": "7",
        "event_id": "1",
        "received_at": "2026-11-23T13:00:00.000Z",
        "state": "parsed",
        "reason": "",
        "case_id": message.case_id,
        "message_id": message.id,
    }


@pytest.mark.parametrize(
    "query", [{"from": "yesterday"}, {"state": "lost"}, {"cursor": "!"}, {"limit": "0"}]
)
def test_a_question_that_is_not_understood_is_told_what_to_ask(table, query):
    with pytest.raises(InvalidRequestError) as refused:
        list_ledger(query, LEAD)

    assert refused.value.errors


def test_an_agent_sees_no_raw_ledger_and_replays_nothing(table, door):
    agent = Caller("a", ("agent",))
    with pytest.raises(ForbiddenError):
        list_ledger({}, agent)
    with pytest.raises(ForbiddenError):
        replay_entries({"entries": []}, agent, lambda: replayer(door))
    with pytest.raises(ForbiddenError):
        replay_entries({"entries": []}, Caller("a", ("auditor",)), lambda: replayer(door))


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"entries": []},
        {"entries": [{}] * 51},
        {"entries": ["x"]},
        {"entries": [{"provider": 1}]},
    ],
)
def test_entries_without_names_are_refused(table, door, said):
    with pytest.raises(InvalidRequestError):
        replay_entries(said, LEAD, lambda: replayer(door))


def test_what_was_replayed_is_counted(three, door, dump):
    before = dump()
    named = list_ledger({}, LEAD)["items"] + [
        {"provider": "telegram", "account": "7", "event_id": "gone"}
    ]

    told = replay_entries({"entries": named}, LEAD, lambda: replayer(door))

    assert (told["counts"], told["new"], told["understood"]) == ({"known": 3, "gone": 1}, 0, 3)
    assert [one["event_id"] for one in told["items"]] == ["1", "2", "3", "gone"]
    assert dump() == before


def test_an_event_of_a_request_that_was_lost_on_the_way_is_taken_in(table, door):
    both = json.dumps([update(1, 1).decode(), update(2, 2).decode()]).encode()
    first = telegram.parse(WebhookRequest(update(1, 1)), ACCOUNT)
    take_in(first, replace(raw(body=both), provider="telegram"), door)

    class Batch:
        @staticmethod
        def parse(request, credentials):
            parts = json.loads(request.body)
            return [telegram.parse(WebhookRequest(p.encode()), credentials)[0] for p in parts]

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(__import__("caseweave.rereading").rereading._PROVIDERS, "telegram", Batch)
        (done,) = replayer(door).replay_named([LedgerName("telegram", "7", "1")])

    assert (done.outcome, done.new) == (Outcome.TAKEN_IN, 1)
    assert len(list(list_all(LedgerFilter()))) == 2


# Whatever happened before: everything again is nothing new


USERS = st.integers(1, 3)
TEXTS = st.sampled_from(["hello", "还没到账", "/start", ""])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("message"), USERS, TEXTS),
        st.tuples(st.just("edit"), USERS, TEXTS),
        st.tuples(st.just("ignored"), USERS, TEXTS),
        st.tuples(st.just("reaction"), USERS, TEXTS),
        st.tuples(st.just("part"), st.integers(1, 3), st.sampled_from(["a", "b"])),
        st.tuples(st.just("receipt"), USERS, st.sampled_from(["delivered", "failed"])),
        st.tuples(st.just("garbage"), USERS, TEXTS),
        st.tuples(st.just("whatsapp"), USERS, TEXTS),
        st.tuples(st.just("moved"), USERS, USERS),
    ),
    max_size=8,
)
SMS = {
    "vonage": Credentials("vonage", {"signature_secret": "s"}),
    "telegram": ACCOUNT,
    "whatsapp": test_whatsapp.ACCOUNT,
}


def as_request(kind, who, text, number, base):
    user, chat = {"id": base + who, "is_bot": False}, {"id": base + who, "type": "private"}
    said = {"message_id": 1, "from": user, "chat": chat, "date": 1_795_411_473, "text": text}
    if kind == "part":
        sms = {"msisdn": str(8_613_800_000_000 + base), "to": "15550001111", "type": "text"}
        sms |= {"messageId": f"{base}-{text}-{who}", "text": f"<{who}>", "concat": "true"}
        sms |= {"concat-ref": text, "concat-part": str(who), "concat-total": "3"}
        return "vonage", vonage, json.dumps(sms).encode()
    if kind == "receipt":
        sms = {"messageId": f"{base}-{number}", "status": text, "msisdn": "8613800138000"}
        return "vonage", vonage, json.dumps(sms).encode()
    if kind in ("whatsapp", "moved"):
        numbers = [str(8_613_900_000_000 + base + one) for one in range(5)]
        system = (
            {"type": "user_changed_number", "wa_id": numbers[text + 1]} if kind == "moved" else {}
        )
        content = {"system": system} if system else {"text": {"body": text}}
        sent = test_whatsapp.said("system" if system else "text", **content)
        sent |= {"from": numbers[who], "id": f"wamid.{base + number}"}
        posted = test_whatsapp.batch(test_whatsapp.change(messages=[sent]))
        return "whatsapp", whatsapp, json.dumps(posted).encode()
    if kind == "garbage":
        return "telegram", telegram, f"{{{base}.{number}".encode()
    content = {
        "message": {"message": said},
        "edit": {"edited_message": said | {"edit_date": 1_795_411_474}},
        "ignored": {"poll": {"id": "1"}},
        "reaction": {
            "message_reaction": {
                "chat": chat,
                "message_id": 1,
                "user": user,
                "date": 1_795_411_473,
                "old_reaction": [],
                "new_reaction": [{"type": "emoji", "emoji": "👍"}],
            }
        },
    }[kind]
    return "telegram", telegram, json.dumps({"update_id": base + number, **content}).encode()


def deliver(request, door, at):
    name, provider, body = request
    own = replace(raw(at, body), provider=name, account="")
    try:
        events = provider.parse(WebhookRequest(body), SMS[name])
    except Exception as error:  # noqa: BLE001 - as at the door
        quarantine(own, type(error).__name__)
    else:
        take_in(events, own, door)


@settings(
    max_examples=5 * DEPTH,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS, died=st.integers(0, 6), after=st.booleans(), again=st.integers(1, 9))
def test_replaying_everything_changes_nothing_whatever_came_and_wherever_it_died(
    table, door, dump, steps, died, after, again
):
    base = next(_numbers) * 1000
    for number, step in enumerate(steps):
        request = as_request(*step, number, base)
        at = NOON + timedelta(minutes=number)
        with suppress(UnavailableError), crash_at_call(died, after=after):
            deliver(request, door, at)
        # The provider delivers again what was not acknowledged.
        deliver(request, door, at)
    before = dump()
    names = [line.name for line in list_all(LedgerFilter())]
    own = replayer(door, SMS.__getitem__)

    with crash_at_call(again, after=after), suppress(UnavailableError):
        own.replay_named(names[-10:])
    done = own.replay_named(names)

    assert dump() == before
    kept = read_entries(names)
    assert {one.name for one in done if one.outcome is not Outcome.KNOWN} == {
        name for name in names if kept[name].state is LedgerState.QUARANTINED
    }


@pytest.mark.parametrize("word", ["delivered", "failed"])
def test_a_receipt_that_settled_an_answer_settles_nothing_again(table, door, desk, dump, word):
    said = {"messageId": "V1", "msisdn": "8613800138000", "to": "15550001111", "text": "hi"}
    deliver(("vonage", vonage, json.dumps(said | {"type": "text"}).encode()), door, NOON)
    (line,) = list_all(LedgerFilter())
    case = cases.read_head(line.case_id)
    agent = Actor("agent", "a")
    change = reply_to_customer(case, "已补发", Channel.SMS, agent, NOON, "01REPLY")
    cases.commit_change(change)
    sent = Delivery(DeliveryState.ACCEPTED, NOON, "V2")
    settle_message(outbox_key(change.messages[0]), sent, Actor("system", "notifier"))
    receipt = {"messageId": "V2", "status": word, "msisdn": "8613800138000"}
    deliver(("vonage", vonage, json.dumps(receipt).encode()), door, NOON + timedelta(minutes=1))
    states = [m.delivery.state for m in cases.read_file(case.id).messages if m.delivery]
    assert states == [word]
    before = dump()

    done = replayer(door, SMS.__getitem__).replay_named(
        [line.name for line in list_all(LedgerFilter())]
    )

    assert [one.outcome for one in done] == [Outcome.KNOWN, Outcome.KNOWN]
    assert dump() == before
