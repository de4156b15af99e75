"""STOP and START by SMS: obeyed once, whatever dies, comes twice, or comes late."""

from dataclasses import replace
from datetime import timedelta

import pytest

from caseweave.channels.parts import whole_message
from caseweave.channels.request import Sent
from caseweave.domain.case import CaseState
from caseweave.domain.event import EventKind
from caseweave.domain.message import Channel, DeliveryState, Direction, Purpose
from caseweave.errors import UnavailableError
from caseweave.notifier import notify
from caseweave.storage import cases
from caseweave.storage.consent import read_consent
from caseweave.storage.outbox import outbox_key, read_outbound
from tests.domain.samples import told
from tests.usecases.test_notifier import Provider
from tests.usecases.test_outages import declare, notices, sweep
from tests.usecases.test_router import acknowledgements, route
from tests.usecases.world import NOON, crash_at_call, proven, receive, sms, telegram
from tests.usecases.world import message as any_message

PHONE = "+8613800138000"
OURS = {"to": "+15550001111"}
MINUTE = timedelta(minutes=1)


class Customer:
    """Somebody who texts; every message is routed at once."""

    def __init__(self, door, desk):
        self.door, self.desk, self.count = door, desk, 0

    def text(self, body, provider="vonage", **more):
        self.count += 1
        inbound = any_message(
            Channel.SMS,
            provider,
            proven(phone_of(PHONE)),
            body,
            f"SM{self.count}",
            context=OURS,
            **more,
        )
        landed = receive(inbound, self.door, NOON + self.count * MINUTE)
        route(landed, self.desk)
        return landed


def phone_of(number):
    return sms(number).sender.proven[0].address


@pytest.fixture
def customer(table, door, desk):
    return Customer(door, desk)


def sent_to(landed):
    messages = cases.read_file(landed.case_id).messages
    return [m for m in messages if m.direction is Direction.OUTBOUND]


def send(message):
    provider = Provider(Sent("out-1"))
    state = notify(
        str(outbox_key(message)), whole_message, provider, lambda: NOON, is_last_try=False
    )
    return state, len(provider.taken)


def consent_after(landed):
    (message,) = [m for m in cases.read_file(landed.case_id).messages if m.id == landed.message_id]
    return read_consent(message.contact)


def events(landed, kind):
    return [told(e) for e in cases.read_file(landed.case_id).events if e.kind is kind]


def test_stop_is_confirmed_once_not_acknowledged_and_nothing_else_leaves(customer):
    customer.text("还没到账")
    landed = customer.text("退订。")

    acknowledgement, confirmation = sent_to(landed)
    assert consent_after(landed).is_opted_out
    assert confirmation.purpose is Purpose.NOTICE
    assert "退订" in confirmation.body
    assert send(confirmation) == (DeliveryState.ACCEPTED, 1)
    assert send(acknowledgement) == (DeliveryState.FAILED, 0)
    error = read_outbound(outbox_key(acknowledgement)).delivery.error
    assert error == (
        "the customer sent STOP at 2026-11-23T12:02:00.000Z: answer on another channel;"
        " by SMS only after they sent START"
    )
    assert events(landed, EventKind.CONSENT_CHANGED) == [
        {
            "channel": "sms",
            "number": "15550001111",
            "address": f"phone:{PHONE}",
            "state": "opted_out",
        }
    ]


def test_where_the_provider_answers_stop_we_say_nothing(customer):
    landed = customer.text("STOP", "twilio")

    assert sent_to(landed) == []
    assert consent_after(landed).is_opted_out


def test_a_case_that_is_nothing_but_a_stop_is_closed(customer):
    landed = customer.text("STOP", "twilio")

    case = cases.read_head(landed.case_id)
    assert (case.state, case.due_at) == (CaseState.CLOSED, None)
    assert customer.text("one more thing").case_id != landed.case_id


def test_a_stop_that_was_overtaken_by_a_question_leaves_the_case_open(table, door, desk):
    customer = Customer(door, desk)
    stop = receive(sms(PHONE, "STOP", "SM1"), door)
    question = receive(sms(PHONE, "还没到账", "SM2"), door, NOON + MINUTE)
    route(stop, desk)
    route(question, desk)

    case = cases.read_head(stop.case_id)
    assert (case.state, case.category) == (CaseState.NEW, "topup_fault")
    assert customer.count == 0


