"""Incidents: whoever is touched is told once, on the channel last used, before they ask."""

import os
from contextlib import suppress
from datetime import timedelta

import boto3
import pytest

from caseweave.domain.case import CaseState
from caseweave.domain.event import Actor, EventKind
from caseweave.domain.handling import set_state
from caseweave.domain.identity import Proof
from caseweave.domain.incident import Incident, IncidentState, NoticeKind, resolve_incident
from caseweave.domain.message import Channel, Purpose
from caseweave.errors import InvalidRequestError
from caseweave.outages import sweep_incidents
from caseweave.storage import cases
from caseweave.storage.incidents import find_noticed_customers, keep_incident
from caseweave.sweeping import SweepError
from tests.usecases.test_router import route
from tests.usecases.world import (
    NOON,
    CrashError,
    crash_at_call,
    message,
    phone,
    platform,
    proven,
    receive,
    sms,
)

LATER = NOON + timedelta(minutes=5)


def declare(**more):
    incident = Incident(
        **{
            "id": "01M83GCF7RAANB4D2G2492XWPD",
            "title": "Top-ups are slow",
            "products": ("game-topup",),
            "platform_users": (),
            "notice": {"zh-CN": "游戏充值到账延迟", "en": "Game top-ups are delayed"},
            "started_at": NOON - timedelta(hours=1),
            "declared_at": LATER,
            "declared_by": "lead",
            **more,
        }
    )
    keep_incident(incident)
    return incident


def sweep(desk):
    return sweep_incidents(desk, "frontline", LATER, os.urandom)


def notices(case_id):
    return [m for m in cases.read_file(case_id).messages if m.purpose is Purpose.NOTICE]


def web(user, number, body, event):
    senders = proven(platform(user), phone(number), proof=Proof.LOGIN)
    return message(Channel.WEB, "form", senders, body, event)


def test_who_has_a_case_on_the_product_is_told_in_that_case_once(table, door, desk):
    landed = receive(sms("+8613800138000", "游戏充值没到账"), door)
    route(landed, desk)
    other = receive(sms("+8613800138001", "如何修改头像", "SM2"), door)
    route(other, desk)
    incident = declare()

    assert [sweep(desk), sweep(desk)] == [1, 0]

    (notice,) = notices(landed.case_id)
    assert "游戏充值到账延迟" in notice.body
    assert notice.channel is Channel.SMS
    assert cases.read_head(landed.case_id).incident_id == incident.id
    assert notices(other.case_id) == []


def test_who_has_no_open_case_is_told_in_one_that_is_born_closed(table, door, desk):
    first = receive(web("u-7", "+14155550132", "how do I top up?", "W1"), door)
    receive(sms("+14155550132", "by text as well", "SM1"), door)
    route(first, desk)
    close(first, desk)
    customer = cases.read_head(first.case_id).customer_id
    declare(products=(), platform_users=("u-7", "u-nobody"))

    assert sweep(desk) == 1

    told = [c for c in cases.list_of_customer(customer, 10, None).items if c.id != first.case_id]
    (case,) = told
    assert (case.state, case.category, case.due_at) == (CaseState.CLOSED, "incident", None)
    (notice,) = notices(case.id)
    assert "delayed" in notice.body
    assert cases.find_case_id(case.ref) == case.id


def test_who_was_only_ever_on_a_page_cannot_be_told_and_that_is_settled(table, door, desk):
    first = receive(web("u-7", "+14155550132", "how do I top up?", "W1"), door)
    close(first, desk)
    incident = declare(products=(), platform_users=("u-7",))

    assert [sweep(desk), sweep(desk)] == [0, 0]

    settled = find_noticed_customers(incident.id, NoticeKind.OUTAGE)
    assert list(settled.values()) == [False]


