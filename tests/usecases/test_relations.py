"""Merging, splitting and linking stored cases; the audit holds after each."""

from dataclasses import replace
from datetime import timedelta

import pytest

from caseweave.agents.caller import Caller
from caseweave.agents.cases import change_state, note, read_case, reply
from caseweave.agents.relations import link, merge, read_links, split, unmerge
from caseweave.domain.case import CaseState, Priority
from caseweave.domain.clocks import ClockKind
from caseweave.domain.event import EventKind
from caseweave.domain.identity import Proof
from caseweave.domain.media import FileOutcome, FileState, Links
from caseweave.domain.message import Attachment, Delivery, DeliveryState, Direction
from caseweave.domain.times import to_rfc3339
from caseweave.domain.tokens import issue_reply_token
from caseweave.errors import ForbiddenError, InvalidRequestError, NotFoundError, StaleVersionError
from caseweave.notifier import NOTIFIER
from caseweave.router import route_case
from caseweave.storage import cases
from caseweave.storage.customers import read_customer_of
from caseweave.storage.ledger import find_landed
from caseweave.storage.media import FileKey, read_file_of, settle_file
from caseweave.storage.open_cases import move_open_cases, read_open_cases
from caseweave.storage.outbox import outbox_key, settle_message
from caseweave.storage.rows import customer_item
from caseweave.storage.transaction import Transaction
from tests.audit import audit
from tests.conftest import clear_table
from tests.usecases.cases_apart import (
    BOTH,
    MEI,
    NUMBER,
    Time,
    first_message,
    merge_into,
    move,
    open_case,
    split_off,
    write_more,
)
from tests.usecases.conftest import KEYS
from tests.usecases.test_router import route
from tests.usecases.world import NOON, email, message, proven, raw, receive, sms


@pytest.fixture
def table(shared_table):
    """One table for all tests of this file: making one takes longer than a test."""
    clear_table(shared_table)
    return shared_table


@pytest.fixture
def tick():
    return Time()


@pytest.fixture
def case(table, door, desk):
    return open_case(door, desk)


@pytest.fixture(autouse=True)
def sound(request, table, dump):
    """Whatever a test does, the promises hold of what it leaves."""
    yield
    assert audit(dump()) == []


@pytest.fixture
def pair(case, desk, tick):
    """Two open cases of one customer: (the first one, the one split off)."""
    other = split_off(case, desk, tick())
    return cases.read_head(case.id), other


def kinds(case):
    return [event.kind for event in cases.read_file(case.id).events]


def show(name):
    return read_case(name, MEI, lambda _: Links(), NOON + timedelta(hours=1))


# Merging.


def test_a_merged_case_is_closed_and_both_chains_tell_of_each_other(pair, desk, tick):
    first, second = pair

    shown = merge_into(second, first, desk, tick())

    source, target = cases.read_head(second.id), cases.read_head(first.id)
    assert (shown["case"]["id"], shown["merged"]["merged_into"]) == (first.id, first.id)
    assert (source.state, source.merged_into) == (CaseState.CLOSED, first.id)
    assert target.merged == (second.id,)
    assert all(clock.stopped_at is not None for clock in source.clocks)
    assert kinds(source)[-2:] == [EventKind.STATE_CHANGED, EventKind.CASE_MERGED]
    joined = cases.read_file(first.id).events[source.merged_seq - 1]
    assert (joined.kind, joined.data["chain"]) == (EventKind.CASE_JOINED, source.chain)
    assert joined.private == {"reason": "the same order"}


def test_the_target_takes_the_higher_priority_and_the_earlier_promise(pair, desk, tick):
    first, second = pair
    assert (first.priority, second.priority) == (Priority.HIGH, Priority.URGENT)
    due = min(first.due_at, second.due_at)

    merge_into(second, first, desk, tick())

    target = cases.read_head(first.id)
    assert (target.priority, target.due_at) == (Priority.URGENT, due)
    unstopped = [clock.kind for clock in target.clocks if clock.stopped_at is None]
    assert sorted(unstopped) == [ClockKind.FIRST_REPLY, ClockKind.OUTCOME]


