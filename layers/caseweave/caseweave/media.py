"""Media: each file that a customer attached is fetched, looked at, kept and recorded (issue 3).

One attachment at a time, each by its own queue entry, so that none costs another. Kept under the
digest of its bytes before it is recorded: a crash in between leaves a file that the next try finds,
and any number of tries leaves the same records. What cannot be had becomes *unavailable*, with the
reason, once the queue has tried for hours or there is no hope.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from caseweave.aws.files import UPLOADS, keep_thumbnail
from caseweave.aws.mailbox import attachment_key, keep_attachment
from caseweave.aws.objects import end_object, read_whole
from caseweave.domain.media import FileOutcome, FileState, Shortfall, served_type
from caseweave.domain.message import Attachment, Channel, Message
from caseweave.downloading import Missed
from caseweave.errors import CaseweaveError, NotFoundError
from caseweave.sniffing import sniff
from caseweave.storage.media import FileKey, read_file_of, settle_file
from caseweave.thumbnails import THUMBNAIL_TYPE, make_thumbnail

logger = logging.getLogger(__name__)

# How long to wait after each try but the last: seven and a half hours in all.
PAUSES = tuple(timedelta(seconds=s) for s in (15, 60, 240, 960, 3600, 7200, 14400))
MOST_TRIES = len(PAUSES) + 1
# A picture on which the whole process died twice is kept without a thumbnail.
_TRIES_WITH_THUMBNAIL = 2

# (message, attachment, most bytes) → its bytes, or why there are none.
Fetch = Callable[[Message, Attachment, int], bytes | Missed]


class NotFetchedYetError(CaseweaveError):
    """The file cannot be had now: let the queue try again."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where files are kept, how they are fetched, and how many bytes of each channel are taken."""

    bucket: str
    fetch: Fetch
    most_bytes: Callable[[Channel], int]


def settle_attachment(
    entry: str, tries: int, shelf: Shelf, now: Callable[[], datetime]
) -> FileState | None:
    """Fetch and record the file that a queue entry names; None if there was nothing to do.

    *tries* counts this one. Raises NotFetchedYetError, ContentionError or UnavailableError when
    the queue should bring it again.
    """
    try:
        key = FileKey.parse(entry)
        message, outcome = read_file_of(key)
    except NotFoundError:
        logger.warning("a queue entry names no file: %.100s", entry)
        return None
    attachment = message.attachments[key.index]
    if outcome is None:
        outcome = _find_out(key, message, attachment, tries, shelf)
        settle_file(key.case_id, outcome, now())
    if _is_upload(message, attachment):
        end_object(shelf.bucket, attachment.provider_ref)
    return outcome.state


def pause_after(tries: int) -> timedelta:
    """How long the queue waits before the next try."""
    return PAUSES[min(tries, len(PAUSES)) - 1]


def _find_out(
    key: FileKey, message: Message, attachment: Attachment, tries: int, shelf: Shelf
) -> FileOutcome:
    if tries > MOST_TRIES:
        missed = Missed(Shortfall.UNREACHABLE, "fetching it failed each time", is_final=True)
        return _give_up(key, missed)
    found = _obtain(message, attachment, shelf)
    if isinstance(found, Missed):
        if found.is_final or tries == MOST_TRIES:
            return _give_up(key, found)
        raise NotFetchedYetError(found.detail)
    return _keep(key, attachment, found, shelf, with_thumbnail=tries <= _TRIES_WITH_THUMBNAIL)


def _obtain(message: Message, attachment: Attachment, shelf: Shelf) -> bytes | Missed:
    """The bytes, from our own bucket or from the provider's."""
    most = shelf.most_bytes(message.channel)
    if attachment.state == FileState.STORED:
        return _read_own(shelf.bucket, attachment_key(attachment.digest), attachment.size)
    if _is_upload(message, attachment):
        return _read_own(shelf.bucket, attachment.provider_ref, most)
    return shelf.fetch(message, attachment, most)


def _is_upload(message: Message, attachment: Attachment) -> bool:
    """Did the customer's page put it into our own bucket? No provider may say so."""
    is_there = attachment.provider_ref.startswith(UPLOADS)
    return message.channel is Channel.WEB and attachment.state == FileState.PENDING and is_there


def _read_own(bucket: str, key: str, most_bytes: int) -> bytes | Missed:
    try:
        content = read_whole(bucket, key, most_bytes)
    except NotFoundError:
        return Missed(Shortfall.GONE, "nothing was uploaded", is_final=False)
    if content is None:
        return Missed(Shortfall.TOO_LARGE, f"more than {most_bytes} bytes", is_final=True)
    return content


def _keep(
    key: FileKey, attachment: Attachment, content: bytes, shelf: Shelf, *, with_thumbnail: bool
) -> FileOutcome:
    sniffed = sniff(content, attachment.media_type, attachment.name)
    digest = sha256(content).hexdigest()
    if attachment.digest != digest:
        keep_attachment(shelf.bucket, digest, served_type(sniffed.media_type), content)
    drawn = make_thumbnail(content, sniffed.media_type) if with_thumbnail else b""
    return FileOutcome(
        message_id=key.message_id,
        index=key.index,
        state=FileState.STORED,
        digest=digest,
        size=len(content),
        media_type=sniffed.media_type,
        thumbnail=keep_thumbnail(shelf.bucket, drawn, THUMBNAIL_TYPE) if drawn else "",
        is_executable=sniffed.is_executable,
    )


def _give_up(key: FileKey, missed: Missed) -> FileOutcome:
    return FileOutcome(
        message_id=key.message_id,
        index=key.index,
        state=FileState.UNAVAILABLE,
        reason=missed.reason,
        detail=missed.detail[:200],
    )
