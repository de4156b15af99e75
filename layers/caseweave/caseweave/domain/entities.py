"""What a message is about: order numbers and cards, found in its text and its fields."""

import hmac
import re
from collections.abc import Iterable
from hashlib import sha256

from caseweave.domain.message import InboundMessage, Message

ORDER, CARD = "order_no", "card"
# More than a person asks about at once; a pasted list names everything and so nothing.
MOST_REFERENCES = 20
_LONGEST_READ = 50_000
_DIGEST_LENGTH = 16

# What customers type when they quote an order: a letter prefix, a date or digits, parts by dashes.
# ASCII, so that Chinese around a number ends it too.
_ORDER_NUMBER = re.compile(r"\b[A-Z]{1,4}\d{6,}(?:-\d{2,})*\b", re.ASCII)
# The numbers of payment cards (13 to 19 digits), in one piece or in groups.
_CARD_NUMBER = re.compile(r"(?<![\d-])\d{4}(?:[ -]?\d{4}){2}(?:[ -]?\d{1,7})(?![\d-])", re.ASCII)
# The codes of prepaid cards: groups of letters and digits.
_CARD_CODE = re.compile(r"(?<![\w-])[A-Z0-9]{4,5}(?:-[A-Z0-9]{4,5}){2,5}(?![\w-])", re.ASCII)


def find_order_numbers(text: str) -> list[str]:
    return _ORDER_NUMBER.findall(text)


def find_references(message: InboundMessage | Message) -> tuple[tuple[str, str], ...]:
    """The (kind, value) of each single thing that a message is about: an order, a card.

    What it merely quotes does not count, nor what stands behind a very long text. A card is a
    secret: only its digest may be stored.
    """
    text = f"{message.subject}\n{message.body[:_LONGEST_READ]}"
    orders = find_order_numbers(text)
    if message.fields.get(ORDER):
        orders.append(message.fields[ORDER].strip())
    found = [(ORDER, order) for order in orders]
    found += [(CARD, card) for card in find_cards(text)]
    return tuple(dict.fromkeys(found))[:MOST_REFERENCES]


def find_cards(text: str) -> list[str]:
    """Numbers and codes of cards, in one piece each."""
    cards = _CARD_CODE.findall(text) + [n for n in _CARD_NUMBER.findall(text) if _checks(n)]
    return [re.sub(r"[ -]", "", card) for card in cards if any(map(str.isdigit, card))]


def hide_cards(text: str) -> str:
    """The text without the numbers and codes of cards: what is kept of these is a digest."""
    return _CARD_CODE.sub(" ", _CARD_NUMBER.sub(" ", text))


def digest_references(references: Iterable[tuple[str, str]], key: bytes) -> tuple[str, ...]:
    """What stands for each of them in a record: a keyed digest, by which nobody can try cards."""
    return tuple(digest_reference(kind, value, key) for kind, value in references)


def digest_reference(kind: str, value: str, key: bytes) -> str:
    named = f"entity\0{kind}\0{value.upper()}".encode(errors="surrogatepass")
    return hmac.digest(key, named, sha256).hex()[:_DIGEST_LENGTH]


def _checks(number: str) -> bool:
    """Does the check digit fit? https://en.wikipedia.org/wiki/Luhn_algorithm"""
    digits = [int(digit) for digit in number if digit.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
