"""After an erasure nothing of a customer is left, nothing of anybody else's is changed, every chain
holds; and it may die anywhere on the way.
"""

import os
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caseweave.agents.caller import Moment
from caseweave.agents.cases import reply
from caseweave.domain.event import Actor
from caseweave.domain.message import Delivery, DeliveryState, NumberChange
from caseweave.errors import CaseweaveError, InvalidRequestError
from caseweave.intake import take_in
from caseweave.storage import cases
from caseweave.storage.consent import find_opt_out
from caseweave.storage.deletions import DeletionState, read_task
from caseweave.storage.ledger import RawInput
from caseweave.storage.outbox import outbox_key, settle_message
from tests.depth import DEPTH
from tests.usecases.privacy_world import (
    LATER,
    MEI,
    Person,
    ask,
    chains_hold,
    everything,
    find_marks,
    live,
    make_bucket,
    make_two,
    objects,
    of_others,
    readable,
    shredder,
)
from tests.usecases.world import YEAR, crash_at_call, phone, receive, sms

_PROVIDER = Actor("provider", "twilio")
ACTS = ["be_routed", "be_answered", "be_noted", "stop", "close", "store_files"]
MORE = st.lists(st.sampled_from([*ACTS, "say_again", "sign_in_again"]), max_size=8)


@pytest.fixture
def two(table, door, desk):
    return make_two(door, desk)


def test_nothing_of_the_customer_is_left_and_nothing_of_others_is_touched(two):
    ling, wang = two
    customer, own = ling.customer_id(), ling.all_case_ids()
    assert find_marks(ling)
    others, files = of_others(customer, own), objects()
    deletion = ask(customer)
    assert shredder().work_off() == 1
    assert find_marks(ling) == []
    left = {(i["pk"]["S"], i["sk"]["S"]): i for i in everything()}
    for item in others:
        if not any(mark in readable(item) for mark in ling.marks):
            assert left[item["pk"]["S"], item["sk"]["S"]] == item
    assert dict(objects().items()) == {
        key: body for key, body in files.items() if str(ling.number).encode() not in body
    }
    assert find_marks(wang)
    assert chains_hold()
    task = read_task(deletion)
    assert (task.state, task.progress, task.finished_at) == (DeletionState.DONE, {}, LATER)
    assert task.counts["messages"] == len(
        [i for i in left.values() if i["kind"]["S"] == "message" and "erased_at" in i]
    )
    for case in own:
        head = cases.read_head(case)
        assert (head.seal, head.subject, dict(head.contacts)) == ("", "", {})
        assert head.erased_at == LATER


def test_a_redelivery_of_an_erased_message_changes_nothing(two):
    ling, _ = two
    ask(ling.customer_id())
    shredder().work_off()
    before = everything()
    for inbound, raw in ling.events:
        assert take_in([inbound], raw, ling.door) == 0
    assert everything() == before


def test_who_writes_after_an_erasure_is_somebody_new(two):
    ling, _ = two
    erased = ling.customer_id()
    ask(erased)
    shredder().work_off()
    landed = receive(sms(ling.phone, "你好", "SMnew"), ling.door, LATER + timedelta(hours=1))
    case = cases.read_head(landed.case_id)
    assert case.customer_id != erased
    assert ling.customer_id() == case.customer_id
    assert shredder().work_off() == 0


def test_a_number_that_said_stop_stays_stopped_under_its_digest(two):
    ling, wang = two
    contact = ling.inbound()[-1].contact
    assert find_opt_out(contact) is not None
    ask(ling.customer_id())
    shredder().work_off()
    assert find_opt_out(contact) is not None
    assert find_opt_out(wang.inbound()[-1].contact) is None


def test_a_file_that_somebody_else_sent_too_stays(two):
    ling, wang = two
    both = b"the same picture"
    ling.say("see", both)
    wang.say("see", both)
    ask(ling.customer_id())
    shredder().work_off()
    names = {key for key, _ in objects()}
    assert f"attachments/{sha256(both).hexdigest()}" in names
    assert f"attachments/{sha256(f'secretfile{ling.number}'.encode()).hexdigest()}" not in names
    ask(wang.customer_id())
    shredder().work_off()
    assert objects() == {}


