from dataclasses import replace
from pathlib import Path

import pytest

from caseweave.config.desk import load_desk
from caseweave.domain.case import Case, CaseState, Priority
from caseweave.domain.clocks import ClockKind, Pause
from caseweave.domain.event import CaseChange, EventKind
from caseweave.domain.handling import assign_case, set_state
from caseweave.domain.identity import Proof, ProvenAddress, Sender
from caseweave.domain.message import Channel, DeliveryState, Message, Purpose
from caseweave.domain.replying import reply_to_customer
from caseweave.domain.routing import ROUTER, route_message
from caseweave.domain.wording import Wording
from tests.domain.samples import AGENT, DESK, PHONE, at, is_chained, opened, told, wrote

SHIPPED = load_desk(Path("config"))


def route(case: Case, message: Message, when: str = "2026-11-23 09:00") -> CaseChange:
    return route_message(case, message, DESK, Wording(), at(when), "R1")


def replied(case: Case, when: str) -> Case:
    return reply_to_customer(case, "We look into it.", None, AGENT, at(when), "A1").after


def moved(case: Case, state: CaseState, when: str) -> Case:
    return set_state(case, state, "", DESK, AGENT, at(when), "Q1").after


def kinds(change: CaseChange) -> list[EventKind]:
    return [event.kind for event in change.events]


# ---------------------------------------------------------------- triage, clocks, owner


def called():
    """A call, which says nothing when it begins, as triaged then."""
    case, call = opened("[phone call]")
    return route(case, call).after


def told_later(case, body, **fields):
    remark = {"remark": "addition", "about": "CA1"}
    return wrote(case, body, "2026-11-23 09:02", "M2", is_automatic=True, fields=remark, **fields)


def test_what_was_said_in_a_call_decides_what_it_is_about():
    case, said = told_later(called(), "充值没到账")

    change = route(case, said, "2026-11-23 09:02")

    assert (case.category, change.after.category) == ("question", "fault")
    assert kinds(change) == [EventKind.CASE_TRIAGED, EventKind.CASE_ASSIGNED]
    assert change.events[0].data["due"] == {
        "first_reply": "2026-11-23T09:10:00.000Z",
        "outcome": "2026-11-23T13:00:00.000Z",
    }
    assert route(change.after, said, "2026-11-23 09:02").is_empty


def test_nothing_is_triaged_again_that_somebody_deals_with_or_that_tells_no_more():
    dealt_with, said = told_later(replied(called(), "2026-11-23 09:01"), "充值没到账")
    untold, silence = told_later(called(), "[recording, 17 s]")
    written, more = wrote(called(), "充值没到账", "2026-11-23 09:02", "M2")

    assert route(dealt_with, said).is_empty
    assert route(untold, silence).is_empty
    assert EventKind.CASE_TRIAGED not in kinds(route(written, more))


def test_a_first_message_is_triaged_assigned_and_acknowledged():
    case, message = opened("充值没到账")
    change = route(case, message)
    assert [(e.kind, e.actor, e.data) for e in change.events[:2]] == [
        (
            EventKind.CASE_TRIAGED,
            ROUTER,
            {
                "category": "fault",
                "priority": "high",
                "policy": "fault",
                "signs": ["没到账", "充值"],
                "due": {
                    "first_reply": "2026-11-23T09:10:00.000Z",
                    "outcome": "2026-11-23T13:00:00.000Z",
                },
            },
        ),
        (
            EventKind.CASE_ASSIGNED,
            ROUTER,
            {"team": "frontline", "agent": "", "before": {"team": "frontline", "agent": ""}},
        ),
    ]
    assert kinds(change)[2:] == [EventKind.MESSAGE_QUEUED]
    after = change.after
    assert (after.category, after.priority, after.team) == ("fault", Priority.HIGH, "frontline")
    assert [clock.kind for clock in after.clocks] == [ClockKind.FIRST_REPLY, ClockKind.OUTCOME]
    assert after.due_at == at("2026-11-23 09:10")


def test_clocks_run_from_when_the_case_was_opened_however_late_it_is_routed():
    case, message = opened("充值没到账")
    assert route(case, message, "2026-11-23 11:00").after.due_at == at("2026-11-23 09:10")


@pytest.mark.parametrize(
    ("body", "category", "team", "signs"),
    [
        ("我的账号被盗了,异地登录", "account_security", "security", ["被盗", "异地登录"]),
        ("I was hacked, that is not me", "account_security", "security", ["hacked", "not me"]),
        ("重复扣款,我要退款", "dispute", "disputes", ["退款", "重复扣款"]),
        ("I was charged twice, refund please", "dispute", "disputes", ["refund", "charged twice"]),
        ("充值一直没到账", "topup_fault", "frontline", ["没到账", "充值"]),
        ("My top-up has not\narrived yet", "topup_fault", "frontline",
         ["not arrived", "has not arrived", "top-up"]),
        ("卡密已被使用", "card_fault", "frontline", ["卡密", "已被使用"]),
        ("结算单对账不一致", "settlement", "frontline", ["结算", "对账"]),
        ("你们几点上班?", "question", "frontline", []),
        ("What are your opening hours?", "question", "frontline", []),
    ],
)  # fmt: skip
def test_the_shipped_playbooks_know_both_languages(body, category, team, signs):
    case, message = opened(body)
    change = route_message(case, message, SHIPPED, Wording(), at("2026-11-23 09:00"), "R1")
    assert (change.after.category, change.after.team) == (category, team)
    assert change.events[0].data["signs"] == signs