def test_whoever_was_told_hears_once_that_it_is_over(table, door, desk):
    landed = receive(sms("+8613800138000", "游戏充值没到账"), door)
    route(landed, desk)
    incident = declare()
    sweep(desk)
    over = {"zh-CN": "充值已恢复", "en": "Top-ups work again"}
    keep_incident(resolve_incident(incident, over, LATER))

    assert [sweep(desk), sweep(desk)] == [1, 0]

    assert ["充值已恢复" in m.body for m in notices(landed.case_id)] == [False, True]


def test_an_incident_is_resolved_once(table):
    over = resolve_incident(declare(), {"en": "over"}, LATER)

    with pytest.raises(InvalidRequestError):
        resolve_incident(over, {"en": "over"}, LATER)


def test_their_answer_to_a_notice_opens_a_case(table, door, desk):
    first = receive(web("u-7", "+14155550132", "how do I top up?", "W1"), door)
    receive(sms("+14155550132", "by text as well", "SM1"), door)
    close(first, desk)
    declare(products=(), platform_users=("u-7",))
    sweep(desk)

    answer = receive(sms("+14155550132", "thanks, when?", "SM5"), door, NOON + timedelta(days=2))

    assert cases.read_head(answer.case_id).state is CaseState.NEW
    assert answer.case_id != first.case_id


def test_a_customer_touched_in_two_ways_is_told_once(table, door, desk):
    landed = receive(web("u-7", "+14155550132", "game top-up not arrived", "W1"), door)
    route(landed, desk)
    declare(platform_users=("u-7",))

    assert sweep(desk) == 1


def test_an_incident_that_is_over_or_older_cases_tell_nobody(table, door, desk):
    landed = receive(sms("+8613800138000", "游戏充值没到账"), door)
    route(landed, desk)
    declare(state=IncidentState.RESOLVED)
    declare(id="01M83GCF7RAANB4D2G2492XWPE", started_at=NOON + timedelta(minutes=1))

    assert sweep(desk) == 0


def test_the_notice_is_part_of_the_chain(table, door, desk):
    landed = receive(sms("+8613800138000", "游戏充值没到账"), door)
    route(landed, desk)
    declare()
    sweep(desk)

    kinds = [e.kind for e in cases.read_file(landed.case_id).events][-2:]
    assert kinds == [EventKind.INCIDENT_LINKED, EventKind.MESSAGE_QUEUED]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 8))
def test_dying_in_a_sweep_tells_nobody_twice(table, door, desk, number, after):
    landed = receive(sms("+8613800138000", "游戏充值没到账"), door)
    route(landed, desk)
    incident = declare()
    with crash_at_call(number, after=after), suppress(CrashError, SweepError):
        sweep(desk)

    sweep(desk)

    assert len(notices(landed.case_id)) == 1
    assert list(find_noticed_customers(incident.id, NoticeKind.OUTAGE).values()) == [True]


def close(landed, desk):
    case = cases.read_head(landed.case_id)
    cases.commit_change(
        set_state(case, CaseState.CLOSED, "", desk, Actor("agent", "mei"), NOON, "unused")
    )


def test_an_incident_may_touch_more_users_than_one_read_takes(table, door, desk):
    landed = receive(web("u-249", "+14155550132", "game top-up not arrived", "W1"), door)
    route(landed, desk)
    declare(products=(), platform_users=tuple(f"u-{n}" for n in range(250)))

    assert sweep(desk) == 1


def test_one_customer_who_cannot_be_told_does_not_keep_it_from_the_others(table, door, desk):
    broken = receive(web("u-1", "+14155550101", "hello", "W1"), door)
    receive(sms("+14155550101", "by text as well", "SM1"), door)
    close(broken, desk)
    customer = cases.read_head(broken.case_id).customer_id
    boto3.client("dynamodb").delete_item(
        TableName=table, Key={"pk": {"S": f"CUST#{customer}"}, "sk": {"S": "CUST"}}
    )
    healthy = receive(web("u-2", "+14155550102", "hello", "W2"), door)
    route(healthy, desk)
    declare(products=(), platform_users=("u-1", "u-2"))

    with pytest.raises(SweepError, match=customer):
        sweep(desk)

    assert len(notices(healthy.case_id)) == 1
