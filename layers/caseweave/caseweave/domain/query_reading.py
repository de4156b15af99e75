"""What somebody types into the search: which kind of thing is it?"""

from dataclasses import dataclass
from unicodedata import normalize

from caseweave.domain.desk import Desk
from caseweave.domain.entities import CARD, ORDER, find_cards, find_order_numbers
from caseweave.domain.mentions import (
    AMOUNT,
    EMAIL,
    ERROR_CODE,
    NAME,
    PHONE,
    PRODUCT,
    REFERENCE,
    find_in_text,
    find_names,
)
from caseweave.domain.reference import parse_reference
from caseweave.errors import InvalidRequestError

TEXT, PLATFORM = "text", "platform"
SEARCH_KINDS = (
    *(REFERENCE, ORDER, CARD, PHONE, EMAIL, PLATFORM, AMOUNT, ERROR_CODE, PRODUCT, NAME, TEXT),
)
LONGEST_QUERY = 200
# More than a person looks for at once.
_MOST_LOOKUPS = 6
_EXAMPLES = {
    REFERENCE: "C-7K3F-9Q2M",
    CARD: "a card number of 13 to 19 digits, or a code such as AB12-CD34-EF56",
    PHONE: "+8613800138000",
    EMAIL: "ling@shop.example",
    AMOUNT: "100元, ¥99.50 or USD 9.99",
    PRODUCT: "a product of playbooks.yaml",
    NAME: "a name",
}


@dataclass(frozen=True, slots=True)
class Lookup:
    """One thing to look up. Of a card, `value` is the card itself: never to be shown or kept."""

    kind: str
    value: str


def read_query(query: str, kind: str, desk: Desk) -> tuple[Lookup, ...]:
    """What to look up for *query*, as *kind* if one is named; nothing for what is plain text.

    Raises InvalidRequestError with what to write instead.
    """
    text = normalize("NFKC", query).strip()
    if not text or len(query) > LONGEST_QUERY:
        advice = f"write 1 to {LONGEST_QUERY} characters"
        raise InvalidRequestError("There is nothing to look for.", (("q", advice),))
    if kind and kind not in SEARCH_KINDS:
        advice = f"use one of: {', '.join(SEARCH_KINDS)}"
        raise InvalidRequestError("There is no such kind.", (("kind", advice),))
    if kind == TEXT:
        return ()
    found = _read(text, desk) if not kind else [one for one in _read(text, desk) if one[0] == kind]
    if not found and kind:
        found = _take_as(text, kind)
    elif not found:
        found = [(NAME, name) for name in find_names(text)[:1]]
    return tuple(Lookup(*one) for one in dict.fromkeys(found))[:_MOST_LOOKUPS]


def _read(text: str, desk: Desk) -> list[tuple[str, str]]:
    """All that is found in the query the way it would be found in a message."""
    whole = parse_reference(text)
    found = [(REFERENCE, whole)] if whole else []
    found += [(ORDER, number) for number in find_order_numbers(text.upper())]
    found += [(CARD, card) for card in find_cards(text.upper())]
    found += find_in_text(text, desk.search)
    folded = text.casefold()
    found += [
        (PRODUCT, product)
        for product, names in desk.products.items()
        if folded in (product.casefold(), *(name.casefold() for name in names))
    ]
    return found


def _take_as(text: str, kind: str) -> list[tuple[str, str]]:
    """The text as what the caller says it is. Raises InvalidRequestError."""
    if kind in (ORDER, ERROR_CODE):
        return [(kind, text.upper())]
    if kind == PLATFORM:
        return [(kind, text)]
    if kind == NAME and find_names(text):
        return [(kind, find_names(text)[0])]
    raise InvalidRequestError(f"That is no {kind}.", (("q", f"write {_EXAMPLES[kind]}"),))
