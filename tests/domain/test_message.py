import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.domain.message import Channel, DeliveryState, advances

STATES = st.sampled_from(DeliveryState)
ORDER = ["queued", "claimed", "unknown", "accepted", "failed", "delivered", "read", "complained"]
# A mail that was delivered to the next mail system may still be sent back.
MAIL_ORDER = [*ORDER[:4], "delivered", "read", "failed", "complained"]


@pytest.mark.parametrize("current", DeliveryState)
@pytest.mark.parametrize("new", DeliveryState)
def test_a_message_only_moves_forward(current, new):
    assert advances(current, new) is (ORDER.index(new) > ORDER.index(current))
    later = MAIL_ORDER.index(new) > MAIL_ORDER.index(current)
    assert advances(current, new, Channel.EMAIL) is later


@given(st.lists(STATES, min_size=1), st.sampled_from(Channel), st.randoms())
def test_receipts_in_any_order_come_to_the_same_end(receipts, channel, random):
    def settle(order):
        state = DeliveryState.QUEUED
        for new in order:
            if advances(state, new, channel):
                state = new
        return state

    shuffled = list(receipts)
    random.shuffle(shuffled)
    assert settle(shuffled) == settle(receipts)