def test_a_form_decides_whatever_the_text_says():
    case, message = opened("盗号 hacked", fields={"form": "topup"})
    change = route(case, message)
    assert change.after.category == "fault"
    assert change.events[0].data["signs"] == ["form topup"]


def test_an_agent_who_took_the_case_before_triage_keeps_it():
    case, message = opened("账号被盗号了")
    taken = assign_case(case, None, "wei", DESK, AGENT, at("2026-11-23 09:00")).after
    change = route(taken, message)
    assert EventKind.CASE_ASSIGNED not in kinds(change)
    assert (change.after.team, change.after.assignee) == ("frontline", "wei")
    assert change.after.category == "security"


def test_an_agents_reply_before_triage_is_respected():
    case, message = opened("充值没到账")
    change = route(replied(case, "2026-11-23 09:01"), message, "2026-11-23 09:02")
    assert [clock.kind for clock in change.after.clocks] == [ClockKind.OUTCOME]
    assert change.after.due_at == at("2026-11-23 13:00")


@pytest.mark.parametrize(
    ("state", "due"),
    [(CaseState.PENDING, "2026-11-25 09:01"), (CaseState.RESOLVED, "2026-11-26 09:01")],
)
def test_a_case_put_to_rest_before_triage_stays_so(state, due):
    case, message = opened("充值没到账")
    # However late it is triaged: the outcome has stood still since it was put to rest.
    change = route(moved(case, state, "2026-11-23 09:01"), message, "2026-11-24 09:00")
    after = change.after
    assert (after.state, after.due_at) == (state, at(due))
    assert [c.kind for c in after.clocks if c.is_running] == [ClockKind.FOLLOW_UP]
    assert [(c.kind, c.pauses) for c in after.clocks if c.pauses] == [
        (ClockKind.OUTCOME, (Pause(at("2026-11-23 09:01"), None, f"the case was {state}"),))
    ]


# ---------------------------------------------------------------- acknowledgement


def test_the_acknowledgement_is_queued_on_the_channel_of_the_message():
    case, message = opened("My top-up has not arrived")
    wording = Wording(telegram_link="https://t.me/bot?start=x")
    change = route_message(case, message, DESK, wording, at("2026-11-23 09:00"), "R1")
    [reply] = change.messages
    assert (reply.id, reply.channel, reply.provider) == ("R1", Channel.SMS, "twilio")
    assert (reply.purpose, reply.author) == (Purpose.ACKNOWLEDGEMENT, "system:router")
    assert reply.body == "Received: C-7K3F-9Q2M.\nGo on: https://t.me/bot?start=x"
    assert reply.delivery.state is DeliveryState.QUEUED
    assert reply.contact == message.contact
    assert change.after.acknowledged == (Channel.SMS,)


def test_a_line_without_a_value_is_not_sent():
    case, message = opened("My top-up has not arrived")
    assert route(case, message).messages[0].body == "Received: C-7K3F-9Q2M."


def test_chinese_is_answered_in_chinese():
    case, message = opened("充值没到账")
    assert route(case, message).messages[0].body == "已收到 C-7K3F-9Q2M"


def test_a_playbook_may_have_an_acknowledgement_of_its_own():
    case, message = opened("I was hacked")
    assert route(case, message).messages[0].body == "First: C-7K3F-9Q2M."


def test_a_channel_is_acknowledged_once():
    case, message = opened("充值没到账")
    case = route(case, message).after
    case, second = wrote(case, "在吗", "2026-11-23 09:01", "M2")
    assert route(case, second).is_empty


def test_another_channel_is_told_that_its_message_joined_the_case():
    case, message = opened("充值没到账")
    case = route(case, message).after
    case, second = wrote(
        case, "补充截图", "2026-11-23 09:01", "M2", channel=Channel.MESSENGER, provider="telegram"
    )
    change = route(case, second)
    [reply] = change.messages
    assert (reply.channel, reply.provider) == (Channel.MESSENGER, "telegram")
    assert reply.body == "已并入 C-7K3F-9Q2M"
    assert change.after.acknowledged == (Channel.SMS, Channel.MESSENGER)


def test_automatic_mail_is_triaged_and_never_answered():
    case, message = opened("充值没到账", is_automatic=True)
    change = route(case, message)
    assert kinds(change) == [EventKind.CASE_TRIAGED, EventKind.CASE_ASSIGNED]
    assert change.messages == ()
    assert change.after.acknowledged == ()


def test_an_address_that_the_sender_pretended_is_not_answered():
    pretended = Sender((ProvenAddress(PHONE, Proof.REFUTED),))
    case, message = opened("充值没到账", sender=pretended)
    change = route(case, message)
    assert kinds(change) == [EventKind.CASE_TRIAGED, EventKind.CASE_ASSIGNED]
    assert change.messages == ()


