"""Triage: what is this about, how urgent, whose. By playbook, explained by its signs."""

import re
from dataclasses import dataclass

from caseweave.domain.case import Case, CaseState
from caseweave.domain.desk import Desk, Playbook
from caseweave.domain.entities import CARD, digest_reference, find_references
from caseweave.domain.mentions import ERROR_CODE, MOST_ENTITIES, PRODUCT, find_named
from caseweave.domain.message import Message, Remark

_TYPED_FIELDS = (PRODUCT, ERROR_CODE)
# Keys of the store are short; nobody looks for more.
_LONGEST_VALUE = 128


@dataclass(frozen=True, slots=True)
class Finding:
    """The playbook that fits and the signs that spoke for it."""

    playbook: Playbook
    signs: tuple[str, ...]


def triage_message(message: Message, desk: Desk) -> Finding:
    """The playbook with the most signs in the message; the earlier one on a tie."""
    form = message.fields.get("form", "")
    text = _fold(message)
    best = Finding(desk.fallback, ())
    for playbook in desk.playbooks:
        if form and form in playbook.forms:
            return Finding(playbook, (f"form {form}",))
        signs = tuple(sign for sign in playbook.signs if _shows(sign, text))
        if len(signs) > len(best.signs):
            best = Finding(playbook, signs)
    return best


def find_entities(message: Message, desk: Desk, key: bytes = b"") -> tuple[tuple[str, str], ...]:
    """The (kind, value) pairs that lead from what a message names to its case, at most some.

    Of a card there is only the digest under *key*; without one, nothing.
    """
    found = [
        (kind, digest_reference(kind, value, key) if kind == CARD else value)
        for kind, value in find_references(message)
        if key or kind != CARD
    ]
    found += [(kind, message.fields[kind]) for kind in _TYPED_FIELDS if message.fields.get(kind)]
    folded = _fold(message)
    for product, names in desk.products.items():
        if any(_shows(name, folded) for name in names):
            found.append((PRODUCT, product))
    found += find_named(message, desk.search)
    usable = [(kind, value) for kind, value in found if 0 < len(value) <= _LONGEST_VALUE]
    return tuple(dict.fromkeys(usable))[:MOST_ENTITIES]


def needs_triage(case: Case, message: Message, desk: Desk) -> bool:
    """Not triaged yet; or a call, which says nothing when it begins, and *message* tells what it
    is about, before anybody has dealt with it.
    """
    if not case.category:
        return True
    is_untold = case.state is CaseState.NEW and case.category == desk.fallback.category
    is_addition = message.fields.get("remark") == Remark.ADDITION
    return is_untold and is_addition and bool(triage_message(message, desk).signs)


def _fold(message: Message) -> str:
    """The text to look for signs in: mailers break lines in the middle of a phrase."""
    return "\n".join(" ".join(p.casefold().split()) for p in (message.subject, message.body))


def _shows(sign: str, folded_text: str) -> bool:
    """Latin words match whole, so that "card" is not found in "discard"; Chinese has no spaces."""
    folded = sign.casefold()
    if not folded.isascii():
        return folded in folded_text
    return re.search(rf"(?<![a-z0-9]){re.escape(folded)}(?![a-z0-9])", folded_text) is not None
