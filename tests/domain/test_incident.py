from dataclasses import replace

import pytest

from caseweave.domain.case import Case, CaseState
from caseweave.domain.event import EventKind
from caseweave.domain.incident import (
    OUTAGES,
    Incident,
    IncidentState,
    NoticeKind,
    notify_in_case,
    open_notice_case,
    resolve_incident,
)
from caseweave.domain.message import Channel, DeliveryState, Purpose
from caseweave.errors import InvalidRequestError
from tests.domain.samples import CUSTOMER_ID, at, is_chained, opened

NOW = at("2026-11-23 10:00")
INCIDENT = Incident(
    id="I1",
    title="Wallet is slow",
    products=("wallet",),
    platform_users=(),
    notice={"zh-CN": "钱包变慢", "en": "The wallet is slow."},
    started_at=at("2026-11-23 08:00"),
    declared_at=at("2026-11-23 09:50"),
    declared_by="agent:ling",
)


@pytest.mark.parametrize(
    ("notice", "language", "said"),
    [
        ({"zh-CN": "慢", "en": "slow"}, "zh-CN", "慢"),
        ({"zh-CN": "慢", "en": "slow"}, "en", "slow"),
        ({"en": "slow"}, "zh-CN", "slow"),
        ({"zh-CN": "", "en": "slow"}, "zh-CN", "slow"),
        ({"zh-CN": "慢"}, "en", "Wallet is slow"),
        ({}, "en", "Wallet is slow"),
    ],
)
def test_a_notice_falls_back_to_english_and_then_to_the_title(notice, language, said):
    incident = replace(INCIDENT, notice=notice, all_clear={"en": "Over."})
    assert incident.wording(NoticeKind.OUTAGE, language) == said


@pytest.mark.parametrize(
    ("all_clear", "language", "said"),
    [
        ({"zh-CN": "好了", "en": "Over."}, "zh-CN", "好了"),
        ({"en": "Over."}, "zh-CN", "Over."),
        ({}, "en", "Wallet is slow"),
    ],
)
def test_the_all_clear_has_words_of_its_own(all_clear, language, said):
    incident = replace(INCIDENT, all_clear=all_clear)
    assert incident.wording(NoticeKind.ALL_CLEAR, language) == said


def test_an_incident_is_over_once():
    over = resolve_incident(INCIDENT, {"en": "Over."}, NOW)
    assert over == replace(
        INCIDENT, state=IncidentState.RESOLVED, all_clear={"en": "Over."}, resolved_at=NOW
    )
    with pytest.raises(InvalidRequestError, match="This incident is resolved"):
        resolve_incident(over, {"en": "Again."}, NOW)


def test_a_second_notice_in_a_case_links_it_no_second_time():
    case, _ = opened("钱包打不开")
    linked = notify_in_case(case, case.last_channel, INCIDENT, "通知", NOW, "N1").after
    change = notify_in_case(linked, linked.last_channel, INCIDENT, "恢复", NOW, "N2")
    assert [event.kind for event in change.events] == [EventKind.MESSAGE_QUEUED]
    assert [message.body for message in change.messages] == ["恢复"]


def test_an_open_case_is_linked_and_its_customer_told_where_they_last_wrote():
    case, _ = opened("钱包打不开")
    change = notify_in_case(case, case.last_channel, INCIDENT, "通知:钱包变慢", NOW, "N1")
    assert [(e.kind, e.actor) for e in change.events] == [
        (EventKind.INCIDENT_LINKED, OUTAGES),
        (EventKind.MESSAGE_QUEUED, OUTAGES),
    ]
    assert change.events[0].data == {"incident_id": "I1", "title": "Wallet is slow"}
    [notice] = change.messages
    assert (notice.channel, notice.purpose, notice.body) == (
        Channel.SMS,
        Purpose.NOTICE,
        "通知:钱包变慢",
    )
    assert notice.delivery.state is DeliveryState.QUEUED
    assert change.after.incident_id == "I1"
    assert (change.after.clocks, change.after.state) == (case.clocks, case.state)


def test_a_customer_without_a_case_is_told_in_one_that_is_born_closed():
    _, message = opened("hello")
    blank = Case(
        id="C2",
        ref="C-0000-0000",
        customer_id="",
        state=CaseState.NEW,
        team="frontline",
        language="zh-CN",
        opened_at=NOW,
        updated_at=NOW,
    )
    change = open_notice_case(CUSTOMER_ID, message.contact, INCIDENT, blank, "通知", NOW, "N1")
    assert change.before is None
    assert is_chained(change)
    assert [e.kind for e in change.events] == [EventKind.CASE_OPENED, EventKind.MESSAGE_QUEUED]
    assert change.after == replace(
        blank,
        customer_id=CUSTOMER_ID,
        state=CaseState.CLOSED,
        category="incident",
        subject="Wallet is slow",
        incident_id="I1",
        channels=(Channel.SMS,),
        contacts={Channel.SMS: message.contact},
        last_channel=Channel.SMS,
        seq=2,
        chain=change.events[1].digest,
        version=1,
    )
    assert (change.after.due_at, change.after.is_active) == (None, False)
    assert [(m.customer_id, m.body) for m in change.messages] == [(CUSTOMER_ID, "通知")]
