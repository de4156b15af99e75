"""The number of a resident identity card (居民身份证), by its date and its check digit.

GB 11643-1999: six digits of a region, a date, three of a series, and a check digit (ISO 7064
MOD 11-2). Passports have no check digit in a text; `config/privacy.yaml` says what they look like.
"""

import itertools
from datetime import date

from caseweave.domain.masking.text import Atom, Finding, SecretKind, are_joined, found, split_atoms

_LENGTH = 18
# As people write it in groups.
_GROUPS = ((18,), (6, 8, 4), (6, 4, 4, 4), (3, 3, 4, 4, 4))
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


def find_identity_numbers(folded: str) -> list[Finding]:
    findings: list[Finding] = []
    atoms = split_atoms(folded)
    position = 0
    while position < len(atoms):
        group = _identity_at(folded, atoms, position)
        if group:
            findings.append(found(SecretKind.IDENTITY_NUMBER, group))
        position += len(group) or 1
    return findings


def _identity_at(folded: str, atoms: list[Atom], position: int) -> list[Atom]:
    for sizes in _GROUPS:
        group = atoms[position : position + len(sizes)]
        if tuple(len(atom.value) for atom in group) == sizes and _is_identity(folded, group):
            return group
    return []


def _is_identity(folded: str, group: list[Atom]) -> bool:
    return (
        all(atom.is_open for atom in group)
        and all(are_joined(folded, *pair) for pair in itertools.pairwise(group))
        and is_identity_number("".join(atom.value for atom in group))
    )


def is_identity_number(number: str) -> bool:
    """Does it have a region, a date and the check digit that follows from the rest?"""
    series, check = number[:-1], number[-1:].upper()
    if len(number) != _LENGTH or not series.isdecimal() or not "11" <= series[:2] <= "91":
        return False
    if not _is_birthday(series[6:14]):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(series, _WEIGHTS, strict=True))
    return check == _CHECKS[total % 11]


def _is_birthday(digits: str) -> bool:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).year >= 1880
    except ValueError:
        return False
