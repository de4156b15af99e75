"""What the router does with a new inbound message: triage, clocks, owner, acknowledgement.

Everything is decided from the stored case, so that a replayed stream record changes nothing.
"""

from datetime import datetime

from caseweave.domain.case import Case, CaseState
from caseweave.domain.clocks import Clock, ClockKind, resume_clock, stop_clock
from caseweave.domain.desk import AnswerRules, Desk
from caseweave.domain.disputes import want_evidence
from caseweave.domain.event import Actor, CaseChange, EventKind, begin_change
from caseweave.domain.handling import rest_clock
from caseweave.domain.identity import Proof
from caseweave.domain.message import Message, Purpose
from caseweave.domain.opening import REOPENED
from caseweave.domain.outbound import make_outbound
from caseweave.domain.state_change import change_state, describe_due
from caseweave.domain.triage import Finding, needs_triage, triage_message
from caseweave.domain.wording import Wording, fill_text

ROUTER = Actor("system", "router")


def route_message(
    case: Case,
    message: Message,
    desk: Desk,
    wording: Wording,
    now: datetime,
    reply_id: str,
    answer: str = "",
    withheld: str = "",
) -> CaseChange:
    """What follows from *message* for its *case*; empty when it was routed before.

    *reply_id* is the id that an acknowledgement gets, if one is due; *answer* names the text that
    takes its place, "" for none. *withheld* is why none must be sent all the same, and is recorded
    then.
    """
    change = begin_change(case)
    if not case.is_active:
        return change
    if needs_triage(case, message, desk):
        change = _triage(change, message, desk, now)
    change = want_evidence(change, message, desk, now, ROUTER)
    change = _wake(change, message, desk, now)
    if wants_acknowledgement(change.after, message) and withheld:
        change = _withhold(change, message, withheld, now)
    elif wants_acknowledgement(change.after, message):
        name = answer or _name_acknowledgement(change.after, desk)
        body = fill_text(desk.text(name, change.after.language), change.after, wording)
        change = _acknowledge(change, message, body, now, reply_id)
    return change


def _triage(change: CaseChange, message: Message, desk: Desk, now: datetime) -> CaseChange:
    return record_triage(change, triage_message(message, desk), desk, ROUTER, now)


def record_triage(
    change: CaseChange, finding: Finding, desk: Desk, actor: Actor, now: datetime
) -> CaseChange:
    """What the case is about, how urgent, whose, and what is promised from when it was opened."""
    playbook = finding.playbook
    clocks = _clocks_after_triage(change.after, playbook.policy, desk)
    change = change.record(
        EventKind.CASE_TRIAGED,
        actor,
        now,
        {
            "category": playbook.category,
            "priority": str(playbook.priority),
            "policy": playbook.policy,
            "signs": list(finding.signs),
            "due": {str(clock.kind): describe_due(clock) for clock in clocks},
        },
        category=playbook.category,
        priority=playbook.priority,
        clocks=clocks,
    )
    if change.after.assignee:
        # An agent took the case before it was triaged.
        return change
    return change.record(
        EventKind.CASE_ASSIGNED,
        actor,
        now,
        {"team": playbook.team, "agent": "", "before": {"team": change.after.team, "agent": ""}},
        team=playbook.team,
    )


def _clocks_after_triage(case: Case, policy: str, desk: Desk) -> tuple[Clock, ...]:
    """What *policy* promises, as far as agents did not answer or put the case to rest before."""
    was_answered = case.replied_seq > 0
    kinds = (ClockKind.OUTCOME,) if was_answered else (ClockKind.FIRST_REPLY, ClockKind.OUTCOME)
    follow_up = case.clock(ClockKind.FOLLOW_UP)
    clocks = [] if follow_up is None else [follow_up]
    # A case that was closed untriaged and opened again owes nothing for the time before.
    since = max((c.started_at for c in case.clocks if _is_provisional(c)), default=case.opened_at)
    for kind in kinds:
        clock = desk.start_clock(kind, policy, since)
        if clock is not None:
            if follow_up is not None:
                clock = rest_clock(clock, case.state, follow_up.started_at)
            clocks.append(clock)
    return tuple(clocks)


