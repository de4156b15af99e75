"""Receipts only move a message forward, in whatever order and however often they come (P6)."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from caseweave.domain.delivering import settle
from caseweave.domain.message import Delivery, DeliveryState, PartDelivery, Progress, advances

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
S = DeliveryState
RECEIPTS = st.sampled_from([S.ACCEPTED, S.DELIVERED, S.READ, S.FAILED])


def accepted(parts):
    told = tuple(PartDelivery(n, S.ACCEPTED, f"P{n}") for n in range(1, parts + 1))
    known = told if parts > 1 else ()
    return Delivery(S.ACCEPTED, NOON, f"P{parts}", parts=known, sent=Progress(parts - 1, 0, 9))


def apply(delivery, receipts, of):
    for part, state in receipts:
        error = "30003" if state is S.FAILED else ""
        told = Delivery(state, NOON, f"P{part}", error)
        delivery = settle(delivery, told, part, of) or delivery
    return delivery


def receipts_of(parts):
    return st.lists(st.tuples(st.integers(1, parts), RECEIPTS), max_size=12)


@given(st.integers(1, 4).flatmap(lambda n: st.tuples(st.just(n), receipts_of(n))), st.randoms())
def test_any_order_and_repetition_of_receipts_ends_the_same(told, random):
    parts, receipts = told
    shuffled = [*receipts, *receipts]
    random.shuffle(shuffled)

    assert apply(accepted(parts), shuffled, parts) == apply(accepted(parts), receipts, parts)


@given(receipts_of(3))
def test_a_message_is_as_far_as_its_last_part_and_failed_when_any_part_is(receipts):
    whole = apply(accepted(3), receipts, 3)

    states = [part.state for part in whole.parts]
    assert whole.state is (S.FAILED if S.FAILED in states else states[-1])
    for number, state in enumerate(states, 1):
        for part, told in receipts:
            assert part != number or not advances(state, told)


@given(RECEIPTS, st.integers(1, 3))
def test_a_receipt_that_was_heard_says_nothing_new(state, part):
    told = Delivery(state, NOON, f"P{part}")
    once = settle(accepted(3), told, part, 3) or accepted(3)

    assert settle(once, told, part, 3) is None


def test_a_receipt_that_overtakes_our_own_record_is_kept_with_its_part():
    claimed = Delivery(S.CLAIMED, NOON)

    first = settle(claimed, Delivery(S.DELIVERED, NOON, "P1"), 1, 2)
    last = settle(first, Delivery(S.DELIVERED, NOON, "P2"), 2, 2)

    assert first == Delivery(S.CLAIMED, NOON, parts=(PartDelivery(1, S.DELIVERED, "P1"),))
    assert (last.state, last.provider_id) == (S.DELIVERED, "P2")
