"""The parts of a MIME message, found in the bytes where they lie.

The standard library's parser makes an object of every line (a mail of empty lines costs it fifty
times its size), holds each line against the boundary of every container, and gives up on deep
ones. This one looks only for boundaries, takes a part's bytes out when somebody asks for them, and
ends where the bounds below say so. Headers are still read by the standard library.
RFC 2045, RFC 2046, RFC 5322.
"""

import re
from binascii import Error as BinasciiError
from binascii import a2b_base64, a2b_qp, a2b_uu
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message as Head
from email.policy import Compat32

MOST_PARTS = 100
# Each container inside another is a walk over what is in it.
DEEPEST = 20
LONGEST_HEAD = 1_000_000
MOST_HEADERS = 1_000
_MOST_STRAY_LINES = 3
# Longer than any honest list of parameters; reading them takes the square of this.
LONGEST_PARAMETERS = 4_000
# Nobody's containers are so empty, and each costs a look.
_MOST_CONTAINERS = 1_000
_FIELD_NAME = re.compile(rb"[!-9;-~]+[ \t]*:")
# What marks a line as a header after one that is none: mail that lost its blank line has words.
_SURE_FIELD = re.compile(
    rb"(?:from|to|cc|subject|date|mime-version|message-id|received|return-path|x-[!-9;-~]+"
    rb"|content-[!-9;-~]+|reply-to|in-reply-to|references|sender|list-[!-9;-~]+):",
    re.IGNORECASE,
)
_MISSING_SEMICOLON = re.compile(rb"^([\w.+-]+(?:/[\w.+-]+)?)[ \t]+(?=[\w*-]+=)")
_BLANK_LINE = re.compile(rb"\n\r?\n")
_LINE = re.compile(rb"[^\r\n]+")
_UU_BEGIN = re.compile(rb"^begin(?:-base64)? [0-7]{3,4} [^\r\n]*\r?\n", re.MULTILINE)
_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]+")


class _AsWritten(Compat32):
    """Headers as they came: compat32 itself gives up what 8-bit bytes in them meant."""

    def header_fetch_parse(self, name: str, value: str) -> str:  # noqa: ARG002
        return value


@dataclass(frozen=True, slots=True)
class MimePart:
    """A part that is no container. `choice` numbers the alternatives it is one of, or is 0.

    `is_closed` marks a container that lies too deep to be taken apart.
    """

    head: Head
    raw: memoryview
    choice: int = 0
    is_closed: bool = False

    def decode(self) -> bytes:
        """The bytes of the part; of a broken encoding, what there is."""
        content = bytes(self.raw)
        encoding = str(self.head.get("content-transfer-encoding", "")).strip().lower()
        if encoding == "base64":
            return _decode_base64(content)
        if encoding == "quoted-printable":
            return a2b_qp(content)
        if encoding in {"x-uuencode", "uuencode", "uue", "x-uue"}:
            return _decode_uu(content)
        return content


@dataclass(frozen=True, slots=True)
class MimeMessage:
    """`is_whole` is False where a bound was met and something was not looked at."""

    head: Head
    parts: tuple[MimePart, ...]
    is_whole: bool


def find_parts(raw: bytes) -> MimeMessage:
    """The head of a message and its parts in their order, at most MOST_PARTS of them."""
    # Mailboxes of old Macs.
    if b"\n" not in raw and b"\r" in raw:
        raw = raw.replace(b"\r", b"\n")
    whole = memoryview(raw)
    head, start, is_whole = _read_head(raw, 0, len(raw), is_message=True)
    walk = _Walk(raw)
    parts: list[MimePart] = []
    for part_head, begin, end, choice, is_deep in walk.leaves(head, start, len(raw)):
        if len(parts) == MOST_PARTS:
            is_whole = False
            break
        parts.append(MimePart(part_head, whole[begin:end], choice, is_deep))
        is_whole = is_whole and not is_deep
    return MimeMessage(head, tuple(parts), is_whole and not walk.gave_up)