def test_automatic_mail_does_not_wake_a_case():
    case, message = opened("充值没到账")
    case = moved(route(case, message).after, CaseState.PENDING, "2026-11-23 09:05")
    case, away = wrote(case, "I am away", "2026-11-23 09:06", "M2", is_automatic=True)
    assert route(case, away).is_empty


# ---------------------------------------------------------------- what comes again


def test_the_same_message_again_changes_nothing():
    case, message = opened("充值没到账")
    first = route(case, message)
    again = route(first.after, message, "2026-11-24 09:00")
    assert again.is_empty
    assert again.after == first.after


@pytest.mark.parametrize("state", [CaseState.PENDING, CaseState.RESOLVED])
def test_a_message_from_before_the_state_was_set_does_not_wake_the_case(state):
    case, message = opened("充值没到账")
    resting = moved(route(case, message).after, state, "2026-11-23 09:05")
    assert route(resting, message, "2026-11-23 09:06").is_empty


def test_a_message_that_was_answered_starts_no_clock_when_it_comes_again():
    case, message = opened("充值没到账")
    case = replied(route(case, message).after, "2026-11-23 09:05")
    case, second = wrote(case, "还是没有", "2026-11-23 09:20", "M2")
    case = replied(route(case, second).after, "2026-11-23 09:25")
    assert route(case, message).is_empty
    assert route(case, second).is_empty


def test_closed_cases_are_left_alone():
    case, message = opened("充值没到账")
    closed = moved(case, CaseState.CLOSED, "2026-11-23 09:05")
    change = route(closed, message)
    assert change.is_empty
    assert change.after == closed


# ---------------------------------------------------------------- the customer writes again


def test_while_the_first_reply_is_due_more_messages_start_nothing():
    case, message = opened("充值没到账")
    case = route(case, message).after
    case, second = wrote(case, "急!", "2026-11-23 09:05", "M2")
    assert route(case, second).after.due_at == at("2026-11-23 09:10")


def test_after_a_human_reply_the_next_message_starts_the_next_reply_clock():
    case, message = opened("充值没到账")
    case = replied(route(case, message).after, "2026-11-23 09:05")
    assert case.due_at == at("2026-11-23 13:00")
    case, second = wrote(case, "还是没有", "2026-11-23 09:20", "M2")
    change = route(case, second, "2026-11-23 09:21")
    assert [(e.kind, told(e)) for e in change.events] == [
        (
            EventKind.SLA_STARTED,
            {
                "due": {
                    "outcome": "2026-11-23T13:00:00.000Z",
                    "next_reply": "2026-11-23T09:50:00.000Z",
                }
            },
        )
    ]
    assert change.after.due_at == at("2026-11-23 09:50")


def test_a_third_message_does_not_start_the_clock_anew():
    case, message = opened("充值没到账")
    case = replied(route(case, message).after, "2026-11-23 09:05")
    case, second = wrote(case, "还是没有", "2026-11-23 09:20", "M2")
    case = route(case, second).after
    case, third = wrote(case, "在吗", "2026-11-23 09:40", "M3")
    assert route(case, third).is_empty


@pytest.mark.parametrize("state", [CaseState.PENDING, CaseState.RESOLVED])
def test_the_customers_word_opens_a_waiting_case_again(state):
    case, message = opened("充值没到账")
    case = replied(route(case, message).after, "2026-11-23 09:05")
    case = moved(case, state, "2026-11-23 10:00")
    case, second = wrote(case, "还是没有", "2026-11-24 10:00", "M2")
    change = route(case, second, "2026-11-24 10:01")
    # Three of the four hours were left when the case came to rest.
    assert [(e.kind, told(e)) for e in change.events] == [
        (
            EventKind.STATE_CHANGED,
            {
                "before": str(state),
                "after": "open",
                "reason": "the customer wrote",
                "due": {
                    "outcome": "2026-11-24T13:00:00.000Z",
                    "next_reply": "2026-11-24T10:30:00.000Z",
                },
            },
        )
    ]
    assert change.after.state is CaseState.OPEN
    assert change.after.due_at == at("2026-11-24 10:30")
    assert change.after.state_seq == change.after.seq
    assert route(change.after, second, "2026-11-24 10:02").is_empty


def test_a_playbook_that_ops_removed_is_replaced_by_the_fallback():
    case, message = opened("充值没到账")
    case = replied(route(case, message).after, "2026-11-23 09:05")
    case, second = wrote(case, "还是没有", "2026-11-23 09:20", "M2")
    desk = replace(DESK, playbooks=())
    change = route_message(case, second, desk, Wording(), at("2026-11-23 09:21"), "R2")
    assert change.after.clock(ClockKind.NEXT_REPLY).policy == "ordinary"


def test_a_case_and_its_routing_are_one_chain():
    case, message = opened("充值没到账")
    events = route(case, message)
    assert [event.seq for event in events.events] == [3, 4, 5]
    assert events.events[0].previous == case.chain
    assert events.after.version == case.version + 1
    assert events.messages[0].seq == 5
    assert not is_chained(events)  # without its beginning it proves nothing
