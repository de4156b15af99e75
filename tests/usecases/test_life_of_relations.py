"""Whatever is merged, split, moved, linked, closed and given back: the audit holds."""

import random
from contextlib import suppress
from datetime import timedelta

import boto3
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from moto import mock_aws

from caseweave.agents.caller import Moment
from caseweave.agents.cases import change_state, note, read_case, reply
from caseweave.agents.relations import link, merge, split, unmerge
from caseweave.domain.case_links import BY_HAND
from caseweave.domain.identity import Proof
from caseweave.domain.media import Links
from caseweave.domain.message import Channel, Direction
from caseweave.errors import InvalidRequestError
from caseweave.intake import Door
from caseweave.sla import sweep_due_cases
from caseweave.storage import cases
from tests.audit import audit
from tests.conftest import clear_table, make_table
from tests.depth import DEPTH
from tests.usecases.cases_apart import EXCERPT, MEI
from tests.usecases.conftest import KEYS
from tests.usecases.test_router import route
from tests.usecases.world import NOON, message, proven, receive, sms, unproven

NUMBERS = st.sampled_from(["+8613800138000", "+8613900139000"])
PLACES = st.integers(0, 30)


class LifeOfRelations(RuleBasedStateMachine):
    """Two customers. A case is named by its place among all that there are, in any state."""

    def __init__(self, table, desk):
        super().__init__()
        clear_table(table)
        self.table, self.desk = table, desk
        draws = random.Random(1)
        self.entropy = draws.randbytes
        self.door = Door("frontline", KEYS, self.entropy)
        self.now, self.count = NOON, 0
        # Event id → (message id, what was said); all cases' ids in the order of opening.
        self.said, self.opened, self.restored = {}, [], {}

    @initialize(number=NUMBERS)
    def first(self, number):
        self.customer_writes(number)

    @rule(minutes=st.integers(0, 90))
    def time_passes(self, minutes):
        self.now += timedelta(minutes=minutes)
        sweep_due_cases(self.desk, self.now)

    @rule(number=NUMBERS)
    def customer_writes(self, number):
        self.count += 1
        event = f"SM{self.count}"
        self._take_in(sms(number, f"{event}, {EXCERPT}", event))

    @rule(place=PLACES)
    def a_page_writes_to_its_case(self, place):
        self.count += 1
        event = f"SM{self.count}"
        page = proven(unproven(f"page-{self.count}"), proof=Proof.NONE)
        body, case_id = f"{event}, {EXCERPT}", self._pick(place)
        inbound = message(Channel.WEB, "twilio", page, body, event, session_case_id=case_id)
        self._take_in(inbound)

    @rule(place=PLACES)
    def provider_delivers_again(self, place):
        event = list(self.said)[place % len(self.said)]
        again = receive(self.said[event][1], self.door, self.now)
        assert (again.message_id, again.is_new) == (self.said[event][0], False)
        messages, _ = cases.list_messages(again.case_id)
        assert again.message_id in [message.id for message in messages]

    @rule(place=PLACES)
    def agent_writes(self, place):
        note(self._pick(place), {"body": "looked"}, None, MEI, self.desk, self._moment())
        self._try(reply, {"body": "we look"}, place, lambda *_: None)

    @rule(place=PLACES, state=st.sampled_from(["open", "pending", "resolved", "closed"]))
    def agent_sets_the_state(self, place, state):
        self._try(change_state, {"state": state}, place)

    @rule(place=PLACES, into=PLACES)
    def agent_merges(self, place, into):
        source = cases.read_head(self._pick(place))
        shown = self._try(merge, {"into": self._pick(into), "reason": "one"}, place)
        if shown and not source.merged_into:
            self.restored[source.id] = source

    @rule(place=PLACES)
    def agent_gives_a_case_back(self, place):
        case_id = self._pick(place)
        try:
            unmerge(case_id, {}, None, MEI, self._moment())
        except InvalidRequestError:
            assert not cases.read_head(case_id).merged_into
            return
        before, after = self.restored.pop(case_id), cases.read_head(case_id)
        assert after.merged_into == ""
        assert (after.state, after.contacts, after.merged) == (
            before.state, before.contacts, before.merged,
        )  # fmt: skip
        # What was due and missed at the moment of the merge was recorded then.
        assert [c.due_at for c in after.clocks] == [c.due_at for c in before.clocks] or (
            after.seq > before.seq + 4
        )

    @rule(place=PLACES, which=PLACES)
    def agent_splits_a_message(self, place, which):
        inbound = self._inbound(place)
        if inbound:
            said = {"message": inbound[which % len(inbound)], "excerpt": EXCERPT}
            shown = self._try(split, said, place)
            self.opened += [shown["new"]["id"]] if shown else []

    @rule(place=PLACES, most=st.integers(1, 3))
    def agent_moves_messages(self, place, most):
        inbound = self._inbound(place)
        if inbound:
            shown = self._try(split, {"messages": inbound[-most:]}, place)
            self.opened += [shown["new"]["id"]] if shown else []

    @rule(place=PLACES, other=PLACES, kind=st.sampled_from(BY_HAND), remove=st.booleans())
    def agent_links(self, place, other, kind, remove):
        said = {"case": self._pick(other), "kind": str(kind), "remove": remove}
        with suppress(InvalidRequestError):
            link(self._pick(place), said, None, MEI, self._moment())

    @invariant()
    def all_promises_hold(self):
        if self.opened:
            pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=self.table)
            items = [item for page in pages for item in page["Items"]]
            acknowledged = [("twilio", "account", event) for event in self.said]
            assert audit(items, acknowledged) == []

    @invariant()
    def every_name_leads_to_one_case_that_shows_all(self):
        for case_id in self.opened[-3:]:
            shown = read_case(case_id, MEI, lambda _: Links(), self.now)
            current = cases.read_current(case_id)
            assert shown["case"]["id"] == current.id
            assert len(shown["merged"]) == len(current.merged)
            ids = [message["id"] for message in shown["messages"]]
            assert len(ids) == len(set(ids))

    def _take_in(self, inbound):
        landed = receive(inbound, self.door, self.now)
        self.said[inbound.event_id] = (landed.message_id, inbound)
        if landed.case_id not in self.opened:
            self.opened.append(landed.case_id)
        route(landed, self.desk)

    def _try(self, work, said, place, *more):
        """What an agent asks for may make no sense: then it is refused, and there is no answer."""
        with suppress(InvalidRequestError):
            return work(self._pick(place), said, None, MEI, self.desk, self._moment(), *more)
        return None

    def _inbound(self, place):
        messages, _ = cases.list_messages(cases.find_case_id(self._pick(place)))
        return [one.id for one in messages if one.direction is Direction.INBOUND]

    def _pick(self, place):
        return self.opened[place % len(self.opened)]

    def _moment(self):
        self.now += timedelta(seconds=1)
        return Moment(self.now, self.entropy)


@pytest.fixture(scope="module")
def shared_table():
    with mock_aws():
        yield make_table()


def test_the_promises_hold_whatever_agents_do_with_cases(shared_table, desk):
    run_state_machine_as_test(
        lambda: LifeOfRelations(shared_table, desk),
        settings=settings(
            max_examples=4 * DEPTH,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
