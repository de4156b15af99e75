"""A text that was too long for one SMS, and comes in parts: in any order, twice, or not all.

The parts of one text share sender, number, reference and total. Each is kept at once; together they
are one message, when the last is there or when PATIENCE is over.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from caseweave.domain.message import InboundMessage, Part

# Parts of one text leave the customer's phone within seconds.
PATIENCE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class KeptPart:
    """What a part says; the rest it shares with the others."""

    number: int
    event_id: str
    provider_id: str
    body: str
    occurred_at: datetime | None


@dataclass(frozen=True, slots=True)
class PartGroup:
    """The parts that are there. `like` is the first that came: who wrote, and where to answer.

    `version` counts the parts, for a write that must not lose one.
    """

    like: InboundMessage
    part: Part
    began_at: datetime
    parts: tuple[KeptPart, ...]

    @property
    def version(self) -> int:
        return len(self.parts)

    @property
    def is_whole(self) -> bool:
        return len(self.parts) == self.part.total

    @property
    def due_at(self) -> datetime:
        return self.began_at + PATIENCE


def add_part(group: PartGroup | None, inbound: InboundMessage, at: datetime) -> PartGroup | None:
    """The group with one part more; None if it has another one of that number already."""
    part = inbound.part
    if part is None:
        raise ValueError(f"message {inbound.event_id} is no part")
    kept = KeptPart(
        part.number, inbound.event_id, inbound.provider_id, inbound.body, inbound.occurred_at
    )
    if group is None:
        return PartGroup(replace(inbound, body="", part=None), part, at, (kept,))
    if any(one.number == part.number for one in group.parts):
        return None
    return replace(group, parts=(*group.parts, kept))


def assemble_message(group: PartGroup, event_id: str) -> InboundMessage:
    """The one message that the parts make, which says so where one is missing."""
    by_number = {one.number: one for one in group.parts}
    total = group.part.total
    told = [by_number.get(number) for number in range(1, total + 1)]
    body = "".join(
        f"[… 缺第 {number}/{total} 段 · part {number} of {total} is missing …]"
        if one is None
        else one.body
        for number, one in enumerate(told, 1)
    )
    first = by_number[min(by_number)]
    times = [one.occurred_at for one in group.parts if one.occurred_at is not None]
    return replace(
        group.like,
        event_id=event_id,
        provider_id=first.provider_id,
        body=body,
        occurred_at=min(times, default=None),
    )


def stand_alone(inbound: InboundMessage) -> InboundMessage:
    """A part that fits no group, as a message that says which it is."""
    part = inbound.part
    note = (
        f"[第 {part.number}/{part.total} 段 · part {part.number} of {part.total}]" if part else ""
    )
    return replace(inbound, body=f"{inbound.body}\n{note}", part=None)
