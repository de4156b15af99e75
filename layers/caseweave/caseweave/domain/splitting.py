"""Texts that are too long for one message, cut where a reader would pause."""

import re
import unicodedata
from enum import StrEnum

_ZERO_WIDTH_JOINER = "\u200d"
# Marks, and the signs that change or tag the emoji before them.
_EXTENDING = re.compile("[\u200c\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
_FLAG_HALF = re.compile("[\U0001f1e6-\U0001f1ff]")
# Syllables that are spelt in their parts: vowels and finals lean on what is before them.
_HANGUL_FOLLOWING = re.compile("[\u1160-\u11ff\ud7b0-\ud7fb]")
# Where a reader pauses, the longest pause first, and how full a part must be for it to do.
_LATIN_SENTENCE = r"(?<![.!?…])[.!?…]++[\"')\]»”’]*+\s+"
_CHINESE_SENTENCE = r"(?<![。！？；])[。！？；]++[”’」』）]*+\s*"
_BORDERS = (
    (re.compile(r"\n\s*\n\s*"), 0.5),
    (re.compile(r"\n\s*"), 0.5),
    (re.compile(f"{_LATIN_SENTENCE}|{_CHINESE_SENTENCE}"), 0.5),
    (re.compile(r"\s+|[，、：]\s*"), 0.25),
)


class Unit(StrEnum):
    """In what a provider counts the length of a text."""

    CHARACTERS = "characters"
    UTF16 = "utf-16 code units"
    BYTES = "utf-8 bytes"


def measure(text: str, unit: Unit) -> int:
    """The length of *text* as a provider counts it."""
    if unit is Unit.CHARACTERS:
        return len(text)
    if unit is Unit.UTF16:
        return len(text.encode("utf-16-le", "replace")) // 2
    return len(text.encode("utf-8", "replace"))


def split_text(text: str, longest: int, unit: Unit = Unit.CHARACTERS) -> list[str]:
    """Parts of *text*, each at most *longest* long, which joined are *text*; none for "".

    Cut at the end of a paragraph, else of a line, a sentence, a word; in between only where there
    is none, and never inside what is read as one character, unless that alone is too long.
    """
    parts = []
    start = 0
    while start < len(text):
        end = _furthest(text, start, longest, unit)
        if end < len(text):
            end = _find_border(text, start, end)
        parts.append(text[start:end])
        start = end
    return parts


def _furthest(text: str, start: int, longest: int, unit: Unit) -> int:
    """Where a part that begins at *start* must end at the latest; it has one character at least."""
    if unit is Unit.CHARACTERS:
        return min(start + max(longest, 1), len(text))
    length, end = 0, start
    while end < len(text):
        length += measure(text[end], unit)
        if length > longest and end > start:
            return end
        end += 1
    return end


def _find_border(text: str, start: int, end: int) -> int:
    """The best place to cut, behind *start* and not behind *end*."""
    for border, fullness in _BORDERS:
        earliest = start + int((end - start) * fullness)
        ends = [found.end() for found in border.finditer(text, earliest, end)]
        # What stands at the very end may go on behind it.
        best = next(
            (one for one in reversed(ends) if one > start and _may_cut(text, start, one)), 0
        )
        if best:
            return best
    for place in range(end, start, -1):
        if _may_cut(text, start, place):
            return place
    return end


def _may_cut(text: str, start: int, place: int) -> bool:
    """Do the characters around *place* not belong together? No flag is cut at *start*."""
    before, after = text[place - 1], text[place : place + 1]
    if not after:
        return True
    if before == _ZERO_WIDTH_JOINER or (before == "\r" and after == "\n"):
        return False
    if unicodedata.category(after)[0] == "M" or _EXTENDING.match(after):
        return False
    if _HANGUL_FOLLOWING.match(after):
        return False
    return not (_FLAG_HALF.match(after) and _count_flag_halves(text, start, place) % 2)


def _count_flag_halves(text: str, start: int, place: int) -> int:
    count = 0
    while count < place - start and _FLAG_HALF.match(text[place - 1 - count]):
        count += 1
    return count
