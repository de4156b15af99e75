"""Numbers of payment cards, by what the schemes say of them, and their check digit (Luhn).

ISO/IEC 7812; the ranges are those of https://en.wikipedia.org/wiki/Payment_card_number. One order
number in ten has a right check digit by chance: what is called an order number, or a telephone
number, is not taken for a card.
"""

import re

from caseweave.domain.masking.text import Atom, Finding, SecretKind, found, list_number_runs

# (first, last) leading digits → lengths
_SCHEMES: tuple[tuple[int, int, tuple[int, ...]], ...] = (
    (4, 4, (16, 19)),
    (51, 55, (16,)),
    (2221, 2720, (16,)),
    (2200, 2204, (16, 17, 18, 19)),
    (34, 34, (15,)),
    (37, 37, (15,)),
    (3528, 3589, (16, 17, 18, 19)),
    (300, 305, (14, 16, 19)),
    (36, 36, (14,)),
    (38, 39, (14, 16, 19)),
    (6011, 6011, (16, 17, 18, 19)),
    (644, 659, (16, 17, 18, 19)),
    (62, 62, (16, 17, 18, 19)),
    (81, 81, (16, 17, 18, 19)),
    (5018, 5018, (16, 18, 19)),
    (5020, 5020, (16, 18, 19)),
    (5038, 5038, (16, 18, 19)),
    (6759, 6763, (16, 18, 19)),
    (9558, 9558, (16, 18, 19)),
    (6033, 6033, (16, 18, 19)),
)
_GROUPS = frozenset(
    {(4, 4, 4, 4, 3), (4, 4, 4, 4, 2), (4, 4, 4, 4, 1), (4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (6, 13),
     (6, 10), (8, 8), (6, 6, 7), (4, 4, 4, 6), (4, 4, 4, 7)}
)  # fmt: skip
_MOST_GROUPS = max(map(len, _GROUPS))
_ORDER_LABEL = re.compile(
    r"(?:订单|单号|流水|交易号|运单|快递|编号|"
    r"(?<![0-9A-Za-z\u2588])(?:order|transaction|txn|tracking|reference|invoice|ticket))"
    r"[\s号码是为:#._\-\"'(\[]{0,6}(?:(?:no|nr|number|id|is)[\s:#.\-]{0,4}){0,2}$",
    re.IGNORECASE,
)
_LABEL_WINDOW = 48


def find_payment_cards(folded: str) -> list[Finding]:
    findings: list[Finding] = []
    for run in list_number_runs(folded):
        position = 0
        while position < len(run):
            group = _card_at(folded, run, position)
            if group:
                findings.append(found(SecretKind.PAYMENT_CARD, group))
            position += len(group) or 1
    return findings


def _card_at(folded: str, run: list[Atom], position: int) -> list[Atom]:
    for size in range(_MOST_GROUPS, 1, -1):
        group = run[position : position + size]
        if tuple(len(atom.value) for atom in group) in _GROUPS and is_card_number(_digits(group)):
            return group
    alone = run[position : position + 1]
    if is_card_number(_digits(alone)) and not _is_called_otherwise(folded, alone[0].start):
        return alone
    return []


def _digits(group: list[Atom]) -> str:
    return "".join(atom.value for atom in group)


def _is_called_otherwise(folded: str, start: int) -> bool:
    before = folded[max(0, start - _LABEL_WINDOW) : start]
    return before.endswith("+") or _ORDER_LABEL.search(before) is not None


def is_card_number(digits: str) -> bool:
    """Is it of a scheme's range and length, with the right check digit?"""
    return _has_scheme(digits) and _luhn_sum(digits) % 10 == 0


def _has_scheme(digits: str) -> bool:
    return any(
        len(digits) in lengths and first <= int(digits[: len(str(first))]) <= last
        for first, last, lengths in _SCHEMES
    )


def _luhn_sum(digits: str) -> int:
    odd = sum(int(digit) for digit in digits[-1::-2])
    return odd + sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