def test_start_lets_messages_leave_again(customer):
    customer.text("STOP", "twilio")
    landed = customer.text("恢复")

    assert not consent_after(landed).is_opted_out
    (confirmation,) = sent_to(landed)
    assert "恢复" in confirmation.body
    assert send(confirmation) == (DeliveryState.ACCEPTED, 1)


def test_start_of_somebody_who_never_stopped_is_a_message_as_any_other(customer):
    landed = customer.text("恢复")

    assert consent_after(landed) is None
    assert len(acknowledgements(landed.case_id)) == 1
    assert cases.read_head(landed.case_id).is_active


def test_help_is_answered_once_and_the_case_stays_with_people(customer):
    landed = customer.text("帮助")
    customer.text("HELP")

    (answer,) = sent_to(landed)
    assert "退订" in answer.body
    assert landed.ref in answer.body
    assert cases.read_head(landed.case_id).is_active


def test_a_longer_sentence_with_the_word_opts_nobody_out(customer):
    landed = customer.text("please stop charging me twice")

    assert consent_after(landed) is None
    assert len(acknowledgements(landed.case_id)) == 1


def test_another_number_of_ours_may_still_write(customer):
    stopped = customer.text("退订")
    customer.count += 1
    other = any_message(
        Channel.SMS, "vonage", proven(phone_of(PHONE)), "hello there", "SM9", context={"to": "1888"}
    )
    landed = receive(other, customer.door, NOON + 9 * MINUTE)
    route(landed, customer.desk)

    (acknowledgement,) = acknowledgements(landed.case_id)
    assert consent_after(stopped).is_opted_out
    assert send(acknowledgement) == (DeliveryState.ACCEPTED, 1)


def test_from_a_number_that_nobody_knows_nothing_leaves_to_who_stopped_any(customer):
    landed = customer.text("退订")
    contact = replace(sent_to(landed)[0].contact, account="", context={})

    assert read_consent(contact).is_opted_out
    customer.text("恢复")
    assert not read_consent(contact).is_opted_out


def test_a_replayed_record_of_a_stop_or_a_start_changes_nothing(customer, desk, dump):
    stop = customer.text("退订")
    start = customer.text("恢复")
    before = dump()

    for landed in (stop, start, stop):
        assert route(landed, desk).is_empty

    assert dump() == before


def test_an_older_word_that_is_routed_late_does_not_undo_a_newer_one(table, door, desk):
    first = receive(sms(PHONE, "退订", "SM1"), door)
    second = receive(sms(PHONE, "退订", "SM2"), door, NOON + 2 * MINUTE)
    third = receive(sms(PHONE, "恢复", "SM3"), door, NOON + MINUTE)
    route(first, desk)
    route(second, desk)
    route(third, desk)

    assert consent_after(second).is_opted_out


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_dying_at_any_store_call_obeys_it_once(table, door, desk, number, after):
    landed = receive(sms(PHONE, "退订"), door)
    with crash_at_call(number, after=after), pytest.raises(UnavailableError):
        route(landed, desk)

    route(landed, desk)

    assert len(sent_to(landed)) == 1
    assert consent_after(landed).is_opted_out
    assert cases.read_head(landed.case_id).state is CaseState.CLOSED


def test_an_outage_notice_takes_another_way_or_none(customer, desk, door):
    landed = customer.text("游戏充值没到账")
    customer.text("退订")
    declare()

    assert sweep(desk) == 0
    assert [m for m in notices(landed.case_id) if "游戏充值到账延迟" in m.body] == []


def test_an_outage_notice_goes_to_the_messenger_of_who_stopped_the_sms(customer, desk, door):
    landed = customer.text("游戏充值没到账")
    linked = proven(telegram("42"), phone_of(PHONE))
    receive(any_message(Channel.MESSENGER, "telegram", linked, "我在这里", "7"), door, NOON)
    customer.text("退订")
    declare()

    assert sweep(desk) == 1
    (notice,) = [m for m in notices(landed.case_id) if "游戏充值到账延迟" in m.body]
    assert notice.channel is Channel.MESSENGER
