"""The outbox: delivered or visible, never twice, never a silent drop (P6)."""

from contextlib import suppress
from datetime import timedelta

import pytest
from ruamel.yaml import YAML

from caseweave.channels.parts import Part, whole_message
from caseweave.channels.request import Refusal, Refused, Sent
from caseweave.domain.event import Actor, EventKind
from caseweave.domain.message import Delivery, DeliveryState, PartDelivery, Progress
from caseweave.notifier import (
    CLAIM_LIFETIME,
    MOST_RECEIVES,
    PATIENCE,
    NotSentYetError,
    notify,
    pause_before,
)
from caseweave.storage import cases
from caseweave.storage.outbox import (
    find_sent,
    outbox_key,
    parse_outbox_key,
    read_outbound,
    settle_message,
)
from tests.conftest import ROOT
from tests.domain.samples import told
from tests.usecases.test_router import acknowledgements, route
from tests.usecases.world import NOON, CrashError, crash_at_call, receive, sms


class Provider:
    """A provider that answers what it is told to, and remembers what it was given."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.taken = []

    def __call__(self, message, part, key):
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, Sent):
            self.taken.append(part.body)
        return answer


@pytest.fixture
def queued(table, door, desk):
    """The outbox key of an acknowledgement that waits to be sent."""
    landed = receive(sms("+8613800138000"), door)
    route(landed, desk)
    (reply,) = acknowledgements(landed.case_id)
    return outbox_key(reply)


def run(key, provider, at=NOON, *, is_last_try=False, plan=whole_message):
    return notify(str(key), plan, provider, lambda: at, is_last_try=is_last_try)


def events_of(key, *kinds):
    return [told(e) for e in cases.read_file(key.case_id).events if e.kind in kinds]


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
@pytest.mark.parametrize("number", range(1, 8))
def test_dying_at_any_store_call_never_sends_twice_and_never_loses_sight(queued, number, after):
    provider = Provider(Sent("SM-out-1"), Sent("SM-out-2"))
    with crash_at_call(number, after=after), suppress(CrashError, NotSentYetError):
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
        def __call__(self, message, part, key):
            delivered = Delivery(DeliveryState.DELIVERED, NOON, "SM-out-1")
            settle_message(key, delivered, Actor("provider", "twilio"))
            return super().__call__(message, part, key)

    run(queued, EarlyReceipt(Sent("SM-out-1")))

    delivery = read_outbound(queued).delivery
    assert (delivery.state, delivery.provider_id) == (DeliveryState.DELIVERED, "SM-out-1")


def in_three(message):
    """Three parts, of which those that left are left out."""
    whole = [Part(n, 3, f"part {n}", sent=Progress(n, 0, n)) for n in (1, 2, 3)]
    return whole[message.delivery.sent.parts :]


def test_the_parts_of_a_message_leave_in_order_and_the_last_one_accepts_it(queued):
    provider = Provider(Sent("S1"), Sent("S2"), Sent("S3"))

    assert run(queued, provider, plan=in_three) is DeliveryState.ACCEPTED

    assert provider.taken == ["part 1", "part 2", "part 3"]
    accepted = DeliveryState.ACCEPTED
    assert read_outbound(queued).delivery == Delivery(
        accepted,
        NOON,
        "S3",
        parts=tuple(PartDelivery(n, accepted, f"S{n}") for n in (1, 2, 3)),
        sent=Progress(2, 0, 2),
    )
    (event,) = events_of(queued, EventKind.MESSAGE_ACCEPTED)
    assert event["part_ids"] == ["S1", "S2", "S3"]
    assert [str(find_sent("twilio", f"S{n}")) for n in (1, 2, 3)] == [
        f"{queued}~{n}.3" for n in (1, 2, 3)
    ]


def test_throttled_between_parts_the_message_goes_on_where_it_stopped(queued):
    wait = Refused(Refusal.THROTTLED, "429", timedelta(seconds=7))
    provider = Provider(Sent("S1"), wait, Sent("S2"), Sent("S3"))

    with pytest.raises(NotSentYetError) as stopped:
        run(queued, provider, plan=in_three)
    assert pause_before(stopped.value, 1) == timedelta(seconds=7)
    assert run(queued, provider, plan=in_three) is DeliveryState.ACCEPTED

    assert provider.taken == ["part 1", "part 2", "part 3"]


def test_a_call_that_took_long_leaves_the_rest_to_the_next(queued):
    clock = iter([NOON, NOON, NOON, NOON + 2 * PATIENCE])
    provider = Provider(Sent("S1"), Sent("S2"), Sent("S3"))

    with pytest.raises(NotSentYetError) as stopped:
        notify(str(queued), in_three, provider, lambda: next(clock), is_last_try=False)
    assert pause_before(stopped.value, 9) == timedelta()
    assert run(queued, provider, plan=in_three) is DeliveryState.ACCEPTED

    assert provider.taken == ["part 1", "part 2", "part 3"]


@pytest.mark.parametrize("kind", [Refusal.PERMANENT, Refusal.WINDOW_CLOSED, Refusal.OPTED_OUT])
def test_a_refused_part_fails_the_message_and_nothing_follows_it(queued, kind):
    provider = Provider(Sent("S1"), Refused(kind, "no"), Sent("S3"))

    assert run(queued, provider, plan=in_three) is DeliveryState.FAILED

    delivery = read_outbound(queued).delivery
    assert (delivery.error, delivery.refusal) == ("part 2 of 3: no", str(kind))
    assert provider.taken == ["part 1"]
    assert events_of(queued, EventKind.MESSAGE_FAILED)[0]["refusal"] == str(kind)


def test_a_lost_answer_says_which_part_it_was_of(queued):
    provider = Provider(Sent("S1"), Refused(Refusal.UNKNOWN, "no answer"), Sent("S3"))

    assert run(queued, provider, plan=in_three) is DeliveryState.UNKNOWN
    assert run(queued, provider, plan=in_three) is None

    assert read_outbound(queued).delivery.error == "part 2 of 3: no answer"
    assert provider.taken == ["part 1"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 15))
def test_dying_at_any_store_call_sends_no_part_twice_and_loses_none_from_sight(
    queued, number, after
):
    provider = Provider(*(Sent(f"S{n}") for n in range(1, 9)))
    with crash_at_call(number, after=after), suppress(CrashError, NotSentYetError):
        run(queued, provider, plan=in_three)

    for minutes in range(1, 4):
        with suppress(NotSentYetError):
            run(queued, provider, NOON + timedelta(minutes=minutes), plan=in_three)

    state = read_outbound(queued).delivery.state
    assert len(provider.taken) == len(set(provider.taken))
    assert state in (DeliveryState.ACCEPTED, DeliveryState.UNKNOWN)
    assert (state is DeliveryState.ACCEPTED) <= (len(provider.taken) == 3)


def test_the_receipts_of_parts_settle_the_message_with_its_last(queued):
    run(queued, Provider(Sent("S1"), Sent("S2"), Sent("S3")), plan=in_three)
    twilio = Actor("provider", "twilio")

    def told(part, state):
        key = parse_outbox_key(f"{queued}~{part}.3")
        settle_message(key, Delivery(state, NOON, f"S{part}", "30003"), twilio)
        return read_outbound(queued).delivery

    assert told(1, DeliveryState.DELIVERED).state is DeliveryState.ACCEPTED
    assert told(3, DeliveryState.DELIVERED).state is DeliveryState.DELIVERED
    failed = told(2, DeliveryState.FAILED)
    assert (failed.state, failed.error) == (DeliveryState.FAILED, "part 2 of 3: 30003")


def test_a_receipt_between_two_parts_is_kept_and_the_next_part_leaves(queued):
    class Receipts(Provider):
        def __call__(self, message, part, key):
            if part.number == 2:
                first = parse_outbox_key(f"{queued}~1.3")
                told = Delivery(DeliveryState.DELIVERED, NOON, "S1")
                settle_message(first, told, Actor("provider", "twilio"))
            return super().__call__(message, part, key)

    assert run(queued, Receipts(Sent("S1"), Sent("S2"), Sent("S3")), plan=in_three)

    delivery = read_outbound(queued).delivery
    states = [part.state for part in delivery.parts]
    assert states == [DeliveryState.DELIVERED, DeliveryState.ACCEPTED, DeliveryState.ACCEPTED]
    assert delivery.state is DeliveryState.ACCEPTED


def test_what_failed_while_parts_are_leaving_stops_the_rest(queued):
    class Failing(Provider):
        def __call__(self, message, part, key):
            if part.number == 2:
                first = parse_outbox_key(f"{queued}~1.3")
                told = Delivery(DeliveryState.FAILED, NOON, "S1", "30003")
                settle_message(first, told, Actor("provider", "twilio"))
            return super().__call__(message, part, key)

    provider = Failing(Sent("S1"), Sent("S2"), Sent("S3"))
    assert run(queued, provider, plan=in_three) is DeliveryState.FAILED

    assert provider.taken == ["part 1", "part 2"]


def test_the_queue_waits_ever_longer_but_not_for_ever():
    waits = [pause_before(NotSentYetError("x"), receives) for receives in range(1, 11)]

    minutes = [0.5, 1, 2, 4, 8, 15, 15, 15, 15, 15]
    assert waits == [timedelta(minutes=one) for one in minutes]
    day = NotSentYetError("x", timedelta(days=1))
    assert pause_before(day, 1) == timedelta(hours=1)


@pytest.mark.parametrize(
    "body",
    ["", "rubbish", "a~b", "a~b~c", "a~b~c~d", "a~b~c~3.2", "a~b~c~0.1", "a~b~c~1.2~e", "~b~c"],
)
def test_a_queue_entry_that_names_nothing_is_dropped_with_a_warning(table, body):
    provider = Provider()

    assert notify(body, whole_message, provider, lambda: NOON, is_last_try=False) is None


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