def test_a_waiting_target_wakes_when_the_merged_case_waits_for_us(pair, desk, tick):
    first, second = pair
    change_state(first.id, {"state": "pending"}, None, MEI, desk, tick())

    merge_into(second, first, desk, tick())

    target = cases.read_head(first.id)
    assert target.state is CaseState.OPEN
    running = sorted(clock.kind for clock in target.clocks if clock.is_running)
    assert running == [ClockKind.FIRST_REPLY, ClockKind.OUTCOME]


def test_a_waiting_target_sleeps_on_when_the_merged_case_waited_too(pair, desk, tick):
    first, second = pair
    for one in pair:
        change_state(one.id, {"state": "pending"}, None, MEI, desk, tick())
    before = cases.read_head(first.id)

    merge_into(second, first, desk, tick())

    target = cases.read_head(first.id)
    assert (target.state, target.clocks) == (CaseState.PENDING, before.clocks)


def test_the_target_learns_how_to_reach_the_customer_on_channels_it_lacks(
    pair, desk, door, tick, dump
):
    first, second = pair
    mail = message("email", "ses", proven(email("lin@example.com")), "screenshot", "M1",
                   session_case_id=second.id)  # fmt: skip
    receive(mail, door, NOON + timedelta(minutes=3))

    merge_into(second, first, desk, tick())

    target = cases.read_head(first.id)
    assert set(target.contacts) == {"sms", "email"}
    assert target.last_channel == "email"
    assert target.contacts["sms"] == first.contacts["sms"]


def test_one_timeline_shows_the_messages_of_all_with_their_cases(pair, desk, tick):
    first, second = pair
    note(second.id, {"body": "froze the account"}, None, MEI, desk, tick())
    merge_into(second, first, desk, tick())
    note(first.id, {"body": "told her"}, None, MEI, desk, tick())

    shown = show(first.ref)

    told = [(m["case_ref"], m["direction"]) for m in shown["messages"]]
    assert told == [
        (first.ref, "inbound"),
        (first.ref, "outbound"),
        (second.ref, "note"),
        (second.ref, "note"),
        (first.ref, "note"),
    ]
    assert [one["ref"] for one in shown["merged"]] == [second.ref]
    assert {e["seq"] for e in shown["events"]} == set(range(1, cases.read_head(first.id).seq + 1))
    assert shown["asked_for"] is None


def test_whoever_asks_for_the_merged_case_gets_the_other_and_is_told_so(pair, desk, tick):
    first, second = pair
    merge_into(second, first, desk, tick())

    for name in (second.id, second.ref):
        shown = show(name)
        assert shown["case"]["id"] == first.id
        assert (shown["asked_for"]["ref"], shown["asked_for"]["state"]) == (second.ref, "closed")
        assert shown["asked_for"]["merged_into"] == first.id


def test_what_is_written_to_a_merged_case_is_written_to_the_other(pair, desk, tick):
    first, second = pair
    merge_into(second, first, desk, tick())

    said = note(second.ref, {"body": "by its old name"}, None, MEI, desk, tick())
    answered = reply(second.ref, {"body": "done"}, None, MEI, desk, tick(), lambda *_: None)

    ids = [m.id for m in cases.list_messages(first.id)[0]]
    assert {said["message_id"], answered["message_id"]} <= set(ids)
    assert said["case"]["id"] == answered["case"]["id"] == first.id


def test_a_reply_answers_a_message_of_a_merged_case_where_it_came_in(pair, desk, door, tick):
    first, second = pair
    landed = receive(
        sms(NUMBER, "which?", "SM9", session_case_id=second.id), door, NOON + timedelta(minutes=3)
    )
    merge_into(second, first, desk, tick())

    said = {"body": "this one", "reply_to": landed.message_id}
    shown = reply(first.ref, said, None, MEI, desk, tick(), lambda *_: None)

    sent = [m for m in cases.list_messages(first.id)[0] if m.id == shown["message_id"]]
    assert sent[0].reply_to == landed.message_id


