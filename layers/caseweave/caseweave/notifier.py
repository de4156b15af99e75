"""The notifier: queued messages leave through the provider, once, and say what became of them.

Claim, send, settle (promise P6). Dying between claim and settle leaves a claimed message; when the
queue brings it again, nobody knows whether it left, so it becomes *unknown* for an agent to see,
and is not sent a second time.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from caseweave.channels.request import Refusal, Refused, SendResult, Sent
from caseweave.domain.event import Actor
from caseweave.domain.message import Delivery, DeliveryState, Message
from caseweave.errors import CaseweaveError, NotFoundError
from caseweave.storage.outbox import (
    OutboxKey,
    claim_message,
    parse_outbox_key,
    read_outbound,
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

Send = Callable[[Message, OutboxKey], SendResult]


class NotSentYetError(CaseweaveError):
    """The provider did not take the message, and it is queued again: let the queue retry."""


def notify(
    queue_body: str, send: Send, now: Callable[[], datetime], *, is_last_try: bool
) -> DeliveryState | None:
    """Send the message that a queue entry names; its new state, or None if nothing was to do.

    Raises NotSentYetError when the queue should bring it again; on the last try a message that
    the provider does not take is failed instead, for an agent to see.
    """
    try:
        key = parse_outbox_key(queue_body)
        message = read_outbound(key)
    except NotFoundError:
        logger.warning("a queue entry names no message: %.100s", queue_body)
        return None
    if not claim_message(key, now()):
        return _look_again(key, now())
    result = send(message, key)
    if isinstance(result, Sent):
        return _settle(key, DeliveryState.ACCEPTED, now(), provider_id=result.provider_id)
    if result.kind in _NOT_TAKEN and not is_last_try:
        release_message(key, now())
        raise NotSentYetError(result.detail)
    return _give_up(key, result, now())


def _give_up(key: OutboxKey, refused: Refused, now: datetime) -> DeliveryState:
    is_unknown = refused.kind is Refusal.UNKNOWN
    state = DeliveryState.UNKNOWN if is_unknown else DeliveryState.FAILED
    return _settle(key, state, now, error=refused.detail)


def _look_again(key: OutboxKey, now: datetime) -> DeliveryState | None:
    """The message is not queued: done with, in somebody's hands, or left behind by a crash."""
    delivery = read_outbound(key).delivery
    if delivery is not None and delivery.state is DeliveryState.QUEUED:
        raise NotSentYetError("it was released a moment ago")
    if delivery is None or delivery.state is not DeliveryState.CLAIMED:
        return None
    if now - delivery.at < CLAIM_LIFETIME:
        raise NotSentYetError("another sender may be at work on it")
    return _settle(key, DeliveryState.UNKNOWN, now, error="the sender died while sending")


def _settle(
    key: OutboxKey, state: DeliveryState, now: datetime, provider_id: str = "", error: str = ""
) -> DeliveryState:
    settle_message(key, Delivery(state, now, provider_id, error[:500]), NOTIFIER)
    return state