def _wake(change: CaseChange, message: Message, desk: Desk, now: datetime) -> CaseChange:
    """A case that waited for the customer is open again, and the customer waits for a reply."""
    case = change.after
    if message.is_automatic or message.seq <= max(case.replied_seq, case.state_seq):
        return change
    clocks = _clocks_after_inbound(case, message, desk, now)
    if case.is_waiting:
        return change_state(change, CaseState.OPEN, "the customer wrote", ROUTER, now, clocks)
    if clocks == case.clocks:
        return change
    started = {str(clock.kind): describe_due(clock) for clock in clocks if clock.is_running}
    return change.record(EventKind.SLA_STARTED, ROUTER, now, {"due": started}, clocks=clocks)


def _clocks_after_inbound(
    case: Case, message: Message, desk: Desk, now: datetime
) -> tuple[Clock, ...]:
    clocks, policy = [], desk.playbook(case.category).policy
    for clock in case.clocks:
        if clock.kind is ClockKind.FOLLOW_UP:
            clocks.append(stop_clock(clock, now))
        elif _is_provisional(clock):
            promised = desk.start_clock(clock.kind, policy, clock.started_at)
            clocks += [promised] if promised is not None else []
        else:
            clocks.append(resume_clock(clock, desk.calendar(clock.calendar), message.received_at))
    if case.clock(ClockKind.FIRST_REPLY, ClockKind.NEXT_REPLY) is None:
        started = desk.start_clock(ClockKind.NEXT_REPLY, policy, message.received_at)
        if started is not None:
            clocks.append(started)
    return tuple(clocks)


def _is_provisional(clock: Clock) -> bool:
    """Was it started by intake, when the customer's word opened a closed case again?"""
    return clock.policy == REOPENED.name and clock.stopped_at is None


def wants_acknowledgement(case: Case, message: Message) -> bool:
    """Once a channel; never to a machine or to spam, to an address that the sender only pretended,
    or where no answer can go.
    """
    is_spam = message.fields.get("spam") == "fail"
    if message.is_automatic or is_spam or message.proof is Proof.REFUTED:
        return False
    is_reachable = message.channel in case.contacts
    return case.is_active and is_reachable and message.channel not in case.acknowledged


def _name_acknowledgement(case: Case, desk: Desk) -> str:
    return "continued" if case.acknowledged else desk.playbook(case.category).acknowledgement


def find_objection(address: str, rules: AnswerRules, answered: int) -> str:
    """Why no automatic answer may go to a mail address; "" if one may.

    *answered* is how often it was answered so, within the time of the rules.
    """
    if address.rpartition("@")[0].partition("+")[0] in rules.never_to:
        return "nobody reads that address"
    if answered >= rules.at_most:
        hours = rules.within.total_seconds() / 3600
        return f"that address had {answered} automatic answers within {hours:g} hours"
    return ""


def _withhold(change: CaseChange, message: Message, reason: str, now: datetime) -> CaseChange:
    """No acknowledgement, once and for all on this channel, and why."""
    return change.record(
        EventKind.ANSWER_WITHHELD,
        ROUTER,
        now,
        {"message_id": message.id, "channel": str(message.channel), "reason": reason},
        acknowledged=(*change.after.acknowledged, message.channel),
    )


def _acknowledge(
    change: CaseChange, message: Message, body: str, now: datetime, reply_id: str
) -> CaseChange:
    case = change.after
    reply = make_outbound(
        case, message.channel, body, Purpose.ACKNOWLEDGEMENT, str(ROUTER), now, reply_id
    )
    return change.add_message(
        EventKind.MESSAGE_QUEUED,
        ROUTER,
        reply,
        acknowledged=(*case.acknowledged, message.channel),
    )
