"""The case: one customer's matter on all channels, its state and its clocks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from caseweave.domain.clocks import Clock, ClockKind
from caseweave.domain.evidence import GENESIS
from caseweave.domain.message import Channel, Contact


class CaseState(StrEnum):
    NEW = "new"
    OPEN = "open"
    PENDING = "pending"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Priority(StrEnum):
    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


# It is the customer's turn.
WAITING_STATES = (CaseState.PENDING, CaseState.RESOLVED)
ACTIVE_STATES = (CaseState.NEW, CaseState.OPEN, CaseState.PENDING, CaseState.RESOLVED)


@dataclass(frozen=True, slots=True)
class Case:
    """The head of a case. Everything in it can be told from the case's events.

    `level` is how far it was escalated (1 is the first line). `contacts` says, per channel, how to
    reach the customer; `last_channel` is the one last used. `replied_seq` and `state_seq` are the
    events of the last human reply and the last change of state: what came before them is settled.
    `evidence` marks the orders of which snapshots are wanted; None in a case that is no dispute.
    `seal` is the secret under which the chain commits to what is personal (hexadecimal), "" once
    it was destroyed. What was said in it is gone since `erased_at`.

    A case that was merged leads on to `merged_into`, where event `merged_seq` tells of it; `merged`
    are all cases that this one took in, those that they had taken in among them.
    """

    id: str
    ref: str
    customer_id: str
    state: CaseState
    team: str
    language: str
    opened_at: datetime
    updated_at: datetime
    subject: str = ""
    category: str = ""
    priority: Priority = Priority.NORMAL
    level: int = 1
    assignee: str = ""
    channels: tuple[Channel, ...] = ()
    contacts: Mapping[Channel, Contact] = field(default_factory=dict)
    last_channel: Channel | None = None
    acknowledged: tuple[Channel, ...] = ()
    clocks: tuple[Clock, ...] = ()
    incident_id: str = ""
    merged_into: str = ""
    merged_seq: int = 0
    merged: tuple[str, ...] = ()
    replied_seq: int = 0
    state_seq: int = 0
    evidence: tuple[str, ...] | None = None
    seq: int = 0
    chain: str = GENESIS
    seal: str = ""
    erased_at: datetime | None = None
    version: int = 0

    @property
    def is_active(self) -> bool:
        return self.state is not CaseState.CLOSED

    @property
    def is_waiting(self) -> bool:
        return self.state in WAITING_STATES

    @property
    def due_at(self) -> datetime | None:
        """The earliest deadline still to be met or already missed."""
        running = (clock.due_at for clock in self.clocks if clock.stopped_at is None)
        return min((due for due in running if due is not None), default=None)

    @property
    def attention_at(self) -> datetime | None:
        """When a schedule must look at this case next; None when nothing runs."""
        wanted = (clock.next_at for clock in self.clocks)
        return min((moment for moment in wanted if moment is not None), default=None)

    def clock(self, *kinds: ClockKind) -> Clock | None:
        """The clock of one of *kinds* that was not stopped yet."""
        found = (clock for clock in self.clocks if clock.kind in kinds)
        return next((clock for clock in found if clock.stopped_at is None), None)
