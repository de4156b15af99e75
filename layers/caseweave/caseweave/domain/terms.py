"""What of a text can be searched for: pairs of neighbouring characters where a script writes no
spaces (Chinese, Japanese, Korean, Thai, …), words everywhere else.

Case and width do not count. Traditional and simplified characters are different ones here: telling
which are the same needs a dictionary, and half of one would find half.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from unicodedata import normalize

from caseweave.domain.entities import hide_cards
from caseweave.domain.masking import mask_text
from caseweave.domain.message import Message, Purpose, Remark

# Of a longer text, the rest is not looked at.
LONGEST_TEXT = 20_000
LONGEST_QUERY = 200
_LONGEST_TERM = 32
# A word is found by its beginning from here on: `refund` finds `refunded`.
_STEM = 5
_SPACELESS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u312f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_CHARACTER = re.compile(f"[{_SPACELESS}]")
_TOKEN = re.compile(rf"[{_SPACELESS}]|[^\W_{_SPACELESS}]+")
_AROUND = 40


@dataclass(frozen=True, slots=True)
class TextQuery:
    """What is looked for: every one of `parts` (in normal form), by way of `terms`."""

    parts: tuple[str, ...]
    terms: tuple[str, ...]


def terms_of(message: Message) -> tuple[str, ...]:
    """All terms of a message, each once, in the order of the text: a function of the text alone.

    An index may hold the first of them only; whoever erases a message removes them all.
    """
    found = [
        term
        for text in searched_texts(message)
        for term in _find_terms(_tokenise(hide_secrets(text)))
    ]
    return tuple(dict.fromkeys(found))


def hide_secrets(text: str) -> str:
    """What an index may know of a text: nothing of cards, codes and identity numbers."""
    return mask_text(hide_cards(text)).text


def searched_texts(message: Message) -> tuple[str, ...]:
    """The texts of a message that are searched, each by itself; none of what we wrote by rote, and
    of what the customer quotes nothing, since that was said before.
    """
    if message.purpose in (Purpose.ACKNOWLEDGEMENT, Purpose.NOTICE):
        return ()
    if message.fields.get("remark") in (Remark.DELETION, Remark.REACTION):
        return ()
    names = (attachment.name for attachment in message.attachments)
    return tuple(text[:LONGEST_TEXT] for text in (message.subject, message.body, *names) if text)


def read_text_query(query: str) -> TextQuery:
    """What a free text asks for; no terms where it says too little to look anything up by.

    Its first and last word may be cut off (somebody copied a piece of a text). Beside pairs of
    characters they are therefore only compared, not looked up.
    """
    parts = [tokens for word in query[:LONGEST_QUERY].split() if (tokens := _tokenise(word))]
    pairs = [term for tokens in parts for term in _find_pairs(tokens)]
    words = [token for tokens in parts for token in tokens if not _CHARACTER.match(token)]
    if pairs:
        ends = (parts[0][0], parts[-1][-1])
        words = [word for word in words if word not in ends]
    terms = [*pairs, *map(_shorten, words)]
    return TextQuery(tuple(map(_join, parts)), tuple(dict.fromkeys(terms)))


def is_match(query: TextQuery, texts: Sequence[str]) -> bool:
    """Does one of *texts* have each part of the query?"""
    normal = [_join(_tokenise(text)) for text in texts]
    return all(any(part in text for text in normal) for part in query.parts)


def cut_excerpt(query: TextQuery, texts: Sequence[str]) -> str:
    """Some words around the first part that is found as it was written, else the beginning.

    What has to be masked must be so before: a cut goes through the middle of anything.
    """
    for text in texts:
        folded = text.casefold()
        for part in query.parts:
            place = folded.find(part)
            # Folding may change how long a text is; then places in it say nothing.
            if place >= 0 and len(folded) == len(text):
                start = max(0, place - _AROUND)
                return _one_line(text[start : place + len(part) + _AROUND])
    return _one_line(texts[0][: 2 * _AROUND]) if texts else ""


def fold(text: str) -> str:
    """The same for all ways of writing the same: width, case, ligatures."""
    return normalize("NFKC", normalize("NFKC", text).casefold())


def _tokenise(text: str) -> list[str]:
    return _TOKEN.findall(fold(text))


def _find_terms(tokens: Sequence[str]) -> Iterator[str]:
    """Pairs and words in the order of the text."""
    before = ""
    for token in tokens:
        is_character = _CHARACTER.match(token) is not None
        if not is_character:
            yield _shorten(token)
        elif before:
            yield before + token
        before = token if is_character else ""


def _find_pairs(tokens: Sequence[str]) -> list[str]:
    return [term for term in _find_terms(tokens) if _CHARACTER.match(term)]


def _shorten(word: str) -> str:
    return word[:_STEM] if word.isalpha() else word[:_LONGEST_TERM]


def _join(tokens: Sequence[str]) -> str:
    """The normal form that is compared: what stands between characters does not count."""
    joined, was_word = [], False
    for token in tokens:
        is_word = _CHARACTER.match(token) is None
        joined.append(f" {token}" if is_word and was_word else token)
        was_word = is_word
    return "".join(joined)


def _one_line(text: str) -> str:
    return " ".join(text.split())