def test_replies_to_mails_of_the_merged_case_and_its_sessions_arrive_in_the_other(
    pair, desk, door, tick
):
    first, second = pair
    address = "friend@example.com"
    token = issue_reply_token(second.id, address, KEYS)
    merge_into(second, first, desk, tick())
    later = NOON + timedelta(minutes=5)

    by_token = message("email", "ses", proven(email(address), proof=Proof.NONE), "thanks", "M2",
                       reply_tokens=(token,))  # fmt: skip
    by_session = sms(NUMBER, "hello", "SM7", session_case_id=second.id)

    assert receive(by_token, door, later).case_id == first.id
    assert receive(by_session, door, later).case_id == first.id
    assert receive(sms(NUMBER, "again", "SM8"), door, later).case_id == first.id


def test_what_is_queued_in_the_merged_case_leaves_and_its_receipts_find_it(pair, desk, tick):
    first, second = pair
    said = reply(second.id, {"body": "we look"}, None, MEI, desk, tick(), lambda *_: None)
    merge_into(second, first, desk, tick())
    (sent,) = [m for m in cases.list_messages(second.id)[0] if m.id == said["message_id"]]

    taken = Delivery(DeliveryState.DELIVERED, NOON + timedelta(minutes=4), "SM-out")
    assert settle_message(outbox_key(sent), taken, NOTIFIER)

    (shown,) = [m for m in show(first.id)["messages"] if m["id"] == said["message_id"]]
    assert (shown["delivery"]["state"], shown["case_ref"]) == ("delivered", second.ref)


def test_a_message_that_was_not_routed_yet_is_acknowledged_for_the_other_case(
    table, door, desk, tick
):
    landed = receive(sms(NUMBER, BOTH), door)
    first = cases.read_head(landed.case_id)
    second = split_off(first, desk, tick())
    merge_into(cases.read_head(first.id), second, desk, tick())

    route(landed, desk)
    route(landed, desk)

    (sent,) = [m for m in cases.list_messages(second.id)[0] if m.direction is Direction.OUTBOUND]
    assert second.ref in sent.body
    assert cases.read_head(first.id).state is CaseState.CLOSED


def test_merges_are_transitive(case, desk, tick):
    second, third = split_off(case, desk, tick()), split_off(case, desk, tick())
    merge_into(second, third, desk, tick())
    merge_into(third, case, desk, tick())

    assert cases.read_head(case.id).merged == (third.id, second.id)
    assert show(second.ref)["case"]["id"] == case.id
    assert len(show(case.ref)["merged"]) == 2


def test_merging_into_a_merged_case_means_the_one_it_was_merged_into(case, desk, tick):
    second, third = split_off(case, desk, tick()), split_off(case, desk, tick())
    merge_into(second, case, desk, tick())

    merge_into(third, second, desk, tick())

    assert cases.read_head(third.id).merged_into == case.id


def test_the_same_merge_again_changes_nothing(pair, desk, tick, dump):
    first, second = pair
    once = merge_into(second, first, desk, tick())
    before = dump()

    assert merge_into(second, first, desk, tick()) == once
    assert dump() == before


def test_a_merge_the_other_way_round_is_refused(pair, desk, tick, dump):
    first, second = pair
    merge_into(second, first, desk, tick())
    before = dump()

    with pytest.raises(InvalidRequestError) as refused:
        merge_into(first, second, desk, tick())

    assert [field for field, _ in refused.value.errors] == ["into"]
    assert dump() == before


def test_cases_of_two_customers_are_not_merged(case, door, desk, tick):
    other = receive(sms("+8613900139000", "hi", "SM5"), door)

    with pytest.raises(InvalidRequestError) as refused:
        merge_into(case, cases.read_head(other.case_id), desk, tick())

    assert "merge the customers first" in refused.value.errors[0][1]


