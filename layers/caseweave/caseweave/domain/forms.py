"""Web forms: a scenario and the guided fields that lead a customer through it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from caseweave.domain.language import ENGLISH

# Wording per language.
Words = Mapping[str, str]
MESSAGE = "message"
SUBJECT = "subject"
# Fields that triage and search understand, whatever a form calls them.
ENTITIES = ("order_no", "product", "error_code")
LONGEST_LINE = 200


class FieldKind(StrEnum):
    TEXT = "text"
    LONG_TEXT = "long_text"
    CHOICE = "choice"
    NUMBER = "number"
    EMAIL = "email"
    PHONE = "phone"
    ORDER_NO = "order_no"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: Words


@dataclass(frozen=True, slots=True)
class FileRule:
    """Which files a field takes: media types, bytes of the largest, how many."""

    media_types: tuple[str, ...]
    largest: int
    most: int


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a form, and where the customer finds the answer.

    `pattern` fits the whole text. `entity` is the name under which triage and search know the
    value, "" for none. `files` is there for a field of files only.
    """

    name: str
    kind: FieldKind
    label: Words
    hint: Words = field(default_factory=dict)
    is_required: bool = False
    longest: int = LONGEST_LINE
    pattern: str = ""
    least: float | None = None
    most: float | None = None
    choices: tuple[Choice, ...] = ()
    entity: str = ""
    files: FileRule | None = None


@dataclass(frozen=True, slots=True)
class Form:
    name: str
    title: Words
    intro: Words
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field | None:
        return next((one for one in self.fields if one.name == name), None)


def word(words: Words, language: str) -> str:
    """The wording in a language; English where there is none."""
    return words.get(language) or words.get(ENGLISH, "")
