"""The HTML of a mail as a page that is safe to open: no scripts, nothing loaded from anywhere.

nh3 (ammonia) decides what stays. Its parser follows the HTML standard to the letter, and there the
work for a tag grows with the tags that are still open: 1 MB of `<div>` takes a minute. So markup is
first written anew, balanced and at most DEEPEST tags deep, in one pass that never goes back.
https://nh3.readthedocs.io/en/latest/
"""

import re
from collections import Counter
from html import escape

from caseweave.channels.html_text import unescape_text

LONGEST_PAGE = 2_000_000
DEEPEST = 100
_LONGEST_RUN = 4_000

_OPENING = re.compile(r"<!--|<[!?/]|<(?=[a-z])", re.IGNORECASE)
_START_TAG = re.compile(r"([a-z][^\s/>]*+)((?:[^\"'>]|\"[^\"]*\"|'[^']*')*+)>", re.IGNORECASE)
_END_TAG = re.compile(r"([a-z][a-z0-9]{0,20})[^>]*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"([a-z-]{1,20})\s*+=\s*+(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>`=]++))", re.IGNORECASE
)
# What is in these is no text of the page.
_HIDDEN = {
    name: re.compile(rf"</{name}\b[^>]*>", re.IGNORECASE)
    for name in (
        *("script", "style", "title", "textarea", "iframe", "noembed", "noframes", "noscript"),
        *("xmp", "template", "svg", "math", "object", "select"),
    )
}
_VOID = frozenset({"br", "hr", "img", "col", "wbr"})
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt", "figcaption",
     "figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "li", "ol", "p", "pre",
     "section", "table", "ul"}
)  # fmt: skip
_INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "del", "em", "font", "i", "ins", "kbd",
     "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var"}
)  # fmt: skip
_TABLE = frozenset({"caption", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr"})
_TAGS = _VOID | _BLOCKS | _INLINE | _TABLE
# A tag that begins where one of these is open ends it, as its author left out to say.
_ENDS = {
    **dict.fromkeys(_BLOCKS, frozenset({"p"})),
    "li": frozenset({"p", "li"}),
    "dt": frozenset({"p", "dt", "dd"}),
    "dd": frozenset({"p", "dt", "dd"}),
    "td": frozenset({"p", "td", "th"}),
    "th": frozenset({"p", "td", "th"}),
    "tr": frozenset({"p", "td", "th", "tr"}),
}
_EVERYWHERE = {"style", "align", "dir", "lang", "title"}
_ATTRIBUTES = {
    "*": _EVERYWHERE,
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "font": {"color", "face", "size"},
    "table": {"border", "cellpadding", "cellspacing", "width", "bgcolor"},
    "td": {"colspan", "rowspan", "width", "height", "valign", "bgcolor"},
    "th": {"colspan", "rowspan", "width", "height", "valign", "bgcolor"},
    "tr": {"valign", "bgcolor"},
    "col": {"span", "width"},
    "ol": {"start", "type"},
}
_KNOWN_ATTRIBUTES = frozenset(name for names in _ATTRIBUTES.values() for name in names)
_STYLES = {
    *("color", "background-color", "direction", "height", "width", "max-width", "vertical-align"),
    *("font", "font-family", "font-size", "font-style", "font-weight", "line-height"),
    *("text-align", "text-decoration", "text-indent", "white-space", "word-break"),
    *("border", "border-bottom", "border-collapse", "border-color", "border-left", "border-right"),
    *("border-spacing", "border-style", "border-top", "border-width", "margin", "margin-bottom"),
    *("margin-left", "margin-right", "margin-top", "padding", "padding-bottom", "padding-left"),
    *("padding-right", "padding-top"),
}
_LINK = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
# A picture of the mail itself; one from elsewhere would tell its owner who opened it, and when.
_OWN_PICTURE = re.compile(r"cid:|data:image/(?:png|gif|jpeg|webp);base64,", re.IGNORECASE)
_HEAD = (
    '<!DOCTYPE html><html><head><meta charset="utf-8">'
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "img-src data: cid:; style-src 'unsafe-inline'\">"
    '<meta name="referrer" content="no-referrer"><title></title></head><body>'
)


def make_page(markup: str) -> bytes:
    """A whole page of *markup*, of which no more than LONGEST_PAGE characters are looked at."""
    # Rust code that many mails never need, and the messengers never.
    import nh3  # noqa: PLC0415 - see above

    clean = nh3.clean(
        _balance(markup[:LONGEST_PAGE]),
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        attribute_filter=_filter_address,
        filter_style_properties=_STYLES,
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        url_relative="deny",
        link_rel="noopener noreferrer",
    )
    return f"{_HEAD}{clean}</body></html>".encode("utf-8", "replace")


def _filter_address(tag: str, name: str, value: str) -> str | None:
    if (tag, name) == ("a", "href") and not _LINK.match(value.strip()):
        return None
    if (tag, name) == ("img", "src") and not _OWN_PICTURE.match(value.strip()):
        return None
    return value


def _balance(markup: str) -> str:
    """The tags we know, each closed where it must be; of tags too deep, only what is in them."""
    writer = _Writer()
    at = 0
    while opening := _OPENING.search(markup, at):
        writer.text(markup[at : opening.start()])
        at = _read_tag(markup, opening, writer)
    writer.text(markup[at:])
    return writer.finish()


def _read_tag(markup: str, opening: re.Match[str], writer: "_Writer") -> int:
    """Write what a tag means; where to go on. What never ends hides the rest, as in a browser."""
    start = opening.end()
    if opening.group() == "<!--":
        return _after(markup, "-->", start)
    if opening.group() == "</" and (end := _END_TAG.match(markup, start)):
        writer.close(end.group(1).lower())
        return end.end()
    if opening.group() != "<":
        return _after(markup, ">", start)
    tag = _START_TAG.match(markup, start)
    if tag is None:
        return len(markup)
    name, attributes = tag.group(1).lower(), tag.group(2)
    if name in _HIDDEN and not attributes.endswith("/"):
        hidden = _HIDDEN[name].search(markup, tag.end())
        return hidden.end() if hidden else len(markup)
    if name in _TAGS:
        writer.open(name, attributes)
    return tag.end()


def _after(markup: str, end: str, at: int) -> int:
    found = markup.find(end, at)
    return found + len(end) if found >= 0 else len(markup)


class _Writer:
    """Markup that is balanced whatever it is told to open and to close."""

    def __init__(self) -> None:
        self._written: list[str] = []
        self._run = 0
        self._open: list[str] = []
        self._count: Counter[str] = Counter()

    def text(self, text: str) -> None:
        """Words. The parser's work for one run of them grows with the square of its length."""
        plain = unescape_text(text)
        for start in range(0, len(plain), _LONGEST_RUN):
            piece = plain[start : start + _LONGEST_RUN]
            if self._run + len(piece) > _LONGEST_RUN:
                self._written.append("<wbr>")
                self._run = 0
            self._run += len(piece)
            self._written.append(escape(piece, quote=False))

    def open(self, name: str, attributes: str) -> None:
        while self._open and self._open[-1] in _ENDS.get(name, ()):
            self._pop()
        if name not in _VOID:
            self._open.append(name)
            self._count[name] += 1
        if len(self._open) <= DEEPEST:
            self._tag(f"<{name}{_write_attributes(attributes)}>")

    def close(self, name: str) -> None:
        if self._count[name]:
            while self._pop() != name:
                pass

    def _tag(self, tag: str) -> None:
        self._written.append(tag)
        self._run = 0

    def finish(self) -> str:
        while self._open:
            self._pop()
        return "".join(self._written)

    def _pop(self) -> str:
        if len(self._open) <= DEEPEST:
            self._tag(f"</{self._open[-1]}>")
        name = self._open.pop()
        self._count[name] -= 1
        return name


def _write_attributes(written: str) -> str:
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(written):
        name = match.group(1).lower()
        if name in _KNOWN_ATTRIBUTES:
            found.setdefault(name, match.group(2) or match.group(3) or match.group(4) or "")
    return "".join(f' {name}="{escape(unescape_text(value))}"' for name, value in found.items())
