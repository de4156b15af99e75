"""Reading a mail that somebody else wrote: every part of it may be missing or a lie."""

import re
from binascii import a2b_base64, a2b_qp
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import getaddresses, parsedate_to_datetime
from hashlib import sha256
from itertools import groupby
from operator import itemgetter

from caseweave.channels.calendar_text import describe_invitation
from caseweave.channels.charsets import decode_text, encode_text
from caseweave.channels.html_text import html_to_text
from caseweave.channels.mime_parts import MOST_PARTS, MimePart, find_parts

__all__ = ["LONGEST_BODY", "LONGEST_HEADER", "MOST_PARTS", "Mail", "MailPart", "read_mail"]

LONGEST_BODY = 200_000
LONGEST_HEADER = 2_000
# SES takes in no larger ones. Of a larger one, this much is read.
LARGEST_MAIL = 40 * 1024 * 1024
# How much of a header is looked at to find that much text: the encodings swell it.
_LONGEST_SOURCE = 16_000
_MOST_ADDRESSES = 50
# Bytes of a text that are decoded; four make a character at most, and markup has more of them.
_LONGEST_PLAIN = 1_000_000
_LONGEST_MARKUP = 4_000_000
# RFC 6838; it becomes an HTTP header of the stored file.
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}")
_WORD_START = re.compile(r"=\?([^?*\s]{1,40})(?:\*[^?\s]{0,20})?\?([bq])\?", re.IGNORECASE)
_ADDRESS = re.compile(r'(?:"[^"]*"|[^\s@"<>]+)@[^\s@"<>]+')
_BARE_ADDRESS = re.compile(r'(?<![^\s<>(),;:"])[^\s<>(),;:"@]{1,200}@[^\s<>(),;:"@]{1,250}')
_LONGEST_NAME = 200
_LONGEST_CONTENT_ID = 200
_TNEF_TYPES = {"application/ms-tnef", "application/vnd.ms-tnef"}
_PAGE_TYPE = "text/html"

TEXT_CUT = "正文过长，此处只有开头；全文见附件。The text is too long; all of it is in a file."
PARTS_LEFT = "邮件部分过多或层次过深，未全部读取。Not all parts of this mail were read."
PAGE_CUT = "HTML 过长，网页只有开头。The page has only the beginning of the HTML."
SIZE_CUT = "邮件过大，只读取了开头。The mail is too large; only its beginning was read."


@dataclass(frozen=True, slots=True)
class MailPart:
    """A file that came with a mail. By its `content_id`, the HTML of the mail shows it."""

    name: str
    media_type: str
    content: bytes = field(repr=False)
    content_id: str = ""

    @property
    def digest(self) -> str:
        return sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Mail:
    """What could be read. `senders` are all addresses in From; `headers` keep order and repeats.

    `page` is the mail's HTML, safe to open; `notes` tell people what was not read.
    """

    headers: tuple[tuple[str, str], ...]
    senders: tuple[tuple[str, str], ...]
    recipients: tuple[str, ...]
    subject: str
    text: str
    date: datetime | None
    message_id: str
    references: tuple[str, ...]
    files: tuple[MailPart, ...]
    page: MailPart | None = None
    notes: tuple[str, ...] = ()

    @property
    def kept_files(self) -> tuple[MailPart, ...]:
        """Everything that is kept in the bucket of files."""
        return self.files if self.page is None else (*self.files, self.page)

    def header(self, name: str) -> str:
        """The first header of that name, which is the one added last on the way."""
        return _first(self.headers, name)


