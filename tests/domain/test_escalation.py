from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from caseweave.domain.case import Case, CaseState, Priority
from caseweave.domain.clocks import ClockKind, Policy, Target
from caseweave.domain.desk import Desk
from caseweave.domain.escalation import SLA, tick_case
from caseweave.domain.event import CaseChange, EventKind
from caseweave.domain.handling import assign_case, set_state
from caseweave.domain.replying import reply_to_customer
from caseweave.domain.routing import route_message
from caseweave.domain.wording import Wording
from tests.domain.samples import AGENT, DESK, at, link, opened, told


def routed(body: str = "充值没到账") -> Case:
    """Opened on Monday at 09:00: first reply due 09:10, outcome 13:00."""
    case, message = opened(body)
    return route_message(case, message, DESK, Wording(), at("2026-11-23 09:00"), "R1").after


def kinds(change: CaseChange) -> list[EventKind]:
    return [event.kind for event in change.events]


def moved(case: Case, state: CaseState, when: str) -> Case:
    return set_state(case, state, "", DESK, AGENT, at(when), "Q1").after


def test_nothing_happens_before_it_is_time():
    change = tick_case(routed(), DESK, at("2026-11-23 09:06"))
    assert change.is_empty
    assert change.after == routed()


def test_the_team_is_warned_before_the_deadline():
    change = tick_case(routed(), DESK, at("2026-11-23 09:07"))
    assert [(e.kind, e.actor, e.at, e.data) for e in change.events] == [
        (
            EventKind.SLA_WARNED,
            SLA,
            at("2026-11-23 09:07"),
            {"clock": "first_reply", "policy": "fault", "due": "2026-11-23T09:10:00.000Z"},
        )
    ]
    clock = change.after.clock(ClockKind.FIRST_REPLY)
    assert (clock.warned_at, clock.breached_at) == (at("2026-11-23 09:07"), None)
    assert (change.after.level, change.after.team) == (1, "frontline")


def test_a_breach_stores_the_counted_segments_and_escalates_one_level():
    change = tick_case(routed(), DESK, at("2026-11-23 09:11"))
    assert [(e.kind, told(e)) for e in change.events] == [
        (
            EventKind.SLA_BREACHED,
            {
                "clock": "first_reply",
                "policy": "fault",
                "calendar": "always",
                "started": "2026-11-23T09:00:00.000Z",
                "due": "2026-11-23T09:10:00.000Z",
                "budget_seconds": 600,
                "segments": [
                    {
                        "from": "2026-11-23T09:00:00.000Z",
                        "to": "2026-11-23T09:10:00.000Z",
                        "counted": True,
                        "reason": "working time of always",
                    }
                ],
            },
        ),
        (
            EventKind.CASE_ESCALATED,
            {
                "clock": "first_reply",
                "before": {"level": 1, "team": "frontline", "priority": "high"},
                "after": {"level": 2, "team": "seniors", "priority": "urgent"},
            },
        ),
    ]
    after = change.after
    assert (after.level, after.team, after.priority) == (2, "seniors", Priority.URGENT)


def test_a_breach_over_a_weekend_stores_what_was_skipped():
    case, message = opened("a question of mine", "2026-11-20 16:55")
    case = route_message(case, message, DESK, Wording(), at("2026-11-20 16:55"), "R1").after
    change = tick_case(case, DESK, at("2026-11-23 09:06"))
    assert change.events[0].data["segments"] == [
        {
            "from": "2026-11-20T16:55:00.000Z",
            "to": "2026-11-20T17:00:00.000Z",
            "counted": True,
            "reason": "working time of office",
        },
        {
            "from": "2026-11-20T17:00:00.000Z",
            "to": "2026-11-23T09:00:00.000Z",
            "counted": False,
            "reason": "outside the hours of office",
        },
        {
            "from": "2026-11-23T09:00:00.000Z",
            "to": "2026-11-23T09:05:00.000Z",
            "counted": True,
            "reason": "working time of office",
        },
    ]


