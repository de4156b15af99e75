"""Contacts that reach the desk by voice or in person: Amazon Connect, and what agents enter."""

import json
from datetime import timedelta

import pytest

from caseweave.agents.caller import Caller, Moment
from caseweave.agents.contacts import enter_contact
from caseweave.connect_intake import receive_contact_event
from caseweave.domain.case import CaseState
from caseweave.domain.event import Actor, EventKind
from caseweave.domain.handling import set_state
from caseweave.domain.identity import Proof
from caseweave.domain.message import Channel
from caseweave.errors import ForbiddenError, InvalidRequestError, NotFoundError
from caseweave.intake import Landed
from caseweave.storage import cases
from caseweave.storage.ledger import list_quarantined
from tests.channels.test_connect import event
from tests.usecases.test_router import route
from tests.usecases.world import NOON, YEAR, message, phone, proven, receive, sms

PHONE = "+8613800138000"
LIN = ("TELEPHONE_NUMBER", PHONE, "Lin")
AGENT = Caller("agent-7", ("agent",))


def call(told, door, at=NOON):
    return receive_contact_event(told, lambda *_: LIN, lambda: door, YEAR, at)


def case_of_call(dump):
    (found,) = {item["case_id"]["S"] for item in dump() if item["kind"]["S"] == "ledger"}
    return cases.read_file(found)


def ended(**detail):
    return event("DISCONNECTED", disconnectTimestamp="2026-11-23T05:30:33.120Z", **detail)


def test_a_call_and_how_it_ended_are_one_case_in_any_order(table, door, dump):
    assert call(ended(), door)
    assert call(event(), door)
    assert not call(event(), door)
    assert not call(ended(), door)

    file = case_of_call(dump)
    assert [m.fields.get("remark", "") for m in file.messages] == ["", "addition"]
    assert file.case.contacts == {}
    assert file.case.channels == (Channel.VOICE,)


def test_what_was_said_is_added_to_the_case_of_the_call_although_it_is_closed(
    table, door, desk, dump
):
    call(event(), door)
    file = case_of_call(dump)
    closed = set_state(file.case, CaseState.CLOSED, "done", desk, Actor("agent", "a"), NOON, "01M")
    cases.commit_change(closed)

    call(ended(), door, NOON + timedelta(minutes=5))

    file = case_of_call(dump)
    assert (file.case.state, len(file.messages)) == (CaseState.CLOSED, 2)


def test_a_call_from_a_customers_number_joins_nothing_and_suggests_it(table, door, dump):
    known = receive(sms(PHONE), door)

    call(event(), door)

    (case_id,) = {item["case_id"]["S"] for item in dump() if item["kind"]["S"] == "ledger"} - {
        known.case_id
    }
    events = cases.read_file(case_id).events
    (suggested,) = [e for e in events if e.kind is EventKind.CUSTOMER_SUGGESTED]
    assert suggested.private["address"] == f"phone:{PHONE}"


def test_a_call_is_triaged_and_not_acknowledged(table, door, desk, dump):
    call(event(), door)
    file = case_of_call(dump)

    change = route(Landed(file.case.id, file.case.ref, file.messages[0].id, is_new=True), desk)

    assert change.messages == ()
    assert EventKind.CASE_TRIAGED in [e.kind for e in change.events]


@pytest.mark.parametrize("told", [{}, {"detail": 7}, {"detail": {"contactId": "x"}}])
def test_an_event_that_names_no_contact_is_quarantined(table, door, told):
    assert not call(told, door)

    (kept,) = list_quarantined(10)
    assert json.loads(kept.body) == told


def enter(said, door, submission="S1", caller=AGENT):
    moment = Moment(NOON, door.entropy)
    return enter_contact(said, submission, caller, door, YEAR, moment)


def test_what_was_said_at_the_counter_joins_the_case_that_the_agent_names(table, door):
    first = receive(sms(PHONE), door)
    said = {"case": first.ref, "body": "来店里问了", "occurred_at": "2026-11-23T09:00:00Z"}

    entered = enter(said, door)

    assert entered["case_id"] == first.case_id
    assert enter(said, door) == entered
    file = cases.read_file(first.case_id)
    shown = file.messages[0]
    assert (shown.body, shown.channel, shown.proof) == ("来店里问了", Channel.OFFLINE, Proof.AGENT)
    assert shown.fields == {"entered_by": "agent-7"}
    assert len(file.messages) == 2
    # An answer still goes where one can go.
    assert file.case.last_channel is Channel.SMS


def test_a_customer_without_an_open_case_gets_one(table, door, desk):
    first = receive(sms(PHONE), door)
    case = cases.read_head(first.case_id)
    cases.commit_change(
        set_state(case, CaseState.CLOSED, "done", desk, Actor("agent", "a"), NOON, "01M")
    )

    entered = enter({"customer_id": case.customer_id, "body": "letter", "channel": "voice"}, door)

    assert entered["case_id"] != first.case_id
    opened = cases.read_head(entered["case_id"])
    assert (opened.customer_id, opened.channels) == (case.customer_id, (Channel.VOICE,))
    hello = message(Channel.SMS, "twilio", proven(phone(PHONE)), "hi", "SM9")
    later = receive(hello, door, NOON + timedelta(days=2))
    assert later.case_id == entered["case_id"]


def test_a_number_that_is_only_written_down_suggests_whose_it_is(table, door):
    known = receive(sms(PHONE), door)

    entered = enter({"phone": PHONE, "body": "somebody at the counter"}, door)

    assert entered["case_id"] != known.case_id
    events = cases.read_file(entered["case_id"]).events
    assert EventKind.CUSTOMER_SUGGESTED in [e.kind for e in events]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"body": " "}, "body"),
        ({"body": "x" * 20_001}, "body"),
        ({}, "body"),
        ({"body": "x", "channel": "sms"}, "channel"),
        ({"body": "x", "channel": ["sms"]}, "channel"),
        ({"body": "x", "occurred_at": "2027-01-01T00:00:00Z"}, "occurred_at"),
        ({"body": "x", "phone": "13800138000"}, "phone"),
        ({"body": "x", "email": "lin"}, "email"),
        ({"body": "x", "name": 7}, "name"),
    ],
)
def test_what_cannot_be_entered_says_what_to_write_instead(table, door, said, field):
    with pytest.raises(InvalidRequestError) as refused:
        enter(said, door)

    assert [name for name, _ in refused.value.errors] == [field]


def test_nobody_enters_for_an_unknown_customer_or_case_or_without_the_role(table, door):
    with pytest.raises(NotFoundError):
        enter({"body": "x", "customer_id": "01NOBODY"}, door)
    with pytest.raises(NotFoundError):
        enter({"body": "x", "case": "C-0000-0000"}, door)
    with pytest.raises(ForbiddenError):
        enter({"body": "x"}, door, caller=Caller("auditor-1", ("auditor",)))
