"""The notifier: queued messages leave through the provider, once, and say what became of them.

Claim, send, settle (promise P6), for each part of a message that is too long for one request.
Dying between claim and settle leaves a claimed message; when the queue brings it again, nobody
knows whether that part left, so the message becomes *unknown* for an agent to see, and is not sent
a second time. Dying between two parts loses nothing: the next is still queued.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from caseweave.channels.parts import Part
from caseweave.channels.request import Refusal, Refused, SendResult, Sent
from caseweave.domain.event import Actor
from caseweave.domain.message import Delivery, DeliveryState, Message
from caseweave.domain.times import to_rfc3339
from caseweave.errors import CaseweaveError, NotFoundError, UnavailableError
from caseweave.storage.consent import find_opt_out
from caseweave.storage.outbox import (
    OutboxKey,
    claim_message,
    parse_outbox_key,
    read_outbound,
    record_part,
    release_message,
    settle_message,
)

logger = logging.getLogger(__name__)

NOTIFIER = Actor("system", "notifier")
# A claim younger than this may belong to a sender that is still at work.
CLAIM_LIFETIME = timedelta(seconds=20)
# `maxReceiveCount` of the outbound queues (infra/outbound.yaml).
MOST_RECEIVES = 10
# Certainly not taken, and perhaps taken later.
_NOT_TAKEN = (Refusal.THROTTLED, Refusal.TRANSIENT)
# How long one call goes on to the next part; the function itself has a minute.
PATIENCE = timedelta(seconds=40)
_SHORTEST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(minutes=15)
# What a provider may ask of us; then we see for ourselves.
_LONGEST_WAIT = timedelta(hours=1)
_LONGEST_ERROR = 500


# What has still to leave of a message, in order; at least one part.
Plan = Callable[[Message], list[Part]]
Send = Callable[[Message, Part, OutboxKey], SendResult]


class NotSentYetError(CaseweaveError):
    """The message, or the rest of it, is queued again: let the queue bring it back.

    `retry_after` is when, if somebody knows.
    """

    def __init__(self, detail: str, retry_after: timedelta | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


def notify(
    queue_body: str, plan: Plan, send: Send, now: Callable[[], datetime], *, is_last_try: bool
) -> DeliveryState | None:
    """Send the message that a queue entry names; its new state, or None if nothing was to do.

    Raises NotSentYetError when the queue should bring it again; on the last try a message that
    the provider does not take is failed instead, for an agent to see.
    """
    began = now()
    try:
        key = parse_outbox_key(queue_body)
        while message := claim_message(key, now()):
            state = _send_next(message, key, plan, send, now, is_last_try=is_last_try)
            if state is not DeliveryState.QUEUED:
                return state
            if now() - began > PATIENCE and not is_last_try:
                raise NotSentYetError("the rest goes out in the next call", timedelta())
        return _look_again(key, now())
    except NotFoundError:
        logger.warning("a queue entry names no message: %.100s", queue_body)
        return None


def pause_before(error: NotSentYetError, receives: int) -> timedelta:
    """When the queue should bring a message again: as the provider asked, or ever later."""
    if error.retry_after is not None:
        return min(error.retry_after, _LONGEST_WAIT)
    doublings: int = 2 ** (receives - 1)
    return min(_SHORTEST_PAUSE * doublings, _LONGEST_PAUSE)


def _send_next(
    message: Message,
    key: OutboxKey,
    plan: Plan,
    send: Send,
    now: Callable[[], datetime],
    *,
    is_last_try: bool,
) -> DeliveryState:
    """Send the next part of a claimed message; QUEUED if another is to follow."""
    part = plan(message)[0]
    own = OutboxKey(key.case_id, key.occurred_at, key.message_id, part.number, part.of)
    result = _refuse_stopped(message) or send(message, part, own)
    if isinstance(result, Sent):
        if part.number < part.of:
            return record_part(own, result.provider_id, part.sent, now())
        return _settle(own, Delivery(DeliveryState.ACCEPTED, now(), result.provider_id))
    if result.kind in _NOT_TAKEN:
        level = logging.ERROR if result.kind is Refusal.TRANSIENT else logging.WARNING
        logger.log(level, "%s refuses for now: %s", message.provider, result.detail)
        if not is_last_try:
            release_message(key, now())
            raise NotSentYetError(result.detail, result.retry_after)
    return _give_up(own, result, now())


def _refuse_stopped(message: Message) -> Refused | None:
    """Nothing goes by SMS to who sent STOP, but the one message that confirms it."""
    if message.contact is None:
        return None
    try:
        stopped = find_opt_out(message.contact)
    except UnavailableError as error:
        return Refused(Refusal.TRANSIENT, str(error))
    if stopped is None or stopped.confirmation == message.id:
        return None
    detail = (
        f"the customer sent STOP at {to_rfc3339(stopped.at)}: answer on another channel;"
        " by SMS only after they sent START"
    )
    return Refused(Refusal.OPTED_OUT, detail)


def _give_up(key: OutboxKey, refused: Refused, now: datetime) -> DeliveryState:
    is_unknown = refused.kind is Refusal.UNKNOWN
    state = DeliveryState.UNKNOWN if is_unknown else DeliveryState.FAILED
    detail, kind = refused.detail[:_LONGEST_ERROR], str(refused.kind)
    return _settle(key, Delivery(state, now, error=detail, refusal=kind))


def _look_again(key: OutboxKey, now: datetime) -> DeliveryState | None:
    """The message is not queued: done with, in somebody's hands, or left behind by a crash."""
    message = read_outbound(key)
    delivery = message.delivery
    if delivery is not None and delivery.state is DeliveryState.QUEUED:
        raise NotSentYetError("it was released a moment ago")
    if delivery is None or delivery.state is not DeliveryState.CLAIMED:
        return None
    if now - delivery.at < CLAIM_LIFETIME:
        raise NotSentYetError("another sender may be at work on it", CLAIM_LIFETIME)
    return _settle(key, _lost(delivery, now))


def _lost(delivery: Delivery, now: datetime) -> Delivery:
    ordinal = f" part {delivery.sent.parts + 1}" if delivery.sent.parts else ""
    error = f"the sender died while sending{ordinal}"
    return Delivery(DeliveryState.UNKNOWN, now, error=error, refusal=str(Refusal.UNKNOWN))


def _settle(key: OutboxKey, delivery: Delivery) -> DeliveryState:
    settle_message(key, delivery, NOTIFIER)
    return delivery.state