def test_cases_of_customers_who_were_merged_are_cases_of_one(case, door, desk, tick):
    landed = receive(sms("+8613900139000", "hi", "SM5"), door)
    other = cases.read_head(landed.case_id)
    write = Transaction()
    one, two = (read_customer_of(c.customer_id) for c in (case, other))
    write.put("customer", customer_item(replace(one, members=(two.id,))))
    write.put("customer", customer_item(replace(two, merged_into=one.id)))
    lists = [read_open_cases(c.customer_id) for c in (other, case)]
    move_open_cases(write, *lists)
    write.commit()

    merge_into(case, other, desk, tick())

    assert show(case.ref)["case"]["id"] == other.id
    assert {m["case_ref"] for m in show(other.ref)["messages"]} == {case.ref, other.ref}
    assert [one.id for one in read_open_cases(case.customer_id).open] == [other.id]
    later = receive(sms(NUMBER, "again", "SM6"), door, NOON + timedelta(minutes=3))
    assert later.case_id == other.id


def test_a_closed_case_takes_nothing_in(pair, desk, tick):
    first, second = pair
    change_state(first.id, {"state": "closed"}, None, MEI, desk, tick())

    with pytest.raises(InvalidRequestError):
        merge_into(second, first, desk, tick())

    assert cases.read_head(second.id).is_active


def test_a_closed_case_can_be_merged_and_stays_closed_when_it_is_given_back(pair, desk, tick):
    first, second = pair
    change_state(second.id, {"state": "closed"}, None, MEI, desk, tick())
    merge_into(second, first, desk, tick())

    unmerge(second.id, {}, None, MEI, tick())

    assert cases.read_head(second.id).state is CaseState.CLOSED
    assert cases.read_head(first.id).merged == ()


def test_auditors_merge_nothing(pair, desk, tick):
    with pytest.raises(ForbiddenError):
        merge(pair[1].id, {"into": pair[0].id}, None, Caller("eve", ("auditor",)), desk, tick())


def test_a_deadline_that_was_missed_does_not_vanish_in_a_merge(pair, desk, tick):
    first, second = pair

    merge(second.id, {"into": first.id}, None, MEI, desk, tick(minutes=40))

    assert EventKind.SLA_BREACHED in kinds(second)
    assert EventKind.SLA_BREACHED in kinds(first)


# Giving back.


def test_an_unmerged_case_has_the_state_and_the_promises_that_it_had(pair, desk, tick):
    first, second = pair
    change_state(second.id, {"state": "pending"}, None, MEI, desk, tick())
    before = cases.read_head(second.id)
    merge_into(second, first, desk, tick())
    note(first.id, {"body": "since then"}, None, MEI, desk, tick())

    shown = unmerge(second.ref, {"reason": "not the same"}, None, MEI, tick())

    after = cases.read_head(second.id)
    same = {"seq", "chain", "version", "updated_at"}
    assert all(getattr(after, name) == getattr(before, name)
               for name in after.__slots__ if name not in same)  # fmt: skip
    assert shown["case"]["state"] == "pending"
    assert cases.read_head(first.id).merged == ()
    assert "since then" in [m.body for m in cases.list_messages(first.id)[0]]
    assert show(second.id)["asked_for"] is None


def test_a_case_leaves_every_case_above_it_with_what_it_had_taken_in(case, desk, tick):
    names = [split_off(case, desk, tick()) for _ in range(3)]
    merge_into(names[0], names[1], desk, tick())
    merge_into(names[1], names[2], desk, tick())
    merge_into(names[2], case, desk, tick())

    unmerge(names[1].id, {}, None, MEI, tick())

    assert cases.read_head(case.id).merged == (names[2].id,)
    assert cases.read_head(names[2].id).merged == ()
    assert cases.read_current(names[0].id).id == names[1].id


def test_what_was_not_merged_is_not_given_back(case):
    with pytest.raises(InvalidRequestError):
        unmerge(case.id, {}, None, MEI, Time()())


# Splitting one message.


