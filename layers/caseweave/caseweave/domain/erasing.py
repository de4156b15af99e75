"""What is left of a case and its messages when what was said is erased: that it was, and when.

Crypto-shredding by commitments: the chain never held contents, only HMACs of them under the seal of
the case. With the contents gone and the seal destroyed, nothing in it can be guessed any more, and
it still verifies (docs/privacy.md).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from caseweave.domain.case import Case, CaseState
from caseweave.domain.clocks import stop_clock
from caseweave.domain.customer_uploads import UPLOADS_FOLDER
from caseweave.domain.event import Actor, CaseChange, EventKind, begin_change
from caseweave.domain.media import FileOutcome
from caseweave.domain.message import Delivery, DeliveryState, Direction, Message
from caseweave.domain.privacy import Hold
from caseweave.domain.state_change import change_state

ERASER = Actor("system", "privacy")
# What has not certainly left yet must not leave any more.
_UNSENT = (DeliveryState.QUEUED, DeliveryState.CLAIMED)


class Cause(StrEnum):
    """Why contents go: somebody asked for it, or their time is over."""

    ERASURE = "erasure"
    RETENTION = "retention"


@dataclass(frozen=True, slots=True)
class Deletion:
    """One deletion, as the chain and the log name it."""

    id: str
    cause: Cause
    at: datetime

    def describe(self) -> Mapping[str, Any]:
        return {"deletion_id": self.id, "cause": str(self.cause)}


def begin_erasing(case: Case, deletion: Deletion) -> CaseChange:
    """Close the case, say in its chain that its contents go, and forget whom it is about.

    From then on nothing joins it. Its seal goes last, when everything else has: `destroy_seal`. An
    empty change if that was done before.
    """
    change = begin_change(case)
    if case.erased_at is not None:
        return change
    if case.is_active:
        clocks = tuple(stop_clock(clock, deletion.at) for clock in case.clocks)
        change = change_state(change, CaseState.CLOSED, "", ERASER, deletion.at, clocks)
    change = change.record(EventKind.CONTENT_ERASED, ERASER, deletion.at, deletion.describe())
    after = replace(
        change.after,
        subject="",
        contacts={},
        evidence=None if case.evidence is None else (),
        erased_at=deletion.at,
    )
    return replace(change, after=after)


def destroy_seal(case: Case) -> Case:
    """The head without its seal, as the next version of it."""
    return replace(case, seal="", version=case.version + 1)


def erase_message(message: Message, at: datetime) -> Message:
    """That there was a message, from which side, by which channel, when, and what became of it."""
    return replace(
        message,
        author="" if message.direction is Direction.INBOUND else message.author,
        body="",
        subject="",
        provider_id="",
        quoted="",
        page_digest="",
        attachments=(),
        contact=None,
        fields={},
        quick_replies=(),
        reply_to_provider_id="",
        delivery=_erase_delivery(message.delivery, at) if message.delivery else None,
        erased_at=message.erased_at or at,
    )


def _erase_delivery(delivery: Delivery, at: datetime) -> Delivery:
    if delivery.state in _UNSENT:
        return Delivery(DeliveryState.FAILED, at)
    return Delivery(delivery.state, delivery.at, refusal=delivery.refusal)


def erase_outcome(outcome: FileOutcome) -> FileOutcome:
    """That there was a file, and whether it could be had."""
    return replace(outcome, digest="", size=0, media_type="", thumbnail="", detail="")


def name_objects(messages: Iterable[Message], files: Iterable[FileOutcome]) -> frozenset[str]:
    """The keys of all objects that a case's messages refer to, in the bucket of files."""
    keys = set()
    for message in messages:
        digests = [message.page_digest, *(one.digest for one in message.attachments)]
        keys |= {f"attachments/{digest}" for digest in digests if digest}
        keys |= {
            one.provider_ref
            for one in message.attachments
            if one.provider_ref.startswith(f"{UPLOADS_FOLDER}/")
        }
    for file in files:
        if file.digest:
            keys.add(f"attachments/{file.digest}")
        if file.thumbnail:
            keys.add(f"thumbnails/{file.thumbnail}")
    return frozenset(keys)


def export_folder(owner_id: str) -> str:
    """Where a customer's exports, or a case's evidence packs, lie for a day."""
    return f"exports/{owner_id}/"


# Until when an open case is evidence: nobody knows.
NO_END_YET = datetime.max.replace(tzinfo=UTC)


def held_until(case: Case, hold: Hold) -> datetime | None:
    """Until when the case is evidence: None if it is not; NO_END_YET while it is open."""
    if case.category not in hold.categories or case.erased_at is not None:
        return None
    if case.is_active:
        return NO_END_YET
    return case.updated_at + hold.lasts
