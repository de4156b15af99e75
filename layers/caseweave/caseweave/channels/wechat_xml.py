"""The XML of WeChat and WeCom: elements with a text each, a few of them nested.

Read with expat alone, so that nothing is ever fetched; a document type, and with it every entity
that could be expanded, is refused.
"""

import re
from collections.abc import Callable
from xml.parsers import expat

from caseweave.errors import UnparseableError

# The deepest that WeChat sends is the result of a mass message, 4 below its root.
_DEEPEST = 16
_MOST_ELEMENTS = 5000
# What XML 1.0 allows in no document, and people send nevertheless.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Reader:
    """Gathers the text of every element that has no elements inside."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._path: list[str] = []
        self._pieces: list[str] = []
        self._is_leaf = False
        self._elements = 0

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        self._elements += 1
        if len(self._path) >= _DEEPEST or self._elements > _MOST_ELEMENTS:
            raise UnparseableError("more elements than any message has")
        self._path.append(name)
        self._pieces = []
        self._is_leaf = True

    def text(self, piece: str) -> None:
        self._pieces.append(piece)

    def end(self, _name: str) -> None:
        if self._is_leaf:
            # The root has no name here: `<xml><A><B>` is "A/B".
            self.texts.setdefault("/".join(self._path[1:]), "".join(self._pieces))
        self._path.pop()
        self._is_leaf = False

    @staticmethod
    def refuse(*_: object) -> None:
        raise UnparseableError("a document type, which WeChat never sends")


def read_xml(body: bytes) -> dict[str, str]:
    """The text of each innermost element by its path below the root; of several the first.

    Invalid UTF-8 and characters that XML does not allow become U+FFFD. Raises UnparseableError.
    """
    text = _FORBIDDEN.sub("\ufffd", body.decode("utf-8-sig", "replace"))
    reader = _Reader()
    # What the declaration says of the encoding does not count.
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    handlers: dict[str, Callable[..., None]] = {
        "StartDoctypeDeclHandler": reader.refuse,
        "EntityDeclHandler": reader.refuse,
        "StartElementHandler": reader.start,
        "CharacterDataHandler": reader.text,
        "EndElementHandler": reader.end,
    }
    for name, handler in handlers.items():
        setattr(parser, name, handler)
    try:
        parser.Parse(text.encode(), True)  # noqa: FBT003 - expat takes it by place
    except expat.ExpatError as error:
        raise UnparseableError(f"not XML: {error}") from error
    return reader.texts
