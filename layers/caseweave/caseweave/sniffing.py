"""What a file is, by its bytes; a name and a declared type are only claims.

https://mimesniff.spec.whatwg.org/#identifying-a-resource-with-an-unknown-mime-type
"""

import re
from dataclasses import dataclass

import filetype

from caseweave.domain.media import NEUTRAL_TYPE

_LOOKED_AT = 4096
_MARKUP = re.compile(
    rb"<(!doctype html|html|head|body|script|iframe|h1|div|font|table|style|title|a|br|p|img|svg)"
    rb"[\s/>]",
    re.IGNORECASE,
)
_BLANKS = b"\xef\xbb\xbf \t\r\n\x0c"
# Text says no more of itself than that it is text; these claims are believed, for none is run.
_BELIEVED = frozenset(
    {"application/json", "message/rfc822", "text/calendar", "text/csv", "text/vcard"}
)
_EXECUTABLE_TYPES = frozenset(
    {
        "application/x-deb",
        "application/x-executable",
        "application/x-google-chrome-extension",
        "application/x-mach-binary",
        "application/x-msdownload",
        "application/x-rpm",
        "application/x-shockwave-flash",
        "text/x-shellscript",
    }
)
_EXECUTABLE_NAMES = (
    ".apk", ".app", ".bat", ".cmd", ".com", ".cpl", ".dll", ".exe", ".hta", ".jar", ".js", ".jse",
    ".lnk", ".msi", ".pif", ".ps1", ".reg", ".scr", ".sh", ".vbe", ".vbs", ".wsf",
)  # fmt: skip
_SHEBANG = re.compile(rb"#![ \t]*/")
# What filetype does not know, or only in long files; SILK is how WeChat keeps voices.
_BEGINNINGS = (
    (b"\x7fELF", "application/x-executable"),
    (b"\xfe\xed\xfa\xce", "application/x-mach-binary"),
    (b"\xfe\xed\xfa\xcf", "application/x-mach-binary"),
    (b"\xce\xfa\xed\xfe", "application/x-mach-binary"),
    (b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (b"#!AMR", "audio/amr"),
    (b"#!SILK_V3", "audio/silk"),
    (b"\x02#!SILK_V3", "audio/silk"),
)


@dataclass(frozen=True, slots=True)
class Sniffed:
    """`is_executable`: opening it would, or by its name could, run it."""

    media_type: str
    is_executable: bool


def sniff(content: bytes, declared: str, name: str) -> Sniffed:
    found = _find_type(content, declared.partition(";")[0].strip().lower())
    is_executable = found in _EXECUTABLE_TYPES or name.lower().rstrip(". ").endswith(
        _EXECUTABLE_NAMES
    )
    return Sniffed(found, is_executable)


def _find_type(content: bytes, declared: str) -> str:
    head = content[:_LOOKED_AT]
    shown = head.lstrip(_BLANKS)
    for beginning, media_type in _BEGINNINGS:
        if head.startswith(beginning):
            return media_type
    if _SHEBANG.match(shown):
        return "text/x-shellscript"
    if shown.startswith(b"<") and (markup := _find_markup(shown)):
        return markup
    known = filetype.guess_mime(bytearray(content[:262144]))
    if known:
        return str(known)
    if not _is_text(head):
        return NEUTRAL_TYPE
    return declared if declared in _BELIEVED else "text/plain"


def _find_markup(shown: bytes) -> str:
    """HTML, SVG or XML: all can hold scripts."""
    if b"<svg" in shown.lower():
        return "image/svg+xml"
    if _MARKUP.match(shown) or shown.startswith(b"<!--"):
        return "text/html"
    return "text/xml" if shown.startswith(b"<?xml") else ""


def _is_text(head: bytes) -> bool:
    """UTF-8, but for a character that may be cut off at the end, and no control characters."""
    if any(byte < 0x20 and byte not in b"\t\n\r\x0c\x1b" for byte in head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return len(head) == _LOOKED_AT and error.start >= len(head) - 3
    return True
