"""What the secrets of a product look like, in the few signs that `config/privacy.yaml` has for it.

`A` is a letter, `9` a digit, `X` either; `{5}` repeats the sign before it; `-` stands between the
groups. There is no more to it, so that no shape can be slow.
"""

import re
from dataclasses import dataclass
from typing import Self

from caseweave.domain.masking.text import SecretKind

_SIGN = re.compile(r"([A9X])(?:\{([0-9]{1,2})\})?|-")
_FITS = {"A": str.isalpha, "9": str.isdecimal, "X": str.isalnum}
_SHORTEST, _LONGEST = 6, 64


@dataclass(frozen=True, slots=True)
class Shape:
    """The groups of a secret, sign by sign.

    With *near*, it counts only where one of these words stands a little before it.
    """

    groups: tuple[str, ...]
    near: tuple[str, ...] = ()
    kind: SecretKind = SecretKind.CARD_SECRET

    @classmethod
    def read(
        cls, text: str, near: tuple[str, ...] = (), kind: SecretKind = SecretKind.CARD_SECRET
    ) -> Self:
        """Raises ValueError with what is wrong."""
        shape = cls(_read_groups(text), tuple(word.casefold() for word in near), kind)
        if not _SHORTEST <= shape.length <= _LONGEST:
            raise ValueError(f"write {_SHORTEST} to {_LONGEST} signs")
        if not near and not shape.is_telling:
            raise ValueError(
                "add `near:` with words such as 卡密: order numbers look like this too"
            )
        return shape

    @property
    def length(self) -> int:
        return sum(map(len, self.groups))

    @property
    def is_telling(self) -> bool:
        """Three groups or more with letters in them: nothing else looks like that."""
        return len(self.groups) >= 3 and self.length >= 12 and set("".join(self.groups)) != {"9"}

    def fits(self, values: list[str]) -> bool:
        """Are *values* its groups? Letters alone are words, so a digit must be among them."""
        if tuple(map(len, values)) != tuple(map(len, self.groups)):
            return False
        content, signs = "".join(values), "".join(self.groups)
        return any(map(str.isdecimal, content)) and all(
            _FITS[sign](character) for sign, character in zip(signs, content, strict=True)
        )


def _read_groups(text: str) -> tuple[str, ...]:
    groups, at = [""], 0
    for match in _SIGN.finditer(text):
        if match.start() != at:
            break
        at = match.end()
        if match[0] == "-":
            groups.append("")
        else:
            groups[-1] += match[1] * int(match[2] or 1)
    if at != len(text) or not all(groups):
        raise ValueError("write a shape such as X{4}-X{4}-X{4}-X{4}: A letter, 9 digit, X either")
    return tuple(groups)
