"""Forms as mail services post them: multipart/form-data or urlencoded, every byte of a file kept.

https://www.rfc-editor.org/rfc/rfc7578
"""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import MessageError
from functools import lru_cache

from caseweave.channels.request import WebhookRequest, read_form_pairs
from caseweave.errors import UnparseableError

MOST_PARTS = 1_000
# Longer than any honest head of a part; reading parameters takes the square of this.
_LONGEST_HEAD = 4_000
# RFC 2046, 5.1.1; quoted or not.
_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_HEAD_END = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class FormPart:
    """A field, or a file if it has a file name (which may be empty)."""

    name: str
    content: bytes
    file_name: str | None = None
    media_type: str = ""

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Form:
    """`is_clean` is False where a part may be the work of whoever wrote the content of another:
    no proper end, something after it, or a name that comes twice.
    """

    parts: tuple[FormPart, ...]
    is_clean: bool = True

    def find(self, name: str) -> FormPart | None:
        """The first part of that name."""
        return next((part for part in self.parts if part.name == name), None)

    def first(self, name: str) -> str:
        return next((part.text for part in self.parts if part.name == name), "")

    def last(self, name: str) -> str:
        return next((part.text for part in reversed(self.parts) if part.name == name), "")


def read_parts(request: WebhookRequest) -> Form:
    """The form of a request, by its Content-Type. Raises UnparseableError."""
    kind = request.headers.get("content-type", "")
    if not kind.strip().lower().startswith("multipart/form-data"):
        pairs = read_form_pairs(request.body)
        return Form(
            tuple(FormPart(name, value.encode("utf-8", "replace")) for name, value in pairs)
        )
    found = _BOUNDARY.search(kind)
    if not found:
        raise UnparseableError("a multipart form without boundary")
    boundary = found.group(1) or found.group(2)
    return _read_multipart(request.body, b"--" + boundary.encode("utf-8", "replace"))


@lru_cache(maxsize=1)
def _read_multipart(body: bytes, delimiter: bytes) -> Form:
    """The last one is remembered: what was verified is parsed next."""
    parts: list[FormPart] = []
    end_of_last, is_closed, is_alone = -1, False, True
    for start, end, closes in _delimiters(body, delimiter):
        if is_closed:
            # Whoever wrote a part wrote an end of the form into it, to hide what comes after.
            is_alone = False
        if end_of_last >= 0:
            if len(parts) == MOST_PARTS:
                raise UnparseableError(f"more than {MOST_PARTS} parts in a form")
            parts.append(_read_part(body, end_of_last, start))
        end_of_last, is_closed = end, closes
    if end_of_last < 0:
        raise UnparseableError("a multipart form without parts")
    if not is_closed:
        parts.append(_read_part(body, end_of_last, len(body)))
    names = [part.name for part in parts]
    is_ended = is_closed and not body[end_of_last:].strip()
    return Form(tuple(parts), is_alone and is_ended and len(names) == len(set(names)))


def _delimiters(body: bytes, delimiter: bytes) -> Iterator[tuple[int, int, bool]]:
    """Where each delimiter line begins (its line break before it included) and ends, and whether
    it closes the form. The first one tells the line ends of all: others are content.
    """
    at, line_end = 0, b""
    while (found := body.find(delimiter, at)) >= 0:
        at = found + len(delimiter)
        closes = body.startswith(b"--", at)
        rest = at + 2 * closes
        ended = _line_end(body, rest, line_end, closes=closes)
        start = found - len(line_end)
        is_first = not line_end
        is_at_start = (
            found == 0 or body[found - 1] == 0x0A if is_first else body.startswith(line_end, start)
        )
        if ended is None or not is_at_start:
            continue
        line_end = line_end or ended
        stop = rest + len(ended)
        yield max(start, 0), stop, closes
        # The line break after a delimiter may be the one before the next: an empty part.
        at = max(at, stop - len(ended))


def _line_end(body: bytes, at: int, expected: bytes, *, closes: bool) -> bytes | None:
    """The line break at *at*, None if the line goes on there."""
    for candidate in (expected,) if expected else (b"\r\n", b"\n"):
        if body.startswith(candidate, at):
            return candidate
    return b"" if closes and at == len(body) else None


def _read_part(body: bytes, start: int, stop: int) -> FormPart:
    stop = max(start, stop)
    found = _HEAD_END.search(body, start, min(stop, start + _LONGEST_HEAD))
    if body.startswith((b"\r\n", b"\n"), start) or not found:
        return FormPart("", body[start:stop])
    name, file_name, media_type = _read_head(body[start : found.start()])
    return FormPart(name, body[found.end() : stop], file_name, media_type)


def _read_head(head: bytes) -> tuple[str, str | None, str]:
    """The name, the file name if there is one, and the media type."""
    try:
        read = email.message_from_string(head.decode("utf-8", "replace"))
        name = read.get_param("name", "", "content-disposition")
        file_name = read.get_filename()
        media_type = read.get_content_type() if "content-type" in read else ""
    except (ValueError, LookupError, TypeError, AttributeError, MessageError):
        return "", None, ""
    return _storable(name), None if file_name is None else _storable(file_name), media_type


def _storable(value: object) -> str:
    """RFC 2231 can spell half a surrogate pair; what is no text is no name."""
    text = value if isinstance(value, str) else ""
    return text.encode("utf-8", "replace").decode()
