"""The router on stored cases: once, whole, whatever dies in the middle."""

from datetime import timedelta

import pytest

from caseweave.domain.identity import Proof
from caseweave.domain.message import Channel, Direction, Purpose
from caseweave.domain.times import to_rfc3339
from caseweave.errors import NotFoundError, UnavailableError
from caseweave.router import route_case
from caseweave.storage import cases
from tests.usecases.conftest import KEYS
from tests.usecases.world import (
    NOON,
    crash_at_call,
    message,
    platform,
    proven,
    receive,
    sms,
    unproven,
)

PHONE = "+8613800138000"
SECOND = timedelta(seconds=1)


def route(landed, desk, bot="our_bot"):
    (kept,) = [m for m in cases.read_file(landed.case_id).messages if m.id == landed.message_id]
    return route_case(
        landed.case_id,
        f"MSG#{to_rfc3339(kept.occurred_at)}#{kept.id}",
        desk,
        bot,
        KEYS,
        NOON + timedelta(seconds=1),
    )


def acknowledgements(case_id):
    return [m for m in cases.read_file(case_id).messages if m.purpose is Purpose.ACKNOWLEDGEMENT]


def test_a_first_message_is_triaged_assigned_timed_and_acknowledged(table, door, desk):
    landed = receive(sms(PHONE, "充值没到账,订单 T20261123-7731"), door)

    route(landed, desk)

    case = cases.read_head(landed.case_id)
    assert (case.category, case.team, case.priority) == ("topup_fault", "frontline", "high")
    assert case.due_at == NOON + timedelta(minutes=10)
    (reply,) = acknowledgements(landed.case_id)
    assert reply.direction is Direction.OUTBOUND
    assert reply.channel is Channel.SMS
    assert landed.ref in reply.body
    touched = [(landed.case_id, case.customer_id)]
    assert list(cases.list_touched_by("order_no", "T20261123-7731", NOON)) == touched
    assert list(cases.list_touched_by("order_no", "T20261123-7731", NOON + SECOND)) == []


def test_a_replayed_record_changes_nothing(table, door, desk, dump):
    landed = receive(sms(PHONE), door)
    route(landed, desk)
    before = dump()

    for _ in range(3):
        assert route(landed, desk).is_empty

    assert dump() == before


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_dying_at_any_store_call_loses_and_doubles_nothing(table, door, desk, number, after):
    landed = receive(sms(PHONE), door)
    with crash_at_call(number, after=after), pytest.raises(UnavailableError):
        route(landed, desk)

    route(landed, desk)

    assert len(acknowledgements(landed.case_id)) == 1
    assert cases.read_head(landed.case_id).category == "topup_fault"


def test_a_case_of_many_messages_is_routed_with_as_little_reading(table, door, desk):
    for number in range(30):
        landed = receive(sms(PHONE, "又是我", f"SM{number}"), door)
    route(landed, desk)
    (kept,) = [m for m in cases.read_file(landed.case_id).messages if m.id == landed.message_id]
    key = f"MSG#{to_rfc3339(kept.occurred_at)}#{kept.id}"

    with crash_at_call(0, after=False) as calls:
        route_case(landed.case_id, key, desk, "our_bot", KEYS, NOON)

    assert calls == ["BatchGetItem"]


def test_a_mail_that_its_own_domain_disowns_is_not_answered(table, door, desk):
    forged = proven(unproven("mail.1"), proof=Proof.REFUTED)
    landed = receive(message(Channel.EMAIL, "ses", forged, "请帮我改绑手机", "M1"), door)

    route(landed, desk)

    assert acknowledgements(landed.case_id) == []
    assert cases.read_head(landed.case_id).category == "account_security"


def test_each_channel_is_acknowledged_once(table, door, desk):
    landed = receive(sms(PHONE), door)
    route(landed, desk)
    route(receive(sms(PHONE, "再问一次", "SM2"), door), desk)

    assert len(acknowledgements(landed.case_id)) == 1


def test_the_telegram_link_goes_only_to_who_is_proven(table, door, desk):
    known = receive(
        message(
            Channel.WEB, "form", proven(platform("u-1"), proof=Proof.LOGIN), "充值没到账", "W1"
        ),
        door,
    )
    stranger = receive(
        message(
            Channel.EMAIL, "ses", proven(unproven("mail.1"), proof=Proof.NONE), "充值没到账", "M1"
        ),
        door,
    )
    for landed in (known, stranger):
        route(landed, desk)

    (to_known,) = acknowledgements(known.case_id)
    (to_stranger,) = acknowledgements(stranger.case_id)
    assert "https://t.me/our_bot?start=" in to_known.body
    assert "t.me" not in to_stranger.body


def test_a_record_of_a_message_that_is_not_there_fails_for_people_to_see(table, door, desk):
    landed = receive(sms(PHONE), door)

    with pytest.raises(NotFoundError):
        route_case(landed.case_id, "MSG#any#nothing", desk, "", KEYS, NOON)
