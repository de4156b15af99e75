"""Whatever customers, agents, the router and the schedule do, in any order: the promises hold."""

from collections import Counter
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from caseweave.domain.case import CaseState
from caseweave.domain.escalation import tick_case
from caseweave.domain.event import CaseChange, EventKind
from caseweave.domain.evidence import find_broken_link
from caseweave.domain.handling import assign_case, set_state
from caseweave.domain.message import Channel, Purpose
from caseweave.domain.opening import NewCase, append_message, open_case
from caseweave.domain.replying import reply_to_customer
from caseweave.domain.routing import route_message
from caseweave.domain.wording import Wording
from caseweave.errors import InvalidRequestError
from tests.domain.samples import AGENT, CASE_ID, DESK, SEAL, at, link, message

BODIES = st.sampled_from(["充值没到账", "I was hacked", "when do you open?", "在吗"])
CHANNELS = st.sampled_from(Channel)
WAITS = st.integers(0, 4 * 24 * 60)


class LifeOfACase(RuleBasedStateMachine):
    @initialize(body=BODIES, is_automatic=st.booleans())
    def open(self, body, is_automatic):
        self.now = at("2026-11-20 16:00")
        self.links, self.received, self.counter = [], [], 0
        self.breaches, self.warnings = Counter(), Counter()
        self.acknowledged = Counter()
        first = message(body, "2026-11-20 16:00", is_automatic=is_automatic)
        change = open_case(NewCase(CASE_ID, "C-7K3F-9Q2M", "frontline", SEAL), first, "")
        self.case = None
        self._apply(change)
        self.received += change.messages

    @rule(minutes=WAITS)
    def wait(self, minutes):
        self.now += timedelta(minutes=minutes)

    @rule(body=BODIES, channel=CHANNELS, is_automatic=st.booleans())
    def customer_writes(self, body, channel, is_automatic):
        if self.case.is_active:
            kept = message(
                body, self.now.isoformat()[:16], self._id(), channel=channel,
                is_automatic=is_automatic,
            )  # fmt: skip
            change = append_message(self.case, kept)
            self._apply(change)
            self.received += change.messages

    @rule(data=st.data())
    def router_runs_for_any_message_once_or_again(self, data):
        chosen = data.draw(st.sampled_from(self.received))
        self._apply(route_message(self.case, chosen, DESK, Wording(), self.now, self._id()))
        assert route_message(self.case, chosen, DESK, Wording(), self.now, "again").is_empty

    @rule()
    def agent_replies(self):
        if self.case.is_active:
            self._apply(reply_to_customer(self.case, "We look.", None, AGENT, self.now, self._id()))

    @rule(state=st.sampled_from(CaseState))
    def agent_sets_the_state(self, state):
        try:
            self._apply(set_state(self.case, state, "", DESK, AGENT, self.now, self._id()))
        except InvalidRequestError:
            assert state is CaseState.NEW or not self.case.is_active or self.case.is_waiting

    @precondition(lambda self: self.case.is_active)
    @rule(team=st.sampled_from([None, *DESK.teams]), agent=st.sampled_from(["", "wei"]))
    def lead_assigns(self, team, agent):
        self._apply(assign_case(self.case, team, agent, DESK, AGENT, self.now))

    @rule()
    def schedule_ticks(self):
        was = self.case
        self._apply(tick_case(was, DESK, self.now))
        assert tick_case(self.case, DESK, self.now).is_empty
        breached = sum(
            new.breached_at is not None and old.breached_at is None
            for old, new in zip(was.clocks, self.case.clocks, strict=False)
        )
        assert self.case.level == was.level + breached

    @invariant()
    def an_active_case_has_an_owner_and_a_due_time(self):
        if self.case.is_active:
            assert self.case.team in DESK.teams
            assert self.case.due_at is not None
        else:
            assert self.case.attention_at is None

    @invariant()
    def a_waiting_case_is_followed_up_and_owes_no_reply(self):
        if self.case.is_waiting:
            running = [c for c in self.case.clocks if c.is_running and c.breached_at is None]
            assert [str(clock.kind) for clock in running] == ["follow_up"]

    @invariant()
    def the_chain_is_unbroken_and_ends_in_the_head(self):
        assert find_broken_link(self.links) is None
        assert self.links[-1][1] == self.case.chain
        assert [record["seq"] for _, _, record in self.links] == [*range(1, self.case.seq + 1)]

    @invariant()
    def each_promise_is_broken_once_and_each_channel_acknowledged_once(self):
        assert set(self.breaches.values()) <= {1}
        assert set(self.warnings.values()) <= {1}
        assert set(self.acknowledged.values()) <= {1}

    def _apply(self, change: CaseChange) -> None:
        assert change.before == self.case
        if not change.is_empty:
            assert change.after.version == (self.case.version if self.case else 0) + 1
        self.links += [link(event) for event in change.events]
        for event in change.events:
            if event.kind in (EventKind.SLA_BREACHED, EventKind.SLA_WARNED):
                counts = self.breaches if event.kind is EventKind.SLA_BREACHED else self.warnings
                counts[event.data["clock"], event.data["policy"], event.data["due"]] += 1
        for sent in change.messages:
            if sent.purpose is Purpose.ACKNOWLEDGEMENT:
                self.acknowledged[sent.channel] += 1
        self.case = change.after

    def _id(self) -> str:
        self.counter += 1
        return f"X{self.counter}"


TestLifeOfACase = LifeOfACase.TestCase
TestLifeOfACase.settings = settings(max_examples=120, stateful_step_count=30, deadline=None)