def test_the_time_of_the_warning_survives_the_breach():
    warned = tick_case(routed(), DESK, at("2026-11-23 09:07")).after
    breached = tick_case(warned, DESK, at("2026-11-23 09:10")).after.clock(ClockKind.FIRST_REPLY)
    assert (breached.warned_at, breached.breached_at) == (
        at("2026-11-23 09:07"),
        at("2026-11-23 09:10"),
    )


def test_a_breach_without_a_warning_claims_none():
    clock = tick_case(routed(), DESK, at("2026-11-23 09:10")).after.clock(ClockKind.FIRST_REPLY)
    assert (clock.warned_at, clock.breached_at) == (None, at("2026-11-23 09:10"))


def test_ticking_again_does_nothing():
    for when in ("2026-11-23 09:07", "2026-11-23 09:10", "2026-11-23 12:00", "2026-11-24 09:00"):
        ticked = tick_case(routed(), DESK, at(when)).after
        assert tick_case(ticked, DESK, at(when)).is_empty


def test_each_breached_clock_escalates_one_level():
    change = tick_case(routed(), DESK, at("2026-11-23 13:00"))
    assert kinds(change) == [
        EventKind.SLA_BREACHED,
        EventKind.CASE_ESCALATED,
        EventKind.SLA_BREACHED,
        EventKind.CASE_ESCALATED,
    ]
    assert (change.after.level, change.after.team) == (3, "seniors")


def test_one_clock_is_warned_of_while_another_is_breached():
    change = tick_case(routed(), DESK, at("2026-11-23 12:00"))
    assert kinds(change) == [
        EventKind.SLA_BREACHED,
        EventKind.CASE_ESCALATED,
        EventKind.SLA_WARNED,
    ]


def test_the_agent_keeps_the_case_when_the_team_stays():
    case = assign_case(routed(), "seniors", "wei", DESK, AGENT, at("2026-11-23 09:01")).after
    after = tick_case(case, DESK, at("2026-11-23 09:10")).after
    assert (after.team, after.assignee, after.level) == ("seniors", "wei", 2)


def test_the_team_above_takes_the_case_from_the_agent():
    case = assign_case(routed(), None, "wei", DESK, AGENT, at("2026-11-23 09:01")).after
    after = tick_case(case, DESK, at("2026-11-23 09:10")).after
    assert (after.team, after.assignee) == ("seniors", "")


def test_a_reply_in_time_leaves_only_the_outcome_to_breach():
    change = reply_to_customer(routed(), "We look.", None, AGENT, at("2026-11-23 09:05"), "A1")
    ticked = tick_case(change.after, DESK, at("2026-11-23 09:30"))
    assert ticked.is_empty
    assert ticked.after.due_at == at("2026-11-23 13:00")


def test_closed_cases_are_left_alone():
    closed = moved(routed(), CaseState.CLOSED, "2026-11-23 09:01")
    assert tick_case(closed, DESK, at("2027-11-23 09:00")).is_empty
    # Even one whose clocks nobody stopped.
    assert tick_case(
        replace(routed(), state=CaseState.CLOSED), DESK, at("2027-11-23 09:00")
    ).is_empty


def test_a_resolved_case_is_closed_after_three_days_of_silence():
    resolved = moved(routed(), CaseState.RESOLVED, "2026-11-23 09:05")
    assert tick_case(resolved, DESK, at("2026-11-26 09:04")).is_empty
    change = tick_case(resolved, DESK, at("2026-11-26 09:05"))
    assert [(e.kind, told(e)) for e in change.events] == [
        (
            EventKind.STATE_CHANGED,
            {
                "before": "resolved",
                "after": "closed",
                "reason": "resolved, and the customer did not write again",
                "due": {},
            },
        )
    ]
    after = change.after
    assert (after.state, after.due_at, after.attention_at) == (CaseState.CLOSED, None, None)
    assert all(clock.stopped_at is not None for clock in after.clocks)


