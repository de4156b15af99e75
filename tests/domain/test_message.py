import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.domain.message import DeliveryState, advances

STATES = st.sampled_from(DeliveryState)
ORDER = ["queued", "claimed", "unknown", "accepted", "failed", "delivered", "read"]


@pytest.mark.parametrize("current", DeliveryState)
@pytest.mark.parametrize("new", DeliveryState)
def test_a_message_only_moves_forward(current, new):
    assert advances(current, new) is (ORDER.index(new) > ORDER.index(current))


@given(st.lists(STATES, min_size=1), st.randoms())
def test_receipts_in_any_order_come_to_the_same_end(receipts, random):
    def settle(order):
        state = DeliveryState.QUEUED
        for new in order:
            if advances(state, new):
                state = new
        return state

    shuffled = list(receipts)
    random.shuffle(shuffled)
    assert settle(shuffled) == settle(receipts)
