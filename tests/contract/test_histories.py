"""However often, in whatever order and batches deliveries come, and wherever we die: one truth.

Compared are whole dumps of the table. The clock stands still and a case's reference follows from
its id, so nothing of a dump is left out, but for two things:
- in other batches: the request that an event came in, which its entry in the ledger keeps;
- in another order: what says who came first. A case and a customer are named after the event that
  made them, so each is renamed after a message in it; the case's events, a message's place among
  them, and what head and address take from the first or last message (its subject, language and
  contact) follow the order. The chains of the events must hold.
"""

import json
from contextlib import suppress
from itertools import count

import boto3
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from caseweave.config.desk import load_desk
from caseweave.domain.evidence import find_broken_link
from caseweave.domain.message import Delivery, DeliveryState
from caseweave.notifier import NOTIFIER
from caseweave.router import route_case
from caseweave.storage import cases
from caseweave.storage.customers import list_customer_events
from caseweave.storage.outbox import outbox_key, settle_message
from tests.conftest import ROOT, make_table
from tests.contract.doors import Post, make_bucket
from tests.contract.specimens import SPECIMENS, every
from tests.domain.samples import link
from tests.usecases.conftest import KEYS
from tests.usecases.test_router import acknowledgements
from tests.usecases.world import CrashError, crash_at_call

BATCHED = [one for one in SPECIMENS if one.listed_at is not None]
# What the head of a case takes from its first message, and from its last; and a customer's chain.
BY_ORDER = {"subject", "language", "seq", "chain", "seal", "contacts"}
ECHOED = [one for one in SPECIMENS if "echo" in one.deliveries]
# What the echo of each is of.
SENT = {"meta": "m_900", "whatsapp": "wamid.900", "wecom-kf": "0a900c"}
# A failing story is one of few short ones: it is told as it was found. The stories are always the
# same ones; what a test says of all places to die at, it walks through.
quickly = settings(
    max_examples=4,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


class World:
    """One table for all stories, cleared for each: making one takes longer than a story."""

    def __init__(self):
        self.table = make_table()
        self.client = boto3.client("dynamodb")
        make_bucket()

    def dump(self):
        """Every record, sorted."""
        items = self.client.scan(TableName=self.table)["Items"]
        return sorted(items, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))

    def clear(self):
        for item in self.dump():
            key = {name: item[name] for name in ("pk", "sk")}
            self.client.delete_item(TableName=self.table, Key=key)


@pytest.fixture(scope="module")
def world():
    with mock_aws():
        yield World()


@pytest.fixture
def post(specimen):
    return Post(specimen, specimen.now())


def signed_kinds(post):
    """A signed request of each kind; a batch, whose first event is the message, is none."""
    bare = post.specimen.deliveries
    return {kind: post.sign(bare[kind]) for kind in bare if kind != "batch"}


def live_through(world, post, requests, crash=None):
    """The records after these signed requests. *crash* is (which request, which call to the store,
    whether it took effect): then the provider delivers that request again.
    """
    world.clear()
    for number, request in enumerate(requests):
        if crash is not None and crash[0] == number:
            with crash_at_call(crash[1], after=crash[2]), suppress(CrashError):
                post.deliver(request)
        post.deliver(request)
    return world.dump()


def die_at_every_call(post, request):
    """Deliver until nobody dies: the n-th time we die at the n-th call, before and after it."""
    for number in count(1):
        for after in (False, True):
            with suppress(CrashError):
                with crash_at_call(number, after=after) as calls:
                    post.deliver(request)
                assert len(calls) < number
                return number - 1
    raise AssertionError


def first_occurrences(story):
    return list(dict.fromkeys(story))


def stories(length):
    """Every delivery at least once, some again, in any order; and a place to die at."""
    crashes = st.tuples(st.integers(0, 2 * length - 1), st.integers(1, 6), st.booleans())
    again = st.lists(st.integers(0, length - 1), max_size=length)
    orders = again.flatmap(lambda more: st.permutations([*range(length), *more]))
    return st.tuples(orders, crashes)


@every(SPECIMENS)
def test_dying_at_every_call_to_the_store_leaves_what_one_clean_delivery_leaves(
    world, post, specimen
):
    kinds = [post.sign(one) for one in specimen.deliveries.values()]
    expected = live_through(world, post, kinds)

    world.clear()
    deaths = [die_at_every_call(post, request) for request in kinds]

    assert min(deaths) >= 1
    assert world.dump() == expected


@every(SPECIMENS)
@quickly
@given(data=st.data())
def test_repeated_deliveries_and_a_death_leave_what_clean_deliveries_leave(world, post, data):
    requests = list(signed_kinds(post).values())
    order, crash = data.draw(stories(len(requests)))

    found = live_through(world, post, [requests[number] for number in order], crash)

    clean = [requests[number] for number in first_occurrences(order)]
    assert found == live_through(world, post, clean)


