"""What becomes of the files that customers attach: fetched, looked at, kept; or out of reach.

A message never changes, so the outcome of each file is a record of its own, beside the event that
proves it; together they are what people see.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from caseweave.domain.event import SECURED, Actor, CaseChange, EventKind
from caseweave.domain.message import Attachment, Message

MEDIA = Actor("system", "media")


class FileState(StrEnum):
    PENDING = "pending"
    STORED = "stored"
    UNAVAILABLE = "unavailable"


class Shortfall(StrEnum):
    """Why a file cannot be had."""

    TOO_LARGE = "too_large"
    GONE = "gone"
    NOT_ALLOWED = "not_allowed"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    NO_SOURCE = "no_source"


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of one attachment of a message, by its place there.

    Stored: `digest` names the bytes, `media_type` is what they are (the message says what was
    claimed) and `thumbnail` the digest of a small picture of them, "" for none. Unavailable: the
    reason and, for people, a detail without secrets.
    """

    message_id: str
    index: int
    state: FileState
    digest: str = ""
    size: int = 0
    media_type: str = ""
    thumbnail: str = ""
    is_executable: bool = False
    reason: Shortfall | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses that serve a file, and a small picture of it, for a while; None where there is
    none.
    """

    url: str | None = None
    thumbnail_url: str | None = None


# What a browser may be told that a file is. Anything it could run, and anything unknown, is just
# bytes: https://developer.mozilla.org/docs/Web/HTTP/MIME_types/Common_types
_SERVED_FAMILIES = ("audio/", "video/", "font/")
_SERVED_TYPES = frozenset(
    {
        "application/gzip",
        "application/json",
        "application/msword",
        "application/pdf",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/zip",
        "image/bmp",
        "image/gif",
        "image/heic",
        "image/jpeg",
        "image/png",
        "image/tiff",
        "image/webp",
        "message/rfc822",
        "text/calendar",
        "text/csv",
        "text/plain",
        "text/vcard",
    }
)
NEUTRAL_TYPE = "application/octet-stream"


def served_type(media_type: str) -> str:
    """The content type under which a file of this type may be served."""
    is_known = media_type in _SERVED_TYPES or media_type.startswith(_SERVED_FAMILIES)
    return media_type if is_known else NEUTRAL_TYPE


def show_attachments(message: Message, outcomes: Iterable[FileOutcome]) -> tuple[Attachment, ...]:
    """The attachments of a message as they are by now."""
    known = {one.index: one for one in outcomes if one.message_id == message.id}
    return tuple(
        _show(attachment, known[index]) if index in known else attachment
        for index, attachment in enumerate(message.attachments)
    )


def _show(attachment: Attachment, outcome: FileOutcome) -> Attachment:
    if outcome.state is not FileState.STORED:
        reason = str(outcome.reason or "")
        return replace(attachment, state=outcome.state, reason=reason, detail=outcome.detail)
    return replace(
        attachment,
        state=outcome.state,
        digest=outcome.digest,
        size=outcome.size,
        media_type=outcome.media_type,
        declared_type=attachment.media_type,
        thumbnail=outcome.thumbnail,
        is_executable=outcome.is_executable,
    )


def record_outcome(change: CaseChange, outcome: FileOutcome, at: datetime) -> CaseChange:
    """The event that vouches for what became of an attachment."""
    is_stored = outcome.state is FileState.STORED
    kind = EventKind.ATTACHMENT_STORED if is_stored else EventKind.ATTACHMENT_UNAVAILABLE
    told, private = describe_outcome(outcome)
    if is_stored and change.after.evidence is not None:
        told = {**told, SECURED: True}
    return change.record(kind, MEDIA, at, told, private)


def describe_outcome(outcome: FileOutcome) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What the chain says in the open, and what it only commits to: of a short file, even the
    digest would tell the content to somebody who guesses it.
    """
    named = {"message_id": outcome.message_id, "index": outcome.index}
    if outcome.state is not FileState.STORED:
        return {**named, "reason": str(outcome.reason or "")}, {"detail": outcome.detail}
    return (
        {**named, "media_type": outcome.media_type, "is_executable": outcome.is_executable},
        {"digest": outcome.digest, "size": outcome.size, "thumbnail": outcome.thumbnail},
    )