def test_a_message_with_two_problems_becomes_two_cases_that_know_each_other(case, desk, tick):
    shown = split(
        case.ref,
        {"message": first_message(case).id, "excerpt": "my account was\n hacked"},
        None, MEI, desk, tick(),
    )  # fmt: skip

    new = cases.read_head(shown["new"]["id"])
    assert new.customer_id == case.customer_id
    assert (new.category, new.team, new.state) == ("account_security", "security", CaseState.NEW)
    assert new.due_at is not None
    assert new.contacts == case.contacts
    (quoted,) = cases.list_messages(new.id)[0]
    assert quoted.direction is Direction.NOTE
    assert case.ref in quoted.body
    assert first_message(case).id in quoted.body
    assert len([m for m in show(case.id)["messages"] if m["direction"] == "inbound"]) == 1
    (here,), (there,) = show(case.id)["links"], show(new.id)["links"]
    assert (here["kind"], here["case"]["ref"]) == ("split-into", new.ref)
    assert (there["kind"], there["case"]["ref"]) == ("split-from", case.ref)


def test_the_new_case_can_be_answered_on_the_customers_channel(case, desk, tick):
    new = split_off(case, desk, tick())

    shown = reply(new.id, {"body": "frozen"}, None, MEI, desk, tick(), lambda *_: None)

    (sent,) = [m for m in cases.list_messages(new.id)[0] if m.id == shown["message_id"]]
    assert sent.contact == case.contacts["sms"]


def test_an_agent_may_say_what_the_new_case_is_about(case, desk, tick):
    new = split_off(case, desk, tick(), category="dispute")
    assert new.category == "dispute"

    with pytest.raises(InvalidRequestError) as refused:
        split_off(case, desk, tick(), category="weather")
    assert [field for field, _ in refused.value.errors] == ["category"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "message"),
        ({"message": "nothing", "excerpt": "x"}, "message"),
        ({"message": "FIRST"}, "excerpt"),
        ({"message": "FIRST", "excerpt": "  "}, "excerpt"),
        ({"message": "FIRST", "excerpt": "x" * 6000}, "excerpt"),
        ({"message": "FIRST", "excerpt": "she never said that"}, "excerpt"),
        ({"messages": "all"}, "messages"),
        ({"messages": ["nothing"]}, "messages"),
        ({"messages": ["FIRST"]}, "messages"),
        ({"messages": [f"m{n}" for n in range(41)]}, "messages"),
        ({"messages": ["ACK"]}, "messages"),
    ],
)
def test_what_cannot_be_split_off_is_refused_with_what_to_write_instead(
    case, desk, tick, dump, said, field
):
    first, ack = cases.list_messages(case.id)[0]
    names = {"FIRST": first.id, "ACK": ack.id}
    if said.get("message") in names:
        said = {**said, "message": names[said["message"]]}
    if isinstance(said.get("messages"), list):
        said = {"messages": [names.get(one, one) for one in said["messages"]]}
    before = dump()

    with pytest.raises(InvalidRequestError) as refused:
        split(case.id, said, None, MEI, desk, tick())

    assert [name for name, _ in refused.value.errors] == [field]
    assert dump() == before


def test_of_a_dispute_that_was_split_off_evidence_is_wanted(case, door, desk, tick):
    (landed,) = write_more(case, door)

    quoted = split_off(case, desk, tick(), category="dispute")
    moved = move(case, [landed], desk, tick(), category="dispute")

    for one in (quoted, moved):
        assert EventKind.EVIDENCE_WANTED in kinds(one)
        assert one.evidence is not None


# Moving messages.


def test_moved_messages_are_in_the_new_case_alone_and_both_chains_say_so(case, door, desk, tick):
    landed = write_more(case, door, 3)

    new = move(case, landed[1:], desk, tick())

    moved = [m.id for m in cases.list_messages(new.id)[0]]
    assert moved == [one.message_id for one in landed[1:]]
    assert landed[0].message_id in [m.id for m in cases.list_messages(case.id)[0]]
    assert kinds(case)[-1] is EventKind.MESSAGES_MOVED_OUT
    assert EventKind.MESSAGES_MOVED_IN in kinds(new)
    assert new.due_at is not None
    (told,) = [m for m in show(new.id)["messages"] if m["id"] == moved[0]]
    assert told["fields"]["moved_from"] == case.ref


