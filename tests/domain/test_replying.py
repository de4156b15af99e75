from dataclasses import replace

import pytest

from caseweave.domain.case import Case, CaseState
from caseweave.domain.clocks import ClockKind
from caseweave.domain.event import EventKind
from caseweave.domain.handling import set_state
from caseweave.domain.message import (
    Channel,
    Delivery,
    DeliveryState,
    Direction,
    Message,
    Purpose,
)
from caseweave.domain.replying import add_note, reply_to_customer
from caseweave.domain.routing import route_message
from caseweave.domain.wording import Wording
from caseweave.errors import InvalidRequestError
from tests.domain.samples import AGENT, CASE_ID, CUSTOMER_ID, DESK, at, opened, wrote

NOW = at("2026-11-23 09:05")


def routed() -> Case:
    case, message = opened("充值没到账")
    return route_message(case, message, DESK, Wording(), at("2026-11-23 09:00"), "R1").after


def test_a_reply_is_queued_on_the_channel_last_used():
    case = routed()
    change = reply_to_customer(case, "Please wait.", None, AGENT, NOW, "A1")
    assert change.messages == (
        Message(
            id="A1",
            case_id=CASE_ID,
            customer_id=CUSTOMER_ID,
            direction=Direction.OUTBOUND,
            channel=Channel.SMS,
            provider="twilio",
            author="agent:ling",
            body="Please wait.",
            subject="充值没到账",
            occurred_at=NOW,
            received_at=NOW,
            purpose=Purpose.REPLY,
            contact=case.contacts[Channel.SMS],
            fields={"reference": "C-7K3F-9Q2M"},
            delivery=Delivery(DeliveryState.QUEUED, NOW),
            seq=6,
        ),
    )
    event, opened = change.events
    assert (event.kind, event.actor) == (EventKind.MESSAGE_QUEUED, AGENT)
    assert (opened.kind, opened.data["after"]) == (EventKind.STATE_CHANGED, "open")
    assert {key: event.data[key] for key in ("message_id", "channel", "purpose")} == {
        "message_id": "A1",
        "channel": "sms",
        "purpose": "reply",
    }


def test_a_reply_opens_a_new_case_and_stops_the_reply_clock_only():
    after = reply_to_customer(routed(), "Please wait.", None, AGENT, NOW, "A1").after
    assert after.state is CaseState.OPEN
    assert (after.replied_seq, after.state_seq) == (after.seq - 1, after.seq)
    assert [(clock.kind, clock.stopped_at) for clock in after.clocks] == [
        (ClockKind.FIRST_REPLY, NOW),
        (ClockKind.OUTCOME, None),
    ]


def test_a_reply_to_a_waiting_case_leaves_it_waiting():
    pending = set_state(routed(), CaseState.PENDING, "", DESK, AGENT, NOW, "Q1").after
    after = reply_to_customer(pending, "Any news?", None, AGENT, NOW, "A1").after
    assert (after.state, after.clocks) == (CaseState.PENDING, pending.clocks)


def test_a_reply_can_go_to_any_channel_on_which_the_customer_wrote():
    case, _ = wrote(routed(), "hi", "2026-11-23 09:02", "M2", channel=Channel.EMAIL, provider="ses")
    change = reply_to_customer(case, "Please wait.", Channel.SMS, AGENT, NOW, "A1")
    assert [(m.channel, m.provider) for m in change.messages] == [(Channel.SMS, "twilio")]


def test_a_reply_needs_a_channel_on_which_the_customer_wrote():
    with pytest.raises(InvalidRequestError) as caught:
        reply_to_customer(routed(), "hi", Channel.EMAIL, AGENT, NOW, "A1")
    assert str(caught.value) == "The customer cannot be reached by email."
    assert caught.value.errors == (("channel", "use one of: sms"),)


def test_a_case_without_any_contact_cannot_be_answered():
    nobody = replace(routed(), contacts={}, last_channel=None)
    with pytest.raises(InvalidRequestError) as caught:
        reply_to_customer(nobody, "hi", None, AGENT, NOW, "A1")
    assert caught.value.errors == (("channel", "use one of: none"),)


def test_a_closed_case_is_not_answered():
    closed = set_state(routed(), CaseState.CLOSED, "", DESK, AGENT, NOW, "Q1").after
    with pytest.raises(InvalidRequestError, match="This case is closed"):
        reply_to_customer(closed, "hi", None, AGENT, NOW, "A1")


@pytest.mark.parametrize(
    ("body", "advice"),
    [
        ("", "write at least one character"),
        (" \n\t\u3000", "write at least one character"),
        ("字" * 10_001, "write at most 10000 characters"),
    ],
)
def test_an_empty_or_overlong_text_is_refused(body, advice):
    for write in (
        lambda: reply_to_customer(routed(), body, None, AGENT, NOW, "A1"),
        lambda: add_note(routed(), body, AGENT, NOW, "N1"),
    ):
        with pytest.raises(InvalidRequestError) as caught:
            write()
        assert caught.value.errors == (("body", advice),)


def test_the_longest_reply_is_ten_thousand_characters():
    assert not reply_to_customer(routed(), "字" * 10_000, None, AGENT, NOW, "A1").is_empty


def test_a_note_is_for_agents_only_and_changes_nothing_else():
    case = routed()
    change = add_note(case, "Checked the ledger.", AGENT, NOW, "N1")
    assert change.messages == (
        Message(
            id="N1",
            case_id=CASE_ID,
            customer_id=CUSTOMER_ID,
            direction=Direction.NOTE,
            channel=Channel.SMS,
            provider="caseweave",
            author="agent:ling",
            body="Checked the ledger.",
            occurred_at=NOW,
            received_at=NOW,
            seq=6,
        ),
    )
    assert change.messages[0].delivery is None
    assert [event.kind for event in change.events] == [EventKind.NOTE_ADDED]
    assert (change.after.clocks, change.after.state) == (case.clocks, case.state)
