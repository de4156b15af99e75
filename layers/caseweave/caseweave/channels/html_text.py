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
_COMMENT_END = re.compile("-->")
_CELLS = {"td", "th"}
_LINES = {
    *("address", "article", "aside", "blockquote", "body", "br", "center", "dd", "div", "dl"),
    *("dt", "fieldset", "figcaption", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tr", "ul"),
}
# A line break of the page; those in the source are mere blanks.
_BREAK = "\0"


def html_to_text(markup: str) -> str:
    """The words of *markup*, a line for each block, without scripts, styles and comments."""
    shown, at, is_verbatim = [], 0, False
    while tag := _MARKUP.search(markup, at):
        words = markup[at : tag.start()]
        shown.append(words.replace("\n", _BREAK) if is_verbatim else words)
        is_end, name, at = bool(tag.group(1)), (tag.group(2) or "").lower(), tag.end()
        if tag.group() == "<!--":
            at = _after(_COMMENT_END, markup, at)
        elif name in _HIDDEN and not is_end:
            at = _after(_HIDDEN[name], markup, at)
        elif name in _LINES:
            shown.append(_BREAK)
        elif name in _CELLS:
            shown.append(" ")
        if name == "pre":
            is_verbatim = not is_end
    shown.append(markup[at:])
    lines = (" ".join(line.split()) for line in unescape("".join(shown)).split(_BREAK))
    return "\n".join(line for line in lines if line)


def _after(end: re.Pattern[str], markup: str, at: int) -> int:
    found = end.search(markup, at)
    return found.end() if found else len(markup)
