"""A text as the finders of secrets read it: folded character by character, and cut into atoms."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

# Stands for a hidden character. Rare enough in texts that it marks what is hidden already.
BLOCK = "\u2588"
# As much as tells two of them apart, and never more than a quarter.
_SHOWN = 4
_ATOM = re.compile(r"[0-9A-Za-z]+")
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")
_NUMERALS = "〇零一二三四五六七八九幺"
# Fewer are words: 一二三, 四五.
_NUMERAL_RUN = re.compile(f"[{_NUMERALS}]{{4,}}")
_NUMERAL_DIGITS = str.maketrans(_NUMERALS, "001234567891")
_WIDTHS = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")
_SPACES = dict.fromkeys(map(ord, "\t\u00a0\u2002\u2003\u2007\u2009\u202f\u3000"), " ")
_FOLDS: dict[int, int | str] = {**_WIDTHS, **_DASHES, **_SPACES}
_LONGEST_GAP = 3


class SecretKind(StrEnum):
    CARD_SECRET = "card_secret"
    IDENTITY_NUMBER = "identity_number"
    PAYMENT_CARD = "payment_card"
    CODE = "code"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Where a secret is; the last *shown* characters of it may stay."""

    start: int
    end: int
    kind: SecretKind
    shown: int = 0


@dataclass(frozen=True, slots=True)
class Atom:
    """Letters and digits in a row. It is `open` unless it is what a mask left of something."""

    start: int
    end: int
    value: str
    is_open: bool

    @property
    def is_number(self) -> bool:
        return self.is_open and self.value.isdecimal()


def fold(text: str) -> str:
    """Every digit, dash and space of any script or width as the plain one, each in its place."""
    if text.isascii():
        return text.replace("\t", " ")
    folded = text.translate(_FOLDS)
    folded = _FOREIGN_DIGIT.sub(lambda digit: str(int(digit[0])), folded)
    return _NUMERAL_RUN.sub(lambda run: run[0].translate(_NUMERAL_DIGITS), folded)


def split_atoms(folded: str) -> list[Atom]:
    return [
        Atom(
            match.start(),
            match.end(),
            match[0],
            len(match[0]) > _SHOWN or folded[match.start() - 1 : match.start()] != BLOCK,
        )
        for match in _ATOM.finditer(folded)
    ]


def are_joined(folded: str, left: Atom, right: Atom) -> bool:
    """Do only a few spaces or dashes stand between them?"""
    gap = folded[left.end : right.start]
    return len(gap) <= _LONGEST_GAP and not gap.strip(" -")


def list_number_runs(folded: str) -> list[list[Atom]]:
    """Numbers that stand together, as long as they go: `4111 1111-1111`."""
    runs: list[list[Atom]] = []
    last: Atom | None = None
    for atom in split_atoms(folded):
        if atom.is_number and last is not None and are_joined(folded, last, atom):
            runs[-1].append(atom)
        elif atom.is_number:
            runs.append([atom])
        last = atom if atom.is_number else None
    return runs


def found(kind: SecretKind, atoms: list[Atom]) -> Finding:
    """The finding that *atoms* are, from the first to the last."""
    length = sum(len(atom.value) for atom in atoms)
    shown = 0 if kind is SecretKind.CODE else min(_SHOWN, length // 4, len(atoms[-1].value))
    return Finding(atoms[0].start, atoms[-1].end, kind, shown)


def hide(text: str, findings: Iterable[Finding]) -> str:
    """*text*, as long as before, with a block for every character that is not shown."""
    pieces, at = [], 0
    for finding in sorted(findings):
        hidden = finding.end - finding.shown
        pieces += [text[at : finding.start], BLOCK * (hidden - finding.start)]
        at = hidden
    return "".join([*pieces, text[at:]])