def without_request(items):
    return [
        {name: value for name, value in one.items() if name not in ("body", "headers")}
        for one in items
    ]


@every(BATCHED)
@quickly
@given(data=st.data())
def test_events_may_come_in_any_batches(world, post, specimen, data):
    events = specimen.events_of_batch()
    order, crash = data.draw(stories(len(events)))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(order) - 1))))
    groups = [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    batches = [specimen.batch_of([events[number] for number in group]) for group in groups]
    singles = [specimen.batch_of([events[number]]) for number in first_occurrences(order)]

    found = live_through(world, post, [post.sign(one) for one in batches], crash)

    clean = live_through(world, post, [post.sign(one) for one in singles])
    assert without_request(found) == without_request(clean)


def check_chains(items):
    for item in items:
        if item["kind"]["S"] == "case":
            case_id = item["pk"]["S"].removeprefix("CASE#")
            links = [link(e) for e in cases.read_file(case_id).events]
            assert find_broken_link(links) is None
        elif item["kind"]["S"] == "customer":
            chain = list_customer_events(item["pk"]["S"].removeprefix("CUST#"))
            assert find_broken_link([link(one) for one in chain]) is None


def order_free(items):
    """The records without who came first."""
    check_chains(items)
    names = {}
    for item in items:
        if item["kind"]["S"] == "message":
            ids = item["pk"]["S"].removeprefix("CASE#"), item["customer_id"]["S"]
            for kind, one in zip(("case", "customer"), ids, strict=True):
                # The first message in the order of the table, which is that of time and id.
                names.setdefault(one, f"{kind} of {item['message_id']['S']}")
        elif item["kind"]["S"] == "case":
            case_id = item["pk"]["S"].removeprefix("CASE#")
            names[item["ref"]["S"]] = f"reference of {case_id}"
    kept = [strip(item) for item in items if item["kind"]["S"] != "event"]
    texts = [json.dumps(one, default=repr, sort_keys=True) for one in kept]
    # References first: their names hold the case's.
    for name in sorted(names, key=lambda one: not one.startswith("C-")):
        texts = [text.replace(name, names[name]) for text in texts]
    return sorted(texts)


def strip(item):
    """What of a record does not follow the order in which messages came."""
    kept = {name: item[name] for name in item.keys() - {"due_pk", "changed_pk", "contact"}}
    if item["kind"]["S"] == "case":
        head = json.loads(item["head"]["S"])
        kept["head"] = {name: head[name] for name in head.keys() - BY_ORDER}
    if item["kind"]["S"] == "message":
        details = json.loads(item["details"]["S"])
        kept["details"] = {name: details[name] for name in details.keys() - {"seq"}}
    if item["kind"]["S"] == "customer":
        kept = {name: kept[name] for name in kept.keys() - {"chain", "seal"}}
    if item["kind"]["S"] == "open_cases":
        # How often it was written; what it says is the same.
        del kept["version"]
    return kept


@every(SPECIMENS)
def test_messages_are_the_same_in_any_order(world, post, specimen):
    requests = signed_kinds(post)
    # What an edit does depends on what it is about: alone it opens no case. And of two requests
    # that are the same event, as two forms of one mail are, the first one counts.
    events = {
        specimen.parse(requests[kind])[0].event_id: kind
        for kind in reversed(requests)
        if kind != "edit"
    }
    kinds = sorted(events.values())
    expected = order_free(live_through(world, post, [requests[kind] for kind in kinds]))

    for order in (kinds[::-1], [*kinds[1:], kinds[0]]):
        found = live_through(world, post, [requests[kind] for kind in order])
        assert order_free(found) == expected


@every(ECHOED)
def test_an_echo_of_what_we_sent_adds_nothing_but_its_entry_in_the_ledger(world, post, specimen):
    requests = signed_kinds(post)
    (item,) = [
        one
        for one in live_through(world, post, [requests["message"]])
        if one["kind"]["S"] == "message"
    ]
    case_id = item["pk"]["S"].removeprefix("CASE#")
    route_case(case_id, item["sk"]["S"], load_desk(ROOT / "config"), "", KEYS, post.now)
    (reply,) = acknowledgements(case_id)
    taken = Delivery(DeliveryState.ACCEPTED, post.now, SENT[specimen.name])
    settle_message(outbox_key(reply), taken, NOTIFIER)
    before = world.dump()

    post.deliver(requests["echo"])
    post.deliver(requests["echo"])

    (entry,) = [one for one in world.dump() if one not in before]
    assert (entry["kind"]["S"], entry["state"]["S"]) == ("ledger", "ignored")
    assert [one for one in world.dump() if one != entry] == before
