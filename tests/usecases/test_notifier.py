"""The outbox: delivered or visible, never twice, never a silent drop (P6)."""

from contextlib import suppress
from datetime import timedelta

import pytest
from ruamel.yaml import YAML

from caseweave.channels.request import Refusal, Refused, Sent
from caseweave.domain.event import Actor, EventKind
from caseweave.domain.message import Delivery, DeliveryState
from caseweave.notifier import CLAIM_LIFETIME, MOST_RECEIVES, NotSentYetError, notify
from caseweave.storage import cases
from caseweave.storage.outbox import outbox_key, read_outbound, settle_message
from tests.conftest import ROOT
from tests.usecases.test_router import acknowledgements, route
from tests.usecases.world import NOON, CrashError, crash_at_call, receive, sms


class Provider:
    """A provider that answers what it is told to, and remembers what it was given."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.taken = []

    def __call__(self, message, key):
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, Sent):
            self.taken.append(message.id)
        return answer


@pytest.fixture
def queued(table, door, desk):
    """The outbox key of an acknowledgement that waits to be sent."""
    landed = receive(sms("+8613800138000"), door)
    route(landed, desk)
    (reply,) = acknowledgements(landed.case_id)
    return outbox_key(reply)


def run(key, provider, at=NOON, *, is_last_try=False):
    return notify(str(key), provider, lambda: at, is_last_try=is_last_try)


def events_of(key, *kinds):
    return [e.data for e in cases.read_file(key.case_id).events if e.kind in kinds]


def test_what_the_provider_takes_is_accepted_with_its_id(queued):
    provider = Provider(Sent("SM-out-1"))

    assert run(queued, provider) is DeliveryState.ACCEPTED

    delivery = read_outbound(queued).delivery
    assert delivery == Delivery(DeliveryState.ACCEPTED, NOON, "SM-out-1")
    assert [e["provider_id"] for e in events_of(queued, EventKind.MESSAGE_ACCEPTED)] == ["SM-out-1"]


def test_a_queue_entry_that_comes_twice_is_sent_once(queued):
    provider = Provider(Sent("SM-out-1"), Sent("SM-out-2"))
    run(queued, provider)

    assert run(queued, provider) is None

    assert len(provider.taken) == 1


def test_a_throttled_message_waits_and_goes_out_later(queued):
    provider = Provider(Refused(Refusal.THROTTLED, "429"), Sent("SM-out-1"))
    with pytest.raises(NotSentYetError):
        run(queued, provider)
    assert read_outbound(queued).delivery.state is DeliveryState.QUEUED

    assert run(queued, provider) is DeliveryState.ACCEPTED


def test_the_last_try_ends_in_a_failure_people_see(queued):
    provider = Provider(Refused(Refusal.THROTTLED, "429 too many"))

    assert run(queued, provider, is_last_try=True) is DeliveryState.FAILED

    assert [e["error"] for e in events_of(queued, EventKind.MESSAGE_FAILED)] == ["429 too many"]


def test_a_refusal_for_good_is_failed_at_once(queued):
    provider = Provider(Refused(Refusal.PERMANENT, "21610 opted out"))

    assert run(queued, provider) is DeliveryState.FAILED


def test_a_lost_answer_is_unknown_and_never_sent_again(queued):
    provider = Provider(Refused(Refusal.UNKNOWN, "no answer"), Sent("SM-out-2"))

    assert run(queued, provider) is DeliveryState.UNKNOWN
    assert run(queued, provider) is None
    assert provider.taken == []
    assert len(events_of(queued, EventKind.MESSAGE_UNKNOWN)) == 1


def test_a_sender_that_died_while_sending_leaves_unknown_not_a_second_message(queued):
    with pytest.raises(KeyboardInterrupt):
        run(queued, Provider(KeyboardInterrupt()))
    provider = Provider(Sent("SM-out-2"))

    with pytest.raises(NotSentYetError):
        run(queued, provider, NOON + CLAIM_LIFETIME / 2)
    assert run(queued, provider, NOON + CLAIM_LIFETIME) is DeliveryState.UNKNOWN
    assert provider.taken == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 7))
def test_dying_at_any_store_call_never_sends_twice_and_never_loses_sight(queued, number, after):
    provider = Provider(Sent("SM-out-1"), Sent("SM-out-2"))
    with crash_at_call(number, after=after), suppress(CrashError):
        run(queued, provider)

    for minutes in range(1, 4):
        with suppress(NotSentYetError):
            run(queued, provider, NOON + timedelta(minutes=minutes))

    state = read_outbound(queued).delivery.state
    assert len(provider.taken) <= 1
    assert state in (DeliveryState.ACCEPTED, DeliveryState.UNKNOWN)
    assert (state is DeliveryState.ACCEPTED) <= (len(provider.taken) == 1)


def test_receipts_move_forward_only_in_any_order(queued):
    run(queued, Provider(Sent("SM-out-1")))
    twilio = Actor("provider", "twilio")

    assert settle_message(queued, Delivery(DeliveryState.DELIVERED, NOON, "SM-out-1"), twilio)
    assert not settle_message(queued, Delivery(DeliveryState.ACCEPTED, NOON, "SM-out-1"), twilio)
    assert not settle_message(queued, Delivery(DeliveryState.DELIVERED, NOON, "SM-out-1"), twilio)

    assert read_outbound(queued).delivery.state is DeliveryState.DELIVERED


def test_a_receipt_before_our_own_record_is_not_lost(queued):
    class EarlyReceipt(Provider):
        def __call__(self, message, key):
            delivered = Delivery(DeliveryState.DELIVERED, NOON, "SM-out-1")
            settle_message(key, delivered, Actor("provider", "twilio"))
            return super().__call__(message, key)

    run(queued, EarlyReceipt(Sent("SM-out-1")))

    delivery = read_outbound(queued).delivery
    assert (delivery.state, delivery.provider_id) == (DeliveryState.DELIVERED, "SM-out-1")


@pytest.mark.parametrize("body", ["", "rubbish", "a~b", "a~b~c", "a~b~c~d"])
def test_a_queue_entry_that_names_nothing_is_dropped_with_a_warning(table, body):
    provider = Provider()

    assert notify(body, provider, lambda: NOON, is_last_try=False) is None


def test_the_queues_give_up_when_the_notifier_makes_its_last_try():
    resources = YAML(typ="safe", pure=True)
    resources.constructor.add_multi_constructor("!", lambda loader, suffix, node: None)
    queues = resources.load((ROOT / "infra" / "outbound.yaml").read_text())["Resources"]

    receives = [
        queue["Properties"]["RedrivePolicy"]["maxReceiveCount"]
        for queue in queues.values()
        if "RedrivePolicy" in queue.get("Properties", {})
    ]
    assert receives == [MOST_RECEIVES] * 4
