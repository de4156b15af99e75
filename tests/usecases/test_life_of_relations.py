"""Whatever is merged, split, moved, linked, closed and given back: the audit holds."""

import random
from contextlib import suppress
from datetime import timedelta

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caseweave.agents.caller import Moment
from caseweave.agents.cases import change_state, note, read_case, reply
from caseweave.agents.relations import link, merge, split, unmerge
from caseweave.customer_merging import merge_into, preview_unmerge
from caseweave.customer_merging import unmerge as unmerge_customer
from caseweave.domain.case_links import BY_HAND
from caseweave.domain.identity import Proof
from caseweave.domain.media import Links
from caseweave.domain.message import Channel, Direction
from caseweave.errors import InvalidRequestError
from caseweave.intake import Door
from caseweave.sla import sweep_due_cases
from caseweave.storage import cases
from tests.audit import audit
from tests.conftest import clear_table
from tests.depth import DEPTH
from tests.usecases.cases_apart import EXCERPT, MEI
from tests.usecases.conftest import KEYS
from tests.usecases.test_router import route
from tests.usecases.world import NOON, message, proven, receive, sms, unproven

NUMBERS = ("+8613800138000", "+8613900139000", "+8613700137000")
STATES = ("open", "pending", "resolved", "closed")


class Life:
    """Three customers. Each step is chosen by two numbers: a case, for one, by its place among all
    that there are, in any state.
    """

    def __init__(self, table, desk, client):
        clear_table(table)
        self.table, self.desk, self.client = table, desk, client
        draws = random.Random(1)
        self.entropy = draws.randbytes
        self.door = Door("frontline", KEYS, self.entropy)
        self.now, self.count = NOON, 0
        # Event id → (message id, what was said); all cases' ids in the order of opening.
        self.said, self.opened, self.restored = {}, [], {}
        self.merged_customers = []

    def time_passes(self, minutes, _):
        self.now += timedelta(minutes=3 * minutes)
        sweep_due_cases(self.desk, self.now)

    def customer_writes(self, number, _=0):
        self.count += 1
        event = f"SM{self.count}"
        self._take_in(sms(NUMBERS[number % 3], f"{event}, {EXCERPT}", event))

    def a_page_writes_to_its_case(self, place, _):
        self.count += 1
        event = f"SM{self.count}"
        page = proven(unproven(f"page-{self.count}"), proof=Proof.NONE)
        body, case_id = f"{event}, {EXCERPT}", self._pick(place)
        inbound = message(Channel.WEB, "twilio", page, body, event, session_case_id=case_id)
        self._take_in(inbound)

    def provider_delivers_again(self, place, _):
        event = list(self.said)[place % len(self.said)]
        again = receive(self.said[event][1], self.door, self.now)
        assert (again.message_id, again.is_new) == (self.said[event][0], False)
        messages, _ = cases.list_messages(again.case_id)
        assert again.message_id in [message.id for message in messages]

    def agent_writes(self, place, _):
        note(self._pick(place), {"body": "looked"}, None, MEI, self.desk, self._moment())
        self._try(reply, {"body": "we look"}, place, lambda *_: None)

    def agent_sets_the_state(self, place, state):
        self._try(change_state, {"state": STATES[state % len(STATES)]}, place)

    def agent_merges(self, place, into):
        source = cases.read_head(self._pick(place))
        shown = self._try(merge, {"into": self._pick(into), "reason": "one"}, place)
        if shown and not source.merged_into:
            self.restored[source.id] = source

    def agent_gives_a_case_back(self, place, _):
        merged = [one for one in self.opened if cases.read_head(one).merged_into]
        case_id = merged[place % len(merged)] if merged else self._pick(place)
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

    def agent_splits_a_message(self, place, which):
        inbound = self._inbound(place)
        if inbound:
            said = {"message": inbound[which % len(inbound)], "excerpt": EXCERPT}
            shown = self._try(split, said, place)
            self.opened += [shown["new"]["id"]] if shown else []

    def agent_moves_messages(self, place, most):
        inbound = self._inbound(place)
        if inbound:
            shown = self._try(split, {"messages": inbound[-1 - most % 3 :]}, place)
            self.opened += [shown["new"]["id"]] if shown else []

    def agent_links(self, place, other):
        kind, remove = BY_HAND[(place + other) % len(BY_HAND)], (place * other) % 3 == 0
        said = {"case": self._pick(other), "kind": str(kind), "remove": remove}
        with suppress(InvalidRequestError):
            link(self._pick(place), said, None, MEI, self._moment())

    def agent_merges_customers(self, one, other):
        target, source = (self._customer(place) for place in (one, other))
        self.now += timedelta(seconds=1)
        with suppress(InvalidRequestError):
            merge_into(target, source, "one person", MEI.actor, self.now)
            self.merged_customers.append((target, source))

    def agent_separates_customers(self, which, way):
        """What was written in between goes where it seems to belong, or all to one of the two."""
        if not self.merged_customers:
            return
        customer, member = self.merged_customers[which % len(self.merged_customers)]
        with suppress(InvalidRequestError):
            parting, written = preview_unmerge(customer, member)
            choices = {
                one.id: parting.member if way % 2 and one.is_open else one.owner for one in written
            }
            moment = self._moment()
            unmerge_customer(
                customer, member, choices, "two persons", MEI.actor, self.desk,
                moment.now, moment.entropy,
            )  # fmt: skip
        self.opened = sorted({*self.opened, *self._all_cases()})

    def all_promises_hold(self):
        acknowledged = [("twilio", "account", event) for event in self.said]
        assert audit(self._scan(), acknowledged) == []

    def every_name_leads_to_one_case_that_shows_all(self):
        for case_id in self.opened[-3:]:
            shown = read_case(case_id, MEI, lambda _: Links(), self.now)
            current = cases.read_current(case_id)
            assert shown["case"]["id"] == current.id
            assert len(shown["merged"]) == len(current.merged)
            ids = [message["id"] for message in shown["messages"]]
            assert len(ids) == len(set(ids))

    def _scan(self):
        pages = self.client.get_paginator("scan").paginate(TableName=self.table)
        return [item for page in pages for item in page["Items"]]

    def _all_cases(self):
        """Parting moves messages into cases of their own."""
        heads = (item for item in self._scan() if item["kind"]["S"] == "case")
        return (item["pk"]["S"].removeprefix("CASE#") for item in heads)

    def _customer(self, place):
        return cases.read_head(self._pick(place)).customer_id

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


# What customers do comes more often: there must be something to merge and to split.
STEPS = (
    *(Life.customer_writes,) * 3,
    *(Life.agent_splits_a_message,) * 2,
    *(Life.agent_merges,) * 3,
    *(Life.agent_gives_a_case_back,) * 2,
    Life.agent_moves_messages,
    Life.a_page_writes_to_its_case,
    Life.provider_delivers_again,
    Life.agent_writes,
    Life.agent_sets_the_state,
    Life.agent_links,
    Life.agent_merges_customers,
    Life.agent_separates_customers,
    Life.time_passes,
)


@pytest.fixture(scope="module")
def client(shared_table):
    return boto3.client("dynamodb")


@settings(max_examples=2 * DEPTH, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), length=st.integers(20, 30))
def test_the_promises_hold_whatever_agents_do_with_cases(shared_table, desk, client, seed, length):
    """Dice choose the steps: a property test that chose each would begin with the dullest."""
    life, dice = Life(shared_table, desk, client), random.Random(seed)
    for number in range(3):
        life.customer_writes(number)

    for step in dice.choices(STEPS, k=length):
        step(life, dice.randrange(30), dice.randrange(30))

        life.all_promises_hold()
        life.every_name_leads_to_one_case_that_shows_all()