def test_a_pending_case_is_open_again_after_two_days_and_has_a_due_time():
    pending = moved(routed(), CaseState.PENDING, "2026-11-23 10:00")
    assert pending.due_at == at("2026-11-25 10:00")
    change = tick_case(pending, DESK, at("2026-11-25 10:00"))
    # Of the four hours for the outcome one was used before the wait.
    assert [(e.kind, told(e)) for e in change.events] == [
        (
            EventKind.STATE_CHANGED,
            {
                "before": "pending",
                "after": "open",
                "reason": "waited long enough for the customer",
                "due": {"outcome": "2026-11-25T13:00:00.000Z"},
            },
        )
    ]
    assert (change.after.state, change.after.due_at) == (CaseState.OPEN, at("2026-11-25 13:00"))
    assert tick_case(change.after, DESK, at("2026-11-25 10:00")).is_empty


def test_what_goes_on_after_the_wait_and_is_due_for_a_warning_gets_it_at_once():
    pending = moved(routed(), CaseState.PENDING, "2026-11-23 12:30")
    change = tick_case(pending, DESK, at("2026-11-25 12:30"))
    assert kinds(change) == [EventKind.STATE_CHANGED, EventKind.SLA_WARNED]
    assert change.events[1].data["due"] == "2026-11-25T13:00:00.000Z"
    assert tick_case(change.after, DESK, at("2026-11-25 12:30")).is_empty


def test_a_follow_up_is_never_early_even_if_it_is_configured_with_a_warning():
    waiting = Policy(
        "waiting_resolved",
        {ClockKind.FOLLOW_UP: Target(timedelta(days=3), timedelta(days=1), "always")},
    )
    desk: Desk = replace(DESK, policies={**DESK.policies, "waiting_resolved": waiting})
    resolved = set_state(
        routed(), CaseState.RESOLVED, "", desk, AGENT, at("2026-11-23 09:05"), "Q1"
    ).after
    assert resolved.attention_at == at("2026-11-26 09:05")
    assert tick_case(resolved, desk, at("2026-11-26 09:00")).is_empty


_MOMENTS = st.lists(st.integers(0, 4 * 24 * 60), min_size=1, max_size=12)


@given(_MOMENTS, st.sampled_from([None, *CaseState]))
@settings(max_examples=150, deadline=None)
def test_whenever_it_is_ticked_each_clock_warns_and_breaches_at_most_once(minutes, state):
    case = routed()
    if state in (CaseState.PENDING, CaseState.RESOLVED, CaseState.CLOSED):
        case = moved(case, state, "2026-11-23 09:05")
    before, links = case, []
    for minute in minutes:
        change = tick_case(case, DESK, at("2026-11-23 09:00") + timedelta(minutes=minute))
        links += [link(event) for event in change.events]
        case = change.after
    seen = [(record["kind"], record["data"].get("clock")) for _, _, record in links]
    assert len(seen) == len(set(seen))
    breaches = [kind for kind, _ in seen if kind == "sla_breached"]
    assert case.level == before.level + len(breaches)
    assert [previous for previous, _, _ in links] + [case.chain] == [before.chain] + [
        digest for _, digest, _ in links
    ]


@given(_MOMENTS)
@settings(max_examples=150, deadline=None)
def test_a_sweep_that_ran_late_comes_to_the_same_as_one_that_ran_every_time(minutes):
    often = routed()
    for minute in sorted(minutes):
        often = tick_case(often, DESK, at("2026-11-23 09:00") + timedelta(minutes=minute)).after
    once = tick_case(routed(), DESK, at("2026-11-23 09:00") + timedelta(minutes=max(minutes))).after

    def standing(case: Case) -> tuple[object, ...]:
        breached = [clock.kind for clock in case.clocks if clock.breached_at is not None]
        return case.level, case.team, case.priority, case.state, breached, case.due_at

    assert standing(often) == standing(once)
