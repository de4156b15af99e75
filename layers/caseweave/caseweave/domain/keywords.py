"""STOP, START and HELP: the words by which a customer says whether we may write to their number.

They are the desk's own (`config/sms.yaml`) and count only as the whole message: who writes
"please stop charging me" is not opted out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from unicodedata import normalize

from caseweave.domain.message import Channel, Message

_AROUND = re.compile(r"^[\W_]+|[\W_]+$")
_GAP = re.compile(r"\s+")
_LONGEST_WORD = 40


class Keyword(StrEnum):
    STOP = "stop"
    START = "start"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Keywords:
    """The words, folded. `answered` are those that a provider itself obeys and answers."""

    words: Mapping[str, Keyword] = field(default_factory=dict)
    answered: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heard:
    """A keyword that a customer sent; `is_answered` if the provider has done so already."""

    keyword: Keyword
    is_answered: bool = False


def fold_keyword(text: str) -> str:
    """The word without case, width, and what stands around it; "" for what is too long for one."""
    word = text.strip()
    if len(word) > _LONGEST_WORD:
        return ""
    return _GAP.sub(" ", _AROUND.sub("", normalize("NFKC", word).casefold()))


def hear_keyword(message: Message, keywords: Keywords) -> Heard | None:
    """The keyword that an SMS is, in the provider's word or in ours."""
    if message.channel is not Channel.SMS or message.is_automatic:
        return None
    told = message.fields.get("opt_out_type", "").lower()
    if told in tuple(Keyword):
        return Heard(Keyword(told), is_answered=True)
    word = fold_keyword(message.body)
    keyword = keywords.words.get(word)
    if keyword is None:
        return None
    return Heard(keyword, word in keywords.answered.get(message.provider, ()))
