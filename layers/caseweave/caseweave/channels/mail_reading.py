"""Reading a MIME message that somebody else wrote: every part of it may be missing or a lie."""

import codecs
import email
import re
from binascii import a2b_base64, a2b_qp
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.message import Message as MimePart
from email.policy import Compat32
from email.utils import getaddresses, parsedate_to_datetime
from hashlib import sha256
from itertools import groupby
from operator import itemgetter

from caseweave.channels.html_text import html_to_text
from caseweave.errors import UnparseableError

LONGEST_BODY = 200_000
LONGEST_HEADER = 2_000
MOST_PARTS = 100
# How much of a header is looked at to find that much text: the encodings swell it.
_LONGEST_SOURCE = 16_000
# Longer than any honest list of parameters; reading them takes the square of this.
_LONGEST_PARAMETERS = 4_000
_MOST_ADDRESSES = 50
# What Chinese mailers send where they name no charset, or a wrong one; GB 18030 contains GBK.
_FALLBACK_CHARSETS = ("utf-8", "gb18030")
# Mailers name the old charset and send the characters that a later one added.
_WIDER_CHARSETS = {"gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs"}
# Python takes these for charsets too; they make surrogates of a mail, or hours of work.
_NO_CHARSETS = {"idna", "punycode", "unicode-escape", "raw-unicode-escape"}
# RFC 6838; it becomes an HTTP header of the stored file.
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}")
# Python's parser holds each line against the boundary of every container around it.
_MOST_COMPARISONS = 50_000_000
_WORD_START = re.compile(r"=\?([^?*\s]{1,40})(?:\*[^?\s]{0,20})?\?([bq])\?", re.IGNORECASE)


class _AsWritten(Compat32):
    """Headers as they came: compat32 itself gives up what 8-bit bytes in them meant."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_LONGEST_PARAMETERS] if name.lower().startswith("content-") else value

    def header_fetch_parse(self, name: str, value: str) -> str:  # noqa: ARG002
        return value


@dataclass(frozen=True, slots=True)
class MailPart:
    """A file that came with a mail."""

    name: str
    media_type: str
    content: bytes

    @property
    def digest(self) -> str:
        return sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Mail:
    """What could be read. `senders` are all addresses in From; `headers` keep order and repeats."""

    headers: tuple[tuple[str, str], ...]
    senders: tuple[tuple[str, str], ...]
    recipients: tuple[str, ...]
    subject: str
    text: str
    date: datetime | None
    message_id: str
    references: tuple[str, ...]
    files: tuple[MailPart, ...]

    def header(self, name: str) -> str:
        """The first header of that name, which is the one added last on the way."""
        return _first(self.headers, name)


def read_mail(raw: bytes) -> Mail:
    """Everything readable in *raw*. Raises UnparseableError only if the parser gives up."""
    if raw.count(b"\n") * raw.lower().count(b"boundary") > _MOST_COMPARISONS:
        raise UnparseableError("too many lines in too many containers")
    try:
        root = email.message_from_bytes(raw, policy=_AsWritten())
        texts, files = _read_parts(_leaves(root))
    except (
        *(ValueError, LookupError, TypeError, AttributeError),
        *(AssertionError, RecursionError, MessageError),
    ) as error:
        raise UnparseableError(f"not readable as a mail: {error}") from error
    written = [(name.lower(), value) for name, value in root.items()]
    headers = tuple((name, _decode(value)) for name, value in written)
    recipients = _addresses(written, "to", "cc", "delivered-to", "x-original-to")
    return Mail(
        headers=headers,
        senders=_addresses(written, "from"),
        recipients=tuple(address for _, address in recipients),
        subject=_first(headers, "subject"),
        text="\n\n".join(text for text in texts if text.strip())[:LONGEST_BODY],
        date=_read_date(_first(headers, "date")),
        message_id=_first(headers, "message-id"),
        references=_read_references(written),
        files=tuple(files),
    )


def _first(headers: Iterable[tuple[str, str]], name: str) -> str:
    return next((value for key, value in headers if key == name.lower()), "")


def _leaves(root: MimePart) -> Iterator[tuple[MimePart, int]]:
    """The parts that are no containers, without recursion, at most MOST_PARTS of them.

    With each comes the number of the alternatives that it is one of, or 0.
    """
    waiting, found, choices = [(root, 0)], 0, 0
    while waiting and found < MOST_PARTS:
        part, choice = waiting.pop()
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            if part.get_content_subtype() == "alternative" and not choice:
                choice = choices = choices + 1
            waiting.extend((child, choice) for child in reversed(_children(part)))
        else:
            found += 1
            yield part, choice


def _children(part: MimePart) -> list[MimePart]:
    payload = part.get_payload()
    return [child for child in payload if isinstance(child, MimePart)]


def _read_parts(leaves: Iterable[tuple[MimePart, int]]) -> tuple[list[str], list[MailPart]]:
    """The texts, of alternatives the plain one unless it is blank, and the files."""
    texts: list[tuple[int, bool, str]] = []
    files = []
    for number, (part, choice) in enumerate(leaves):
        # A container that its sender did not delimit is left as one piece: somebody's words.
        is_container = part.get_content_maintype() == "multipart"
        kind = "text/plain" if is_container else _media_type(part)
        name = _file_name(part)
        is_file = part.get_content_disposition() == "attachment" or bool(name)
        if kind in {"text/plain", "text/html"} and not is_file:
            is_html = kind == "text/html"
            text = _text(part)
            texts.append((choice, is_html, html_to_text(text) if is_html else text))
        else:
            default = f"message-{number}.eml" if kind == "message/rfc822" else f"part-{number}"
            files.append(MailPart(name or default, kind, _content(part)))
    plain = {choice for choice, is_html, text in texts if choice and not is_html and text.strip()}
    return [text for choice, is_html, text in texts if not (is_html and choice in plain)], files


def _media_type(part: MimePart) -> str:
    kind = part.get_content_type()
    return kind if _MEDIA_TYPE.fullmatch(kind) else "application/octet-stream"


def _content(part: MimePart) -> bytes:
    """The bytes of a file; a message that came inside the mail is one."""
    if part.is_multipart():
        return b"\n".join(child.as_bytes() for child in _children(part))
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _file_name(part: MimePart) -> str:
    try:
        name = part.get_filename()
    except (ValueError, LookupError, TypeError):
        return ""
    return _decode(name).replace("/", "_").replace("\\", "_")[:200] if name else ""


def _text(part: MimePart) -> str:
    try:
        declared = str(part.get_content_charset() or "")
    except (ValueError, LookupError, TypeError):
        declared = ""
    return _decode_bytes(_content(part), declared).replace("\r\n", "\n")


def _decode_bytes(content: bytes, declared: str) -> str:
    """Text that can be stored, whatever its sender says it is."""
    charset = _known_charset(declared)
    for name, errors in (
        (charset, "strict"),
        *((fallback, "strict") for fallback in _FALLBACK_CHARSETS),
        (charset, "replace"),
    ):
        try:
            # UTF-7 can spell half a surrogate pair, which is no text.
            return content.decode(name, errors).encode("utf-8", "replace").decode()
        except (LookupError, ValueError):
            continue
    return content.decode("utf-8", "replace")


def _known_charset(declared: str) -> str:
    try:
        name = codecs.lookup(declared).name
    except (LookupError, ValueError):
        return ""
    return "" if name in _NO_CHARSETS else _WIDER_CHARSETS.get(name, name)


def _decode(value: str) -> str:
    """A header's text on one line; encoded words that cannot be decoded stay as they are."""
    return " ".join(_decode_words(_as_text(value[:_LONGEST_SOURCE])).split())[:LONGEST_HEADER]


