"""What is told of a message, or of one of its parts, and what that makes of the whole."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from caseweave.domain.message import (
    Channel,
    Delivery,
    DeliveryState,
    PartDelivery,
    Progress,
    advances,
)

# What a provider took, as far as anybody knows.
_TAKEN = (DeliveryState.ACCEPTED, DeliveryState.DELIVERED, DeliveryState.READ)


def settle(
    current: Delivery,
    told: Delivery,
    part: int = 1,
    of: int = 1,
    channel: Channel | None = None,
) -> Delivery | None:
    """The delivery after *told* of part *part* of *of*; None if that says nothing new.

    Each part only ever moves forward, and the whole is what its parts make of it, so receipts may
    come in any order and any number of times.
    """
    if of == 1:
        if not advances(current.state, told.state, channel):
            return None
        # A later word may lack the provider's id, which an earlier one told.
        known_id = told.provider_id or current.provider_id
        return replace(told, provider_id=known_id, parts=current.parts, sent=current.sent)
    parts = _tell(current, told, part)
    if parts == current.parts:
        return None
    return _combine(replace(current, at=told.at, parts=parts), told.refusal, of)


def advance(
    current: Delivery, provider_id: str, now: datetime, part: int, of: int, sent: Progress
) -> Delivery:
    """The delivery after the provider took part *part*, which is not the last: the next waits."""
    told = Delivery(DeliveryState.ACCEPTED, now, provider_id)
    known = replace(current, at=now, parts=_tell(current, told, part), sent=sent)
    whole = _combine(known, "", of)
    is_next = whole.state is DeliveryState.CLAIMED
    return replace(whole, state=DeliveryState.QUEUED) if is_next else whole


def _tell(current: Delivery, told: Delivery, part: int) -> tuple[PartDelivery, ...]:
    known = {one.number: one for one in current.parts}
    before = known.get(part)
    provider_id = told.provider_id or (before.provider_id if before else "")
    if before is not None and not advances(before.state, told.state):
        known[part] = replace(before, provider_id=before.provider_id or provider_id)
    else:
        known[part] = PartDelivery(part, told.state, provider_id, told.error)
    return tuple(known[number] for number in sorted(known))


def _combine(delivery: Delivery, refusal: str, of: int) -> Delivery:
    """Failed when any part is; otherwise as far as the last part is."""
    known: Mapping[int, PartDelivery] = {one.number: one for one in delivery.parts}
    failed = next((p for p in delivery.parts if p.state is DeliveryState.FAILED), None)
    if failed is not None:
        error = f"part {failed.number} of {of}: {failed.error}"
        refusal = refusal or delivery.refusal
        return replace(delivery, state=DeliveryState.FAILED, error=error, refusal=refusal)
    last = known.get(of)
    if last is not None and last.state in _TAKEN:
        return replace(
            delivery, state=last.state, provider_id=last.provider_id, error="", refusal=""
        )
    lost = next((p for p in delivery.parts if p.state is DeliveryState.UNKNOWN), None)
    if lost is not None and delivery.state is DeliveryState.CLAIMED:
        error = f"part {lost.number} of {of}: {lost.error}"
        return replace(delivery, state=DeliveryState.UNKNOWN, error=error, refusal=refusal)
    return delivery
