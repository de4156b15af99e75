"""Text out of bytes whose sender named the wrong charset, or none."""

import codecs
import re

# What Chinese mailers send where they name no charset, or a wrong one; GB 18030 contains GBK.
_FALLBACKS = ("utf-8", "gb18030")
# Mailers name the old charset and send the characters that a later one added.
_WIDER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "iso8859-1": "cp1252",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "ascii": "",
}
# Names that mailers write and Python does not know.
_NAMES = {
    "iso-8859-8-i": "iso8859-8",
    "x-gbk": "gb18030",
    "x-sjis": "cp932",
    "x-euc-jp": "euc_jp",
    "unicode-1-1-utf-7": "utf-7",
    "windows-874": "cp874",
    "cp-850": "cp850",
    "ansi": "cp1252",
    "x-mac-roman": "mac-roman",
    "macintosh": "mac-roman",
}
# Python takes these for charsets too; they make surrogates of a mail, or hours of work.
_NO_CHARSETS = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"}
# They change what a byte means in the middle; Windows has more characters than the standard.
_SHIFTING = {"iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_ext"}
_SHIFT = re.compile(rb"\x1b(\$[@B]|\([A-Z]|\$\([A-Z])")
_LONGEST_SAMPLE = 10_000
_HIGH_BYTES = re.compile(rb"[\x80-\xff]+")


def decode_text(content: bytes, declared: str) -> str:
    """Text that can be stored, whatever its sender says it is."""
    charset = _known(declared)
    wider = _WIDER.get(charset, charset)
    # Lone accents between Latin letters; Chinese characters are at least pairs.
    others = ("utf-8", "cp1252", "gb18030") if _looks_western(content) else _FALLBACKS
    for name, errors in (
        *((one, "strict") for one in dict.fromkeys((wider, charset, *others)) if one),
        (wider or "utf-8", "replace"),
    ):
        try:
            if name in _SHIFTING:
                return _shift_japanese(content).decode("cp932", errors)
            # UTF-7 can spell half a surrogate pair, which is no text.
            return content.decode(name, errors).encode("utf-8", "replace").decode()
        except (LookupError, ValueError):
            continue
    return content.decode("utf-8", "replace")


def encode_text(text: str, declared: str) -> bytes:
    """The bytes that *text* was decoded from, if it was in the charset *declared*."""
    return text.encode(_known(declared) or "utf-8", "replace")


def _shift_japanese(content: bytes) -> bytes:
    """ISO-2022-JP as Shift JIS, whose Windows form knows the characters that mailers really send.

    The arithmetic between the two is that of JIS X 0208.
    """
    out = bytearray()
    is_double, at = False, 0
    for shift in (*_SHIFT.finditer(content), None):
        piece = content[at : shift.start() if shift else len(content)]
        if is_double:
            for high, low in zip(piece[::2], piece[1::2], strict=False):
                row = (high - 0x21) // 2
                out.append(row + (0x81 if row < 0x1F else 0xC1) & 0xFF)
                if high % 2:
                    out.append(low + (0x20 if low >= 0x60 else 0x1F) & 0xFF)
                else:
                    out.append(low + 0x7E & 0xFF)
        else:
            out += piece
        if shift is not None:
            is_double = shift.group(1).startswith(b"$")
            at = shift.end()
    return bytes(out)


def _known(declared: str) -> str:
    try:
        name = codecs.lookup(_NAMES.get(declared.strip().lower(), declared)).name
    except (LookupError, ValueError):
        return ""
    return "" if name in _NO_CHARSETS else name


def _looks_western(content: bytes) -> bool:
    runs = _HIGH_BYTES.findall(content[:_LONGEST_SAMPLE])
    return 0 < sum(map(len, runs)) <= 1.5 * len(runs)