def test_a_redelivery_of_what_was_moved_finds_it_where_it_is(case, door, desk, tick, dump):
    (landed,) = write_more(case, door)
    new = move(case, [landed], desk, tick())
    before = dump()

    again = receive(sms(NUMBER, "message 0", "SM-more-0", session_case_id=case.id), door, NOON)

    assert (again.case_id, again.message_id, again.is_new) == (new.id, landed.message_id, False)
    assert find_landed(raw(), "SM-more-0") == (new.id, landed.message_id)
    assert dump() == before


def test_what_moves_twice_is_found_after_both(case, door, desk, tick):
    landed = write_more(case, door, 2)
    new = move(case, landed, desk, tick())
    newest = move(new, landed[1:], desk, tick())

    assert find_landed(raw(), "SM-more-1")[0] == newest.id
    assert find_landed(raw(), "SM-more-0")[0] == new.id


def test_the_router_does_nothing_anew_for_what_was_moved(case, door, desk, tick):
    (landed,) = write_more(case, door)
    (there,) = [m for m in cases.list_messages(case.id)[0] if m.id == landed.message_id]
    sort_key = f"MSG#{to_rfc3339(there.occurred_at)}#{there.id}"
    new = move(case, [landed], desk, tick())
    before = cases.read_head(new.id)

    # Once by the record of the case that it came to, and once by that of the move.
    for case_id in (case.id, new.id):
        assert route_case(case_id, sort_key, desk, "", KEYS, NOON).is_empty

    assert cases.read_head(new.id) == before


def test_files_move_with_their_message_settled_or_not(case, door, desk, tick):
    files = (Attachment("a.png", "image/png"), Attachment("b.png", "image/png"))
    (landed,) = write_more(case, door, attachments=files)
    done = FileOutcome(landed.message_id, 0, FileState.STORED, digest="ab" * 32, size=3)
    settle_file(case.id, done, NOON)
    (there,) = [m for m in cases.list_messages(case.id)[0] if m.id == landed.message_id]
    old_key = FileKey.of(there, 1)

    new = move(case, [landed], desk, tick())
    settle_file(case.id, replace(done, index=1, digest="cd" * 32), NOON)

    assert read_file_of(old_key)[1].digest == "cd" * 32
    shown = next(m for m in show(new.id)["messages"] if m["attachments"])
    assert [one["sha256"] for one in shown["attachments"]] == ["ab" * 32, "cd" * 32]
    assert cases.read_file(case.id).files == ()


def test_forty_messages_move_at_once(case, door, desk, tick):
    landed = write_more(case, door, 40)

    new = move(case, landed, desk, tick())

    assert len(cases.list_messages(new.id)[0]) == 40


def test_too_many_files_for_one_transaction_are_refused(case, door, desk, tick):
    files = tuple(Attachment(f"{n}.png", "image/png") for n in range(4))
    landed = write_more(case, door, 12, attachments=files)
    for one in landed:
        for index in range(4):
            done = FileOutcome(one.message_id, index, FileState.STORED, digest="ab" * 32, size=3)
            settle_file(case.id, done, NOON)

    with pytest.raises(InvalidRequestError) as refused:
        move(case, landed, desk, tick())

    assert "fewer" in refused.value.errors[0][1]
    assert len(move(case, landed[:6], desk, tick()).contacts) == 1


# Links.


