import pytest

from caseweave.domain.case import Case, CaseState
from caseweave.domain.clocks import ClockKind, Pause
from caseweave.domain.event import EventKind
from caseweave.domain.handling import assign_case, set_state
from caseweave.domain.message import Channel, DeliveryState, Purpose
from caseweave.domain.routing import route_message
from caseweave.domain.wording import Wording
from caseweave.errors import InvalidRequestError
from tests.domain.samples import AGENT, DESK, at, opened, told

NOW = at("2026-11-23 10:00")


def routed() -> Case:
    case, message = opened("充值没到账")
    return route_message(case, message, DESK, Wording(), at("2026-11-23 09:00"), "R1").after


def in_state(state: CaseState) -> Case:
    return set_state(routed(), state, "", DESK, AGENT, at("2026-11-23 09:30"), "Q1").after


# ---------------------------------------------------------------- assignment


def test_a_case_is_given_to_a_team_and_an_agent():
    change = assign_case(routed(), "seniors", "wei", DESK, AGENT, NOW)
    assert [(e.kind, e.actor, e.data) for e in change.events] == [
        (
            EventKind.CASE_ASSIGNED,
            AGENT,
            {
                "team": "seniors",
                "agent": "wei",
                "before": {"team": "frontline", "agent": ""},
            },
        )
    ]
    assert (change.after.team, change.after.assignee) == ("seniors", "wei")


def test_an_agent_takes_a_case_within_its_team():
    after = assign_case(routed(), None, "wei", DESK, AGENT, NOW).after
    assert (after.team, after.assignee) == ("frontline", "wei")


def test_a_new_team_without_an_agent_clears_the_agent():
    taken = assign_case(routed(), None, "wei", DESK, AGENT, NOW).after
    after = assign_case(taken, "seniors", None, DESK, AGENT, NOW).after
    assert (after.team, after.assignee) == ("seniors", "")


def test_an_empty_agent_gives_the_case_back_to_the_team():
    taken = assign_case(routed(), None, "wei", DESK, AGENT, NOW).after
    after = assign_case(taken, None, "", DESK, AGENT, NOW).after
    assert (after.team, after.assignee) == ("frontline", "")


@pytest.mark.parametrize(
    ("team", "agent", "errors"),
    [
        (None, None, (("team", "give a team or an agent"),)),
        ("nobody", None, (("team", "use one of: frontline, security, seniors"),)),
        ("", "wei", (("team", "use one of: frontline, security, seniors"),)),
    ],
)
def test_who_does_not_exist_gets_no_case(team, agent, errors):
    with pytest.raises(InvalidRequestError) as caught:
        assign_case(routed(), team, agent, DESK, AGENT, NOW)
    assert caught.value.errors == errors


# ---------------------------------------------------------------- states

_MOVES = {
    CaseState.NEW: {"open", "pending", "resolved", "closed"},
    CaseState.OPEN: {"pending", "resolved", "closed"},
    CaseState.PENDING: {"open", "resolved", "closed"},
    CaseState.RESOLVED: {"open", "closed"},
    CaseState.CLOSED: set(),
}


@pytest.mark.parametrize("state", CaseState)
@pytest.mark.parametrize("wanted", CaseState)
def test_only_the_allowed_moves_are_made(state, wanted):
    case = routed() if state is CaseState.NEW else in_state(state)
    if wanted is state:
        assert set_state(case, wanted, "", DESK, AGENT, NOW, "Q2").is_empty
    elif wanted in _MOVES[state]:
        assert set_state(case, wanted, "", DESK, AGENT, NOW, "Q2").after.state is wanted
    else:
        with pytest.raises(InvalidRequestError) as caught:
            set_state(case, wanted, "", DESK, AGENT, NOW, "Q2")
        assert str(caught.value) == f"A case that is {state} cannot become {wanted}."


def test_a_refused_move_says_which_ones_there_are():
    with pytest.raises(InvalidRequestError) as caught:
        set_state(in_state(CaseState.RESOLVED), CaseState.PENDING, "", DESK, AGENT, NOW, "Q2")
    assert caught.value.errors == (("state", "use one of: open, closed"),)
    with pytest.raises(InvalidRequestError) as caught:
        set_state(in_state(CaseState.CLOSED), CaseState.OPEN, "", DESK, AGENT, NOW, "Q2")
    assert caught.value.errors == (("state", "use one of: none: a closed case stays closed"),)


def test_waiting_stops_the_reply_clock_pauses_the_outcome_and_starts_a_follow_up():
    change = set_state(routed(), CaseState.PENDING, "asked for a receipt", DESK, AGENT, NOW, "Q2")
    assert [(e.kind, told(e)) for e in change.events] == [
        (
            EventKind.STATE_CHANGED,
            {
                "before": "new",
                "after": "pending",
                "reason": "asked for a receipt",
                "due": {"follow_up": "2026-11-25T10:00:00.000Z"},
            },
        )
    ]
    first_reply, outcome, follow_up = change.after.clocks
    assert (first_reply.kind, first_reply.stopped_at) == (ClockKind.FIRST_REPLY, NOW)
    assert outcome.pauses == (Pause(NOW, None, "the case was pending"),)
    assert (follow_up.kind, follow_up.due_at) == (ClockKind.FOLLOW_UP, at("2026-11-25 10:00"))
    assert change.after.due_at == at("2026-11-25 10:00")
    assert change.after.state_seq == change.after.seq
    assert change.messages == ()


def test_working_again_stops_the_follow_up_and_resumes_the_outcome():
    pending = in_state(CaseState.PENDING)
    after = set_state(pending, CaseState.OPEN, "", DESK, AGENT, NOW, "Q2").after
    # Half an hour of four was used, then half an hour of waiting.
    assert [(c.kind, c.due_at) for c in after.clocks if c.is_running] == [
        (ClockKind.OUTCOME, at("2026-11-23 13:30"))
    ]


def test_resolving_a_pending_case_replaces_its_follow_up():
    after = set_state(
        in_state(CaseState.PENDING), CaseState.RESOLVED, "", DESK, AGENT, NOW, "Q2"
    ).after
    assert [(c.policy, c.due_at) for c in after.clocks if c.is_running] == [
        ("waiting_resolved", at("2026-11-26 10:00"))
    ]


def test_resolving_asks_the_customer_whether_it_is_solved():
    change = set_state(routed(), CaseState.RESOLVED, "", DESK, AGENT, NOW, "Q2")
    [question] = change.messages
    assert (question.id, question.channel, question.purpose) == ("Q2", Channel.SMS, Purpose.NOTICE)
    assert (question.body, question.author) == ("C-7K3F-9Q2M 是否已解决?", "agent:ling")
    assert question.delivery.state is DeliveryState.QUEUED
    assert question.seq == change.after.seq == change.after.state_seq + 1


def test_closing_stops_every_clock():
    after = set_state(routed(), CaseState.CLOSED, "", DESK, AGENT, NOW, "Q2").after
    assert [clock.stopped_at for clock in after.clocks] == [NOW, NOW]
    assert (after.due_at, after.attention_at) == (None, None)


def test_a_closed_case_is_given_to_nobody():
    closed = set_state(routed(), CaseState.CLOSED, "", DESK, AGENT, NOW, "Q1").after
    with pytest.raises(InvalidRequestError):
        assign_case(closed, None, "wei", DESK, AGENT, NOW)


def test_the_same_assignment_again_is_no_change():
    assigned = assign_case(routed(), None, "wei", DESK, AGENT, NOW).after
    assert assign_case(assigned, None, "wei", DESK, AGENT, NOW).is_empty
