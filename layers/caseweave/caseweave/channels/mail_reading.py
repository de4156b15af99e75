"""Reading a MIME message that somebody else wrote: every part of it may be missing or a lie."""

import email
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import decode_header
from email.message import Message as MimePart
from email.policy import compat32
from email.utils import getaddresses, parsedate_to_datetime
from hashlib import sha256

from bs4 import BeautifulSoup

from caseweave.errors import UnparseableError

LONGEST_BODY = 200_000
LONGEST_HEADER = 2_000
MOST_PARTS = 100
# What Chinese mailers send where they name no charset, or a wrong one; GB 18030 contains GBK.
_FALLBACK_CHARSETS = ("utf-8", "gb18030")


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
        return next((value for key, value in self.headers if key == name.lower()), "")


def read_mail(raw: bytes) -> Mail:
    """Everything readable in *raw*. Raises UnparseableError only if the parser gives up."""
    try:
        root = email.message_from_bytes(raw, policy=compat32)
        parts = list(_leaves(root))
        texts, files = _read_parts(parts)
    except (ValueError, LookupError, RecursionError, AssertionError, TypeError, KeyError) as error:
        raise UnparseableError(f"not readable as a mail: {error}") from error
    headers = tuple((name.lower(), _decode(value)) for name, value in root.items())
    recipients = [
        value for name, value in headers if name in ("to", "cc", "delivered-to", "x-original-to")
    ]
    message = Mail(
        headers=headers,
        senders=_addresses([value for name, value in headers if name == "from"]),
        recipients=tuple(address for _, address in _addresses(recipients)),
        subject="",
        text="\n\n".join(text for text in texts if text)[:LONGEST_BODY],
        date=None,
        message_id="",
        references=(),
        files=tuple(files),
    )
    return _with_threading(message)


def _with_threading(mail: Mail) -> Mail:
    linked = f"{mail.header('references')} {mail.header('in-reply-to')}".split()
    return Mail(
        headers=mail.headers,
        senders=mail.senders,
        recipients=mail.recipients,
        subject=mail.header("subject"),
        text=mail.text,
        date=_read_date(mail.header("date")),
        message_id=mail.header("message-id").strip(),
        references=tuple(dict.fromkeys(linked))[-20:],
        files=mail.files,
    )


def _leaves(root: MimePart) -> Iterator[MimePart]:
    """The parts that are no containers, without recursion, at most MOST_PARTS of them."""
    waiting, found = [root], 0
    while waiting and found < MOST_PARTS:
        part = waiting.pop(0)
        payload = part.get_payload()
        if part.is_multipart() and isinstance(payload, list):
            waiting[:0] = [child for child in payload if isinstance(child, MimePart)]
        else:
            found += 1
            yield part


def _read_parts(parts: list[MimePart]) -> tuple[list[str], list[MailPart]]:
    plain, html, files = [], [], []
    for number, part in enumerate(parts):
        kind = part.get_content_type()
        name = _file_name(part)
        is_file = part.get_content_disposition() == "attachment" or bool(name)
        if kind == "text/plain" and not is_file:
            plain.append(_text(part))
        elif kind == "text/html" and not is_file:
            html.append(_strip_html(_text(part)))
        else:
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                files.append(MailPart(name or f"part-{number}", kind, content))
    return plain or html, files


def _file_name(part: MimePart) -> str:
    try:
        name = part.get_filename()
    except (ValueError, LookupError, TypeError):
        return ""
    return _decode(name).replace("/", "_").replace("\\", "_")[:200] if name else ""


def _text(part: MimePart) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    try:
        declared = str(part.get_content_charset() or "")
    except (ValueError, LookupError, TypeError):
        declared = ""
    return _decode_bytes(content, declared)


def _decode_bytes(content: bytes, declared: str) -> str:
    for charset in (declared, *_FALLBACK_CHARSETS):
        try:
            return content.decode(charset)
        except (LookupError, ValueError):
            continue
    return content.decode("utf-8", "replace")


def _strip_html(markup: str) -> str:
    soup = BeautifulSoup(markup, "html.parser")
    for tag in soup(["script", "style", "head"]):
        tag.decompose()
    lines = (" ".join(line.split()) for line in soup.get_text("\n").splitlines())
    return "\n".join(line for line in lines if line)


def _decode(value: object) -> str:
    """A header's text; encoded words are decoded, whatever cannot be is kept as it stands."""
    text = str(value)
    try:
        pieces = decode_header(text)
    except (ValueError, LookupError):
        pieces = [(text, None)]
    decoded = "".join(
        _decode_bytes(piece, charset or "") if isinstance(piece, bytes) else piece
        for piece, charset in pieces
    )
    # Raw 8-bit headers arrive as surrogates; they are bytes of some charset.
    if not decoded.isascii():
        as_bytes = decoded.encode("utf-8", "surrogateescape")
        decoded = _decode_bytes(as_bytes, "utf-8")
    return " ".join(decoded.split())[:LONGEST_HEADER]


def _addresses(values: list[str]) -> tuple[tuple[str, str], ...]:
    found = getaddresses(values)
    return tuple((name, address) for name, address in found if "@" in address)[:50]


def _read_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