class _Walk:
    """Through the containers of a message, without recursion."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._choices = 0
        self._containers = 0
        self.gave_up = False

    def leaves(
        self, head: Head, start: int, end: int
    ) -> Iterator[tuple[Head, int, int, int, bool]]:
        """(head, start, end, choice, is too deep) of each part that is no container."""
        waiting: list[tuple[Iterator[tuple[int, int]], int, str]] = []
        entity: tuple[Head, int, int] | None = (head, start, end)
        choice = 0
        while entity is not None or waiting:
            if entity is not None:
                head, start, end = entity
                entity = None
                is_deep = len(waiting) >= DEEPEST
                children = self._children(head, start, end)
                first = None if children is None or is_deep else next(children, None)
                if children is None or first is None:
                    yield head, start, end, choice, children is not None and is_deep
                else:
                    choice = self._choose(head, choice)
                    default = "message/rfc822" if _subtype(head) == "digest" else "text/plain"
                    waiting.append((children, choice, default))
                    entity = self._open(*first, default)
                continue
            children, choice, default = waiting[-1]
            place = next(children, None)
            if place is None:
                waiting.pop()
            else:
                entity = self._open(*place, default)

    def _choose(self, head: Head, choice: int) -> int:
        if choice or _subtype(head) != "alternative":
            return choice
        self._choices += 1
        return self._choices

    def _open(self, start: int, end: int, default: str) -> tuple[Head, int, int]:
        head, body, is_whole = _read_head(self._raw, start, end, is_message=False)
        head.set_default_type(default)
        self.gave_up = self.gave_up or not is_whole
        return head, body, end

    def _children(self, head: Head, start: int, end: int) -> Iterator[tuple[int, int]] | None:
        """Where the parts of a container lie; None for what is no container."""
        if head.get_content_maintype() != "multipart":
            return None
        boundary = _boundary(head)
        if not boundary:
            return None
        self._containers += 1
        if self._containers > _MOST_CONTAINERS:
            self.gave_up = True
            return None
        return _split(self._raw, boundary, start, end)


def _boundary(head: Head) -> bytes:
    try:
        boundary = head.get_boundary() or ""
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError):
        return b""
    return boundary.encode("ascii", "surrogateescape" if _is_bytes(boundary) else "replace")


def _is_bytes(text: str) -> bool:
    return all(ord(one) < 128 or 0xDC80 <= ord(one) <= 0xDCFF for one in text)


def _subtype(head: Head) -> str:
    return head.get_content_subtype()


def _split(raw: bytes, boundary: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The pieces between the lines that are *boundary*; what is before and after is nobody's."""
    # Behind the last of them, some programs go on in the same line.
    rest_of_line = rb"(?:(--)[^\r\n]*|[ \t]*)(?=\r?\n|\Z)"
    first = re.compile(b"--" + re.escape(boundary) + rest_of_line)
    line = re.compile(b"\n--" + re.escape(boundary) + rest_of_line)
    found = first.match(raw, start, end) or line.search(raw, start, end)
    while found is not None and not found.group(1):
        begin = raw.find(b"\n", found.end(), end) + 1 or end
        # The line end of the delimiter may be the line end that the next one begins with.
        found = line.search(raw, begin - 1, end)
        if found is None:
            stop = end
        else:
            stop = found.start()
            if stop > begin and raw[stop - 1 : stop] == b"\r":
                stop -= 1
        yield begin, max(begin, stop)


def _read_head(raw: bytes, start: int, end: int, *, is_message: bool) -> tuple[Head, int, bool]:
    """The headers at *start*, where the body begins, and whether all of them were read."""
    fields: list[tuple[bytes, list[bytes]]] = []
    at, is_whole, size = start, True, 0
    while at < end:
        next_line = raw.find(b"\n", at, end) + 1 or end
        line = raw[at : min(next_line, at + LONGEST_HEAD)]
        stripped = line.rstrip(b"\r\n")
        if not stripped:
            at = next_line
            break
        is_more = stripped[:1] in b" \t"
        is_field = not is_more and _FIELD_NAME.match(stripped) is not None
        if (
            not is_more
            and not is_field
            and not _is_stray(raw, at, next_line, end, is_message=is_message)
        ):
            break
        size += len(line)
        if size > LONGEST_HEAD or len(fields) >= MOST_HEADERS:
            is_whole = False
            at = _end_of_head(raw, at, end)
            break
        if is_field:
            name, _, value = stripped.partition(b":")
            fields.append((name.rstrip(b" \t"), [value.lstrip(b" \t")]))
        elif is_more and fields:
            fields[-1][1].append(stripped)
        at = next_line
    head = Head(policy=_AsWritten())
    for name, pieces in fields:
        # Not set_raw: its setter would look for headers of the same name.
        written = name.decode("ascii")
        text = b"\n".join(pieces)
        if written.lower().startswith("content-"):
            text = _MISSING_SEMICOLON.sub(rb"\1; ", b"".join(pieces)[:LONGEST_PARAMETERS])
        head.set_raw(written, text.decode("ascii", "surrogateescape"))
    return head, at, is_whole


def _end_of_head(raw: bytes, at: int, end: int) -> int:
    blank = _BLANK_LINE.search(raw, at, end)
    return blank.end() if blank else end


def _is_stray(raw: bytes, at: int, next_line: int, end: int, *, is_message: bool) -> bool:
    """Is this line, which is no header, still in the head? A mailbox's `From `, or what somebody's
    broken program left among headers.
    """
    if is_message and raw[at : at + 6].lstrip(b">").startswith(b"From "):
        return True
    for _ in range(_MOST_STRAY_LINES):
        if _SURE_FIELD.match(raw, next_line, min(end, next_line + 200)):
            return True
        following = raw.find(b"\n", next_line, end) + 1
        if not following or not raw[next_line:following].strip():
            return False
        next_line = following
    return False


def _decode_base64(content: bytes) -> bytes:
    if b"=" not in content.rstrip(b"= \t\r\n"):
        try:
            return a2b_base64(content)
        except BinasciiError:
            pass
    # Cut off, or with the padding of several pieces in it: decode as far as it goes.
    letters = _NO_BASE64.sub(b"", content)
    pieces = (piece for piece in letters.split(b"=") if piece)
    return b"".join(_decode_piece(piece) for piece in pieces)


def _decode_piece(letters: bytes) -> bytes:
    usable = letters if len(letters) % 4 != 1 else letters[:-1]
    return a2b_base64(usable + b"=" * (-len(usable) % 4))


def _decode_uu(content: bytes) -> bytes:
    begin = _UU_BEGIN.search(content)
    if begin is None:
        return content
    decoded = bytearray()
    for found in _LINE.finditer(content, begin.end()):
        line = found.group()
        if line.strip() == b"end":
            break
        try:
            decoded += a2b_uu(line)
        except BinasciiError:
            # Some encoders say a wrong length; the standard library's way around it.
            length = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                decoded += a2b_uu(line[:length])
            except BinasciiError:
                return content
    return bytes(decoded)