def read_mail(raw: bytes) -> Mail:
    """Everything readable in *raw*: of whatever it is, a mail."""
    message = find_parts(raw[:LARGEST_MAIL] if len(raw) > LARGEST_MAIL else raw)
    body = _Body()
    for number, part in enumerate(message.parts):
        body.add(number, part)
    written = [(name.lower(), str(value)) for name, value in message.head.items()]
    headers = tuple((name, _decode(value)) for name, value in written)
    recipients = _addresses(written, "to", "cc", "delivered-to", "x-original-to")
    text = body.text
    page = body.page()
    notes = (
        *([SIZE_CUT] if len(raw) > LARGEST_MAIL else []),
        *([] if message.is_whole else [PARTS_LEFT]),
        *([TEXT_CUT] if body.is_cut or len(text) > LONGEST_BODY else []),
        *([PAGE_CUT] if body.is_page_cut else []),
    )
    return Mail(
        headers=headers,
        senders=_addresses(written, "from"),
        recipients=tuple(address for _, address in recipients),
        subject=_first(headers, "subject"),
        text=text[:LONGEST_BODY],
        date=_read_date(_first(headers, "date")),
        message_id=_first(headers, "message-id"),
        references=_read_references(written),
        files=tuple(body.files[:MOST_PARTS]),
        page=page,
        notes=notes,
    )


def _first(headers: Iterable[tuple[str, str]], name: str) -> str:
    return next((value for key, value in headers if key == name.lower()), "")


class _Body:
    """Texts, pages and files, as the parts of a mail are read one after the other."""

    def __init__(self) -> None:
        self.files: list[MailPart] = []
        self.is_cut = False
        self.is_page_cut = False
        self._texts: list[tuple[int, bool, str]] = []
        self._pages: list[str] = []
        self._appended: list[str] = []

    def add(self, number: int, part: MimePart) -> None:
        """One part, which is the *number*-th."""
        # A container that its sender did not delimit is left as one piece: somebody's words.
        is_container = part.head.get_content_maintype() == "multipart"
        kind = "text/plain" if is_container else _media_type(part)
        name = _file_name(part)
        is_file = part.head.get_content_disposition() == "attachment" or bool(name)
        content = part.decode()
        if part.is_closed:
            self.files.append(MailPart(name or f"part-{number}", "text/plain", content))
        elif kind in {"text/plain", "text/html"} and not is_file:
            self._add_text(number, part, kind, content)
        elif kind in _TNEF_TYPES or name.lower() == "winmail.dat":
            self._add_winmail(number, name, kind, content)
        else:
            self._add_file(number, part, name, kind, content)

    def _add_text(self, number: int, part: MimePart, kind: str, content: bytes) -> None:
        is_html = kind == "text/html"
        start = _cut(content, _LONGEST_MARKUP if is_html else _LONGEST_PLAIN)
        text = decode_text(start, _charset(part)).replace("\r\n", "\n")
        if is_html:
            self._pages.append(text)
            text = html_to_text(text)
        self._texts.append((part.choice, is_html, text))
        if len(start) < len(content) or len(text) > LONGEST_BODY:
            self.is_cut = True
            suffix = "html" if is_html else "txt"
            self.files.append(MailPart(f"message-{number}.{suffix}", "text/plain", content))

    def _add_file(self, number: int, part: MimePart, name: str, kind: str, content: bytes) -> None:
        if kind == "text/calendar":
            text = decode_text(_cut(content, _LONGEST_PLAIN), _charset(part) or "utf-8")
            self._appended.append(describe_invitation(text))
            name = name or "invite.ics"
        elif kind == "message/rfc822":
            name = name or _name_of_mail(number, content)
        content_id = _decode(str(part.head.get("content-id", ""))).strip("<> ")
        self.files.append(
            MailPart(name or f"part-{number}", kind, content, content_id[:_LONGEST_CONTENT_ID])
        )

    def _add_winmail(self, number: int, name: str, kind: str, content: bytes) -> None:
        """What Outlook packed up; the package too, if not all of it could be unpacked."""
        # Seldom met, and nothing that reading other mail must load.
        from caseweave.channels.tnef import read_tnef  # noqa: PLC0415 - see above

        found = read_tnef(content)
        for one in found.files:
            # Outlook names the files that the mail's HTML shows; they come without a type.
            media_type = one.media_type.strip().lower()
            self.files.append(
                MailPart(
                    _harmless(one.name) or f"part-{number}-{len(self.files)}",
                    media_type if _MEDIA_TYPE.fullmatch(media_type) else "application/octet-stream",
                    one.content,
                    _decode(one.content_id).strip("<> ")[:_LONGEST_CONTENT_ID],
                )
            )
        if found.rtf:
            self.files.append(MailPart("message.rtf", "application/rtf", found.rtf))
        text = found.text or html_to_text(found.html[:_LONGEST_MARKUP])
        if text.strip() and not self._has_words():
            self._texts.append((0, False, text.replace("\r\n", "\n")))
        if found.html:
            self._pages.append(found.html)
        if not found.is_whole or not (found.files or found.rtf or text.strip()):
            self.files.append(MailPart(name or f"part-{number}", kind, content))

    def _has_words(self) -> bool:
        return any(text.strip() for _, _, text in self._texts)

    @property
    def text(self) -> str:
        """The texts; of alternatives the plain one, unless it is blank."""
        plain = {
            choice
            for choice, is_html, text in self._texts
            if choice and not is_html and text.strip()
        }
        texts = [
            text for choice, is_html, text in self._texts if not is_html or choice not in plain
        ]
        return "\n\n".join(text for text in (*texts, *self._appended) if text.strip())

    def page(self) -> MailPart | None:
        """The HTML as a page that is safe to open."""
        markup = "<hr>".join(page for page in self._pages if page.strip())
        if not markup:
            return None
        # Most mails of a shop's customers have no HTML; the messengers' never.
        from caseweave.channels.html_page import LONGEST_PAGE, make_page  # noqa: PLC0415 - see above

        self.is_page_cut = len(markup) > LONGEST_PAGE
        return MailPart("message.html", _PAGE_TYPE, make_page(markup))


