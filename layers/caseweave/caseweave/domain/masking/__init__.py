"""What must not be read by chance: card secrets, codes, identity and card numbers in a text.

Found by form and by the words around them, in one pass over the text for each kind, however long
it is. A masked text is as long as the text, and the same but for what was found; masking it again
changes nothing. Both rest on one rule: whether something is found depends on itself and on words
before and after that are never masked, so that a mask can only take a later find away.
"""

from dataclasses import dataclass
from functools import partial

from caseweave.domain.masking.card_secrets import find_card_secrets
from caseweave.domain.masking.codes import find_codes
from caseweave.domain.masking.identity_numbers import find_identity_numbers
from caseweave.domain.masking.payment_cards import find_payment_cards
from caseweave.domain.masking.shapes import Shape
from caseweave.domain.masking.text import Finding, SecretKind, fold, hide

__all__ = ["Finding", "Masked", "SecretKind", "Shape", "find_secrets", "mask_field", "mask_text"]


@dataclass(frozen=True, slots=True)
class Masked:
    """A text as it may be shown, and what kinds of secrets it had."""

    text: str
    kinds: frozenset[SecretKind] = frozenset()


def find_secrets(text: str, shapes: tuple[Shape, ...] = ()) -> tuple[Finding, ...]:
    """Every secret in *text*, in order; *shapes* are those of the desk's own products."""
    folded = fold(text)
    if not any(map(str.isdecimal, folded)):
        return ()
    finders = (
        partial(find_card_secrets, shapes=shapes),
        find_identity_numbers,
        find_payment_cards,
        find_codes,
    )
    found: list[Finding] = []
    for find in finders:
        more = find(folded)
        folded = hide(folded, more)
        found += more
    return tuple(sorted(found))


def mask_text(text: str, shapes: tuple[Shape, ...] = ()) -> Masked:
    """*text* with every secret hidden but for the end that tells two of them apart."""
    found = find_secrets(text, shapes)
    if not found:
        return Masked(text)
    return Masked(hide(text, found), frozenset(finding.kind for finding in found))


def mask_field(name: str, value: str, shapes: tuple[Shape, ...] = ()) -> Masked:
    """A value that stands beside its name, which says what it is: `order: 2024…`, `卡密: …`."""
    label = f"{name}: "
    masked = mask_text(label + value, shapes)
    return Masked(masked.text[len(label) :], masked.kinds)
