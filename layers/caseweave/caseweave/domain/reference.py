"""The case reference that people see, say and type: `C-7K3F-9Q2M`.

Seven random characters (35 bits) and one check character. It finds a case for an agent; it never
proves that somebody may join it.
"""

import re

from caseweave.domain.ulid import ALPHABET, encode_base32

_SHAPE = re.compile(r"C-?([0-9A-Z]{4})-?([0-9A-Z]{4})")
# What people misread on a phone, as Crockford's base 32 forgives it.
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})


def make_reference(randomness: bytes) -> str:
    """The reference of five random bytes."""
    digits = encode_base32(int.from_bytes(randomness[:5]) >> 5, 7)
    digits += _check_character(digits)
    return f"C-{digits[:4]}-{digits[4:]}"


def parse_reference(text: str) -> str | None:
    """The canonical reference that *text* means, or None when it cannot be one."""
    match = _SHAPE.fullmatch(text.strip().upper())
    if match is None:
        return None
    digits = "".join(match.groups()).translate(_MISREAD)
    if "U" in digits or _check_character(digits[:7]) != digits[7]:
        return None
    return f"C-{digits[:4]}-{digits[4:]}"


def _check_character(digits: str) -> str:
    """Luhn modulo 32: any single wrong character and nearly any swap of neighbours is caught."""
    total = 0
    for place, character in enumerate(reversed(digits)):
        value = ALPHABET.index(character) * (2 if place % 2 == 0 else 1)
        total += value // 32 + value % 32
    return ALPHABET[-total % 32]