def _cut(content: bytes, longest: int) -> bytes:
    """The first lines, so that no character is cut in two."""
    if len(content) <= longest:
        return content
    end = content.rfind(b"\n", longest // 2, longest)
    return content[: end + 1 or longest]


def _media_type(part: MimePart) -> str:
    kind = part.head.get_content_type()
    return kind if _MEDIA_TYPE.fullmatch(kind) else "application/octet-stream"


def _name_of_mail(number: int, content: bytes) -> str:
    """A mail inside the mail is named by its subject."""
    subject = _harmless(read_subject(content))
    return f"{subject[: _LONGEST_NAME - 4]}.eml" if subject else f"message-{number}.eml"


def read_subject(raw: bytes) -> str:
    """The subject of a mail, and nothing else of it."""
    head = find_parts(raw[:_LONGEST_SOURCE].partition(b"\r\n\r\n")[0]).head
    return _decode(str(head.get("subject", "")))


def _file_name(part: MimePart) -> str:
    try:
        name = part.head.get_filename()
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError):
        return ""
    return _harmless(_decode(name)) if name else ""


def _harmless(name: str) -> str:
    """A file name that names no folder."""
    return " ".join(name.replace("/", "_").replace("\\", "_").split())[:_LONGEST_NAME]


def _charset(part: MimePart) -> str:
    try:
        return str(part.head.get_content_charset() or "")
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError):
        return ""


def _decode(value: str) -> str:
    """A header's text on one line; encoded words that cannot be decoded stay as they are."""
    return " ".join(_decode_words(_as_text(value[:_LONGEST_SOURCE])).split())[:LONGEST_HEADER]


def _as_text(value: str) -> str:
    """Raw 8-bit headers arrive as surrogates; they are bytes of some charset."""
    try:
        content = value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        content = value.encode("utf-8", "replace")
    return decode_text(content, "")


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
        decode_text(b"".join(content for _, content in group), charset)
        for charset, group in groupby(found, key=itemgetter(0))
    )


def _decode_word(charset: str, encoding: str, word: str) -> tuple[str, bytes]:
    try:
        if encoding == "q":
            # Some write characters beside the encoded ones; they were bytes of the same charset.
            content = word.encode() if word.isascii() else encode_text(word, charset)
            return charset, a2b_qp(content, header=True)
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
    if any("@" in address and not _ADDRESS.fullmatch(address) for _, address in found):
        # Not written by the rules: then every address in it counts, and names none of them.
        found = [("", one) for value in values for one in _BARE_ADDRESS.findall(value)]
    return tuple((_decode(name), address) for name, address in found if "@" in address)[
        :_MOST_ADDRESSES
    ]


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