def _as_text(value: str) -> str:
    """Raw 8-bit headers arrive as surrogates; they are bytes of some charset."""
    try:
        content = value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        content = value.encode("utf-8", "replace")
    return _decode_bytes(content, "")


def _decode_words(text: str) -> str:
    """RFC 2047. Mailers cut in the middle of a character, so neighbours are joined first."""
    found: list[tuple[str, bytes]] = []
    at = 0
    while start := _WORD_START.search(text, at):
        end = text.find("?=", start.end())
        if end < 0:
            break
        between, word = text[at : start.start()], text[start.end() : end]
        # Blanks between two encoded words belong to neither.
        if between.strip() or not found:
            found.append(("", between.encode()))
        found.append(_decode_word(start.group(1).lower(), start.group(2).lower(), word))
        at = end + len("?=")
    found.append(("", text[at:].encode()))
    return "".join(
        _decode_bytes(b"".join(content for _, content in group), charset)
        for charset, group in groupby(found, key=itemgetter(0))
    )


def _decode_word(charset: str, encoding: str, word: str) -> tuple[str, bytes]:
    try:
        if encoding == "q":
            return charset, a2b_qp(word, header=True)
        return charset, a2b_base64(word + "=" * (-len(word) % 4))
    except ValueError:
        return "", f"=?{charset}?{encoding}?{word}?=".encode()


def _addresses(written: list[tuple[str, str]], *names: str) -> tuple[tuple[str, str], ...]:
    """The (name, address) pairs of these headers.

    They are taken apart before anything in them is decoded: an encoded word may hide brackets
    and commas, and would make of `attacker@example.com` the address of somebody else there.
    """
    values = [_as_text(value[:_LONGEST_SOURCE]) for name, value in written if name in names]
    try:
        found = getaddresses(values[:_MOST_ADDRESSES])
    except (RecursionError, IndexError, ValueError):
        return ()
    return tuple(
        (_decode(name), " ".join(address.split())) for name, address in found if "@" in address
    )[:_MOST_ADDRESSES]


def _read_references(written: list[tuple[str, str]]) -> tuple[str, ...]:
    """The last ids: those of a long thread that are nearest to this mail."""
    linked = [
        _decode(_first(written, name)[-LONGEST_HEADER:]) for name in ("references", "in-reply-to")
    ]
    return tuple(dict.fromkeys(" ".join(linked).split()))[-20:]


def _read_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
