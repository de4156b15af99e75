import hmac
from dataclasses import replace

import pytest

from caseweave.domain.event import (
    Actor,
    CaseChange,
    ChainEnd,
    Event,
    EventKind,
    Owner,
    OwnerKind,
    begin_change,
    describe_message,
    make_event,
)
from caseweave.domain.evidence import GENESIS, find_broken_link
from caseweave.domain.identity import Proof
from caseweave.domain.message import Attachment, Direction, Purpose
from tests.domain.samples import (
    AGENT,
    CASE_ID,
    CUSTOMER_ID,
    SEAL,
    at,
    is_chained,
    link,
    message,
    opened,
)

NOW = at("2026-11-23 09:05")


def test_an_actor_is_written_and_read():
    assert str(AGENT) == "agent:ling"
    assert Actor.parse("agent:ling") == AGENT
    assert Actor.parse("agent:ling:2") == Actor("agent", "ling:2")


def test_a_change_begins_empty():
    case, _ = opened("hello there")
    change = begin_change(case)
    assert change == CaseChange(before=case, after=case)
    assert change.is_empty


def test_recording_numbers_links_and_dates_the_case():
    case, _ = opened("hello there")
    change = begin_change(case).record(
        EventKind.NOTE_ADDED, AGENT, NOW, {"a": 1}, subject="changed"
    )
    [event] = change.events
    assert event == Event(
        owner=Owner(OwnerKind.CASE, CASE_ID),
        seq=3,
        at=NOW,
        actor=AGENT,
        kind=EventKind.NOTE_ADDED,
        data={"a": 1},
        previous=case.chain,
        digest=event.digest,
    )
    assert change.before == case
    assert change.after == replace(
        case, subject="changed", seq=3, chain=event.digest, updated_at=NOW, version=2
    )
    assert not change.is_empty


def test_what_is_private_is_in_the_chain_as_a_commitment_alone():
    case, _ = opened("hello there")
    address = {"address": "phone:+8613800138000"}
    change = begin_change(case).record(EventKind.ADDRESS_LINKED, AGENT, NOW, {"a": 1}, address)

    [event] = change.events
    digest = hmac.new(bytes.fromhex(SEAL), b'{"address":"phone:+8613800138000"}', "sha256")
    assert event.data == {"a": 1, "private_digest": digest.hexdigest()}
    assert (event.private, event.is_erased) == (address, False)
    erased = replace(event, private={})
    assert erased.is_erased
    assert link(erased) == link(event)


def test_nothing_private_enters_a_case_whose_seal_was_destroyed():
    case, _ = opened("hello there")
    change = begin_change(replace(case, seal="")).record(
        EventKind.ADDRESS_LINKED, AGENT, NOW, {"a": 1}, {"address": "phone:+8613800138000"}
    )
    assert [(e.data, e.private, e.is_erased) for e in change.events] == [({"a": 1}, {}, False)]
    assert describe_message(message("late", "2026-11-23 09:05"), "")["digest"] == ""


def test_a_customers_chain_is_made_as_a_cases_is():
    end = ChainEnd(Owner(OwnerKind.CUSTOMER, CUSTOMER_ID), 0, GENESIS, SEAL)
    first = make_event(end, EventKind.ADDRESS_LINKED, AGENT, NOW, {}, {"address": "x"})
    second = make_event(
        replace(end, seq=first.seq, chain=first.digest), EventKind.ADDRESS_LINKED, AGENT, NOW, {}
    )
    assert (first.seq, second.seq, second.previous) == (1, 2, first.digest)
    assert find_broken_link([link(first), link(second)]) is None
    assert link(first)[2]["customer_id"] == CUSTOMER_ID


def test_the_same_content_looks_different_under_another_seal():
    kept = message("my secret is 4711", "2026-11-23 09:05")
    other = describe_message(kept, "6f" * 32)
    assert other["digest"] != describe_message(kept, SEAL)["digest"]


def test_several_events_of_one_change_are_one_version():
    case, _ = opened("hello there")
    change = begin_change(case)
    for _ in range(3):
        change = change.record(EventKind.NOTE_ADDED, AGENT, NOW, {})
    assert [event.seq for event in change.events] == [3, 4, 5]
    assert change.after.version == case.version + 1 == 2


def test_a_new_case_starts_at_version_one():
    case, _ = opened("hello there")
    blank = replace(case, seq=0, chain="0" * 64, version=0)
    change = CaseChange(None, blank).record(EventKind.CASE_OPENED, AGENT, NOW, {})
    change = change.record(EventKind.NOTE_ADDED, AGENT, NOW, {})
    assert change.after.version == 1
    assert is_chained(change)


def test_an_event_from_before_does_not_turn_the_case_back():
    case, _ = opened("hello there")
    change = begin_change(case).record(EventKind.NOTE_ADDED, AGENT, at("2026-11-22 09:00"), {})
    assert change.after.updated_at == case.updated_at
    assert change.events[0].at == at("2026-11-22 09:00")


def test_a_message_carries_the_number_of_the_event_that_vouches_for_it():
    case, _ = opened("hello there")
    kept = message("again", "2026-11-23 09:05", "M2")
    change = begin_change(case).record(EventKind.NOTE_ADDED, AGENT, NOW, {})
    change = change.add_message(EventKind.MESSAGE_RECEIVED, AGENT, kept, subject="x")
    assert change.messages == (replace(kept, seq=4),)
    assert change.events[1].data == describe_message(kept, SEAL)
    assert (change.events[1].at, change.after.subject) == (kept.received_at, "x")


def test_the_chain_keeps_proof_of_a_messages_content_and_none_of_the_content():
    kept = message("my secret is 4711", "2026-11-23 09:05", subject="private")
    described = describe_message(kept, SEAL)
    assert described == {
        "message_id": "M1",
        "channel": "sms",
        "provider": "twilio",
        "digest": described["digest"],
        "proof": "provider",
    }
    assert "4711" not in str(described)


@pytest.mark.parametrize(
    "changed",
    [
        {"body": "other"},
        {"subject": "other"},
        {"author": "phone:+1"},
        {"occurred_at": at("2026-11-23 09:04")},
        {"attachments": (Attachment("b.png", "image/png", 10, "d1"),)},
        {"attachments": (Attachment("a.png", "image/png", 10, "d2"),)},
        {"attachments": ()},
        {"fields": {"order_no": "T1"}},
    ],
)
def test_any_change_of_the_content_changes_its_digest(changed):
    kept = message(
        "body",
        "2026-11-23 09:05",
        attachments=(Attachment("a.png", "image/png", 10, "d1"),),
    )
    assert (
        describe_message(replace(kept, **changed), SEAL)["digest"]
        != describe_message(kept, SEAL)["digest"]
    )


def test_what_happens_to_a_message_later_does_not_change_its_digest():
    kept = message("body", "2026-11-23 09:05")
    assert describe_message(replace(kept, seq=9, delivery=None), SEAL) == describe_message(
        kept, SEAL
    )


def test_an_outbound_message_is_described_by_its_purpose():
    sent = replace(
        message("body", "2026-11-23 09:05"),
        direction=Direction.OUTBOUND,
        purpose=Purpose.REPLY,
        proof=Proof.NONE,
    )
    described = describe_message(sent, SEAL)
    assert (described["purpose"], "proof" in described) == ("reply", False)
