"""What a reader sees of an HTML mail, as text.

One pass that never goes back: html.parser takes a minute for 100 KB of `<a <a <a`, and anybody
may send us that.
"""

import re
from html import unescape

_MARKUP = re.compile(r"<!--|<(/?)([a-z][a-z0-9]*)[^<>]*>|<[!?/][^<>]*>", re.IGNORECASE)
_HIDDEN = {
    name: re.compile(rf"</{name}\b[^<>]*>", re.IGNORECASE) for name in ("script", "style", "title")
}
_HUGE_NUMBER = re.compile(r"&#(?:x[0-9a-f]{8,}|[0-9]{8,});?", re.IGNORECASE)
_COMMENT_END = re.compile("-->")
_CELLS = {"td", "th"}
_LINES = {
    *("address", "article", "aside", "blockquote", "body", "br", "center", "dd", "div", "dl"),
    *("dt", "fieldset", "figcaption", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tr", "ul"),
}
# A line break of the page; those in the source are mere blanks.
_BREAK = "\0"
# Stands for the `> ` of a line in a quotation.
_QUOTE = "\1"
_DEEPEST_QUOTE = 5


def html_to_text(markup: str) -> str:
    """The words of *markup*, a line for each block, without scripts, styles and comments."""
    shown, at, is_verbatim, depth = [], 0, False, 0
    while tag := _MARKUP.search(markup, at):
        words = markup[at : tag.start()]
        shown.append(words.replace("\n", _BREAK) if is_verbatim else words)
        is_end, name, at = bool(tag.group(1)), (tag.group(2) or "").lower(), tag.end()
        if tag.group() == "<!--":
            at = _after(_COMMENT_END, markup, at)
        elif name in _HIDDEN and not is_end:
            at = _after(_HIDDEN[name], markup, at)
        elif name == "blockquote":
            depth = max(0, depth - 1) if is_end else depth + 1
            shown.append(f"{_BREAK}{_QUOTE * min(depth, _DEEPEST_QUOTE)}")
        elif name in _LINES:
            shown.append(f"{_BREAK}{_QUOTE * min(depth, _DEEPEST_QUOTE)}")
        elif name in _CELLS:
            shown.append(" ")
        if name == "pre":
            is_verbatim = not is_end
    shown.append(markup[at:])
    lines = (" ".join(line.split()) for line in unescape_text("".join(shown)).split(_BREAK))
    return "\n".join(line.replace(_QUOTE, "> ") for line in lines if line.strip(f"{_QUOTE} "))


def unescape_text(text: str) -> str:
    """*text* with its character references read; of numbers that name no character, none."""
    return unescape(_HUGE_NUMBER.sub("\ufffd", text))


def _after(end: re.Pattern[str], markup: str, at: int) -> int:
    found = end.search(markup, at)
    return found.end() if found else len(markup)
