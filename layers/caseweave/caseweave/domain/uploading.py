"""Which files agents may send, and where one waits until it is sent."""

import re
from dataclasses import dataclass

from caseweave.errors import InvalidRequestError

LARGEST_FILE = 20 * 2**20
MOST_FILES = 5
LONGEST_NAME = 120
MEDIA_TYPES = frozenset(
    {
        "image/jpeg",
        "image/png",
        "image/gif",
        "image/webp",
        "audio/mpeg",
        "audio/mp4",
        "audio/ogg",
        "video/mp4",
        "application/pdf",
        "application/zip",
        "text/plain",
        "text/csv",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
)
_DIGEST = re.compile(r"[0-9a-f]{64}")
# Neither a path nor a line of a header.
_NAME = re.compile(rf"[^/\\\x00-\x1f\x7f\u2028\u2029]{{1,{LONGEST_NAME}}}")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that an agent wants to send, as the agent describes it."""

    name: str
    media_type: str
    size: int
    digest: str


def describe_upload(name: object, media_type: object, size: object, digest: object) -> Upload:
    """Raises InvalidRequestError, which names each field that cannot be used."""
    errors = []
    if not isinstance(name, str) or not _NAME.fullmatch(name) or not name.strip(". "):
        errors.append(("name", f"write a file name of 1 to {LONGEST_NAME} characters"))
    if not isinstance(media_type, str) or media_type not in MEDIA_TYPES:
        errors.append(("media_type", f"use one of: {', '.join(sorted(MEDIA_TYPES))}"))
    if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= LARGEST_FILE:
        errors.append(("size", f"write the bytes of the file, 1 to {LARGEST_FILE}"))
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        errors.append(("sha256", "write the SHA-256 of the file in 64 hex digits"))
    if errors:
        raise InvalidRequestError("This file cannot be sent.", tuple(errors))
    return Upload(str(name), str(media_type), int(str(size)), str(digest))


def upload_key(case_id: str, digest: str) -> str:
    """Where a file waits; what is not sent within a day is removed."""
    return f"outgoing/{case_id}/{digest}"