@pytest.mark.parametrize(
    ("kind", "inverse"),
    [
        ("parent", "child"),
        ("child", "parent"),
        ("duplicate", "duplicate"),
        ("caused-by", "causes"),
        ("follows", "followed-by"),
    ],
)
def test_a_link_stands_on_both_sides_and_goes_from_both(case, door, tick, kind, inverse, dump):
    """Across customers, too: it shows nobody anything but agents."""
    other = cases.read_head(receive(sms("+8613900139000", "hi", "SM5"), door).case_id)

    shown = link(case.ref, {"case": other.ref, "kind": kind}, None, MEI, tick())

    assert [(one["kind"], one["case"]["ref"]) for one in shown["items"]] == [(kind, other.ref)]
    (there,) = read_links(other.id, MEI)["items"]
    assert (there["kind"], there["case"]["subject"]) == (inverse, case.subject)
    assert show(case.id)["links"] == shown["items"]

    before = dump()
    assert link(case.ref, {"case": other.ref, "kind": kind}, None, MEI, tick()) == shown
    assert dump() == before

    gone = {"case": case.id, "kind": inverse, "remove": True}
    assert link(other.id, gone, None, MEI, tick())["items"] == []
    assert read_links(case.id, MEI)["items"] == []
    assert kinds(case)[-2:] == kinds(other)[-2:] == [
        EventKind.CASE_LINKED, EventKind.CASE_UNLINKED,
    ]  # fmt: skip


def test_a_case_is_not_linked_to_itself(case, tick):
    with pytest.raises(InvalidRequestError):
        link(case.id, {"case": case.ref, "kind": "duplicate"}, None, MEI, tick())


def test_no_case_is_its_own_ancestor(case, desk, tick):
    child, grandchild = split_off(case, desk, tick()), split_off(case, desk, tick())
    link(child.id, {"case": case.id, "kind": "parent"}, None, MEI, tick())
    link(child.id, {"case": grandchild.id, "kind": "child"}, None, MEI, tick())

    for below, above in ((case, grandchild), (case, child)):
        with pytest.raises(InvalidRequestError):
            link(below.id, {"case": above.id, "kind": "parent"}, None, MEI, tick())
    with pytest.raises(InvalidRequestError):
        link(grandchild.id, {"case": case.id, "kind": "parent"}, None, MEI, tick())


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"case": "OTHER"}, "kind"),
        ({"case": "OTHER", "kind": "friend"}, "kind"),
        ({"case": "OTHER", "kind": "split-from"}, "kind"),
        ({"kind": "parent"}, "case"),
        ({"case": "OTHER", "kind": "parent", "remove": "yes"}, "remove"),
    ],
)
def test_a_link_that_makes_no_sense_says_what_to_write(pair, tick, said, field):
    said = {**said, "case": pair[1].id} if "case" in said else said
    with pytest.raises(InvalidRequestError) as refused:
        link(pair[0].id, said, None, MEI, tick())

    assert [name for name, _ in refused.value.errors] == [field]


def test_a_link_to_nothing_is_not_found(case, tick):
    with pytest.raises(NotFoundError):
        link(case.id, {"case": "C-0000-0000", "kind": "parent"}, None, MEI, tick())


# Versions.


@pytest.mark.parametrize("what", ["merge", "split", "move", "link", "unmerge", "reply"])
def test_a_stale_version_writes_nothing(pair, door, desk, tick, dump, what):
    first, second = pair
    landed = write_more(first, door)
    if what == "unmerge":
        merge_into(second, first, desk, tick())
    stale = cases.read_head(second.id if what in ("merge", "unmerge") else first.id).version - 1
    excerpt = {"message": first_message(first).id, "excerpt": "my account was hacked"}
    moved = {"messages": [landed[0].message_id]}
    linked = {"case": second.id, "kind": "duplicate"}
    calls = {
        "merge": lambda: merge(second.id, {"into": first.id}, stale, MEI, desk, tick()),
        "unmerge": lambda: unmerge(second.id, {}, stale, MEI, tick()),
        "split": lambda: split(first.id, excerpt, stale, MEI, desk, tick()),
        "move": lambda: split(first.id, moved, stale, MEI, desk, tick()),
        "link": lambda: link(first.id, linked, stale, MEI, tick()),
        "reply": lambda: reply(first.id, {"body": "x"}, stale, MEI, desk, tick(), kept.append),
    }
    kept, before = [], dump()

    with pytest.raises(StaleVersionError):
        calls[what]()

    assert dump() == before
    assert kept == []