def test_an_unsent_answer_does_not_leave_any_more_and_late_receipts_bring_nothing_back(two):
    ling, _ = two
    said = {"body": ling.mark("late")}
    case = ling.case_id()
    with suppress(InvalidRequestError):
        reply(case, said, None, MEI, ling.desk, Moment(ling.tick(), os.urandom), lambda *_: None)
    outbound = [m for m in cases.list_messages(case)[0] if m.direction == "outbound"]
    ask(ling.customer_id())
    shredder().work_off()
    for one in outbound:
        told = Delivery(DeliveryState.READ, LATER, f"SMmark{ling.number}")
        assert settle_message(outbox_key(one), told, _PROVIDER) is False
    assert {m.delivery.state for m in cases.list_messages(case)[0] if m.delivery} <= {
        DeliveryState.FAILED, DeliveryState.ACCEPTED
    }  # fmt: skip
    assert find_marks(ling) == []


@pytest.mark.parametrize("after", [False, True])
def test_it_goes_on_wherever_it_died(two, after):
    ling, wang = two
    kept = find_marks(wang)
    ask(ling.customer_id())
    call, died = 1, 0
    while True:
        with crash_at_call(call, after=after) as calls:
            try:
                shredder().work_off()
                break
            except CaseweaveError:
                died += 1
        call = call + 7 if call > 40 else call + 3
        assert calls
    assert died > 5
    assert find_marks(ling) == []
    assert find_marks(wang) == kept
    assert chains_hold()


def test_what_names_a_number_that_they_had_before_goes_too(two):
    ling, wang = two
    kept, old = find_marks(wang), ling.phone
    customer = ling.customer_id()
    change = NumberChange("whatsapp", "account", "N1", phone(old), phone("+8613555550001"))
    raw = RawInput("whatsapp", "account", ling.tick(), YEAR, f"{old} has moved".encode())
    assert take_in([change], raw, ling.door) == 1
    ask(customer)
    shredder().work_off()
    assert find_marks(ling) == []
    assert not [item for item in everything() if "13555550001" in readable(item)]
    assert find_marks(wang) == kept


def test_a_request_that_brought_messages_of_two_customers_is_kept_for_neither(two):
    ling, wang = two
    hers = sms(ling.phone, ling.mark("hers"), "SMboth1")
    his = sms(wang.phone, wang.mark("his"), "SMboth2")
    said = f"{ling.mark('hers')} {wang.mark('his')}".encode()
    assert take_in([his, hers], RawInput("twilio", "account", LATER, YEAR, said), ling.door) == 2
    wangs = wang.customer_id()
    ask(ling.customer_id(), LATER + timedelta(hours=1))
    shredder().work_off()
    assert find_marks(ling) == []
    bodies = [m.body for c in wang.cases() for m in cases.list_messages(c.id)[0]]
    assert wang.mark("his") in bodies
    assert wang.customer_id() == wangs
    assert take_in([his, hers], RawInput("twilio", "account", LATER, YEAR, said), ling.door) == 0


def test_it_stops_when_time_is_up_and_goes_on_later(two):
    ling, _ = two
    deletion = ask(ling.customer_id())
    for _ in range(40):
        steps = iter([True])
        shredder(lambda steps=steps: next(steps, False)).work_off()
        if read_task(deletion).state is DeletionState.DONE:
            break
    assert read_task(deletion).state is DeletionState.DONE
    assert find_marks(ling) == []


@settings(
    max_examples=2 * DEPTH,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(hers=MORE, his=MORE)
def test_whatever_happened_before_nothing_is_left(table, door, desk, hers, his):
    with suppress(boto3.client("s3").exceptions.BucketAlreadyExists):
        make_bucket()
    ling, wang = Person(door, desk), Person(door, desk)
    live(ling, hers)
    live(wang, his)
    kept = find_marks(wang)
    ask(ling.customer_id())
    shredder().work_off()
    assert find_marks(ling) == []
    assert find_marks(wang) == kept
    assert chains_hold()
