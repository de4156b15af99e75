"""What a message names: orders, cards, amounts, numbers, codes; found in its text and fields."""

import hmac
import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING
from unicodedata import normalize

from caseweave.domain.identity import normalise_email
from caseweave.domain.message import InboundMessage, Message
from caseweave.domain.outbound import find_mail_address
from caseweave.domain.reference import parse_reference

if TYPE_CHECKING:
    from caseweave.domain.search_rules import SearchRules

ORDER, CARD = "order_no", "card"
AMOUNT, PHONE, EMAIL, ERROR_CODE = "amount", "phone", "email", "error_code"
REFERENCE, NAME, PRODUCT = "reference", "name", "product"
KINDS = (REFERENCE, ORDER, CARD, PHONE, EMAIL, AMOUNT, ERROR_CODE, NAME, PRODUCT)
# Each is a record of its own, beside what else a message writes.
MOST_ENTITIES = 24
# What is looked through; the names of things stand at the beginning.
_LONGEST_TEXT = 20_000
_LONGEST_NAME = 200
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

_PHONE = re.compile(r"(?<![\d+])\+\d(?:[ -]?\d){6,14}(?!\d)", re.ASCII)
_EMAIL = re.compile(r"[a-z0-9_.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,5}", re.IGNORECASE)
_ERROR_CODE = re.compile(
    r"(?:错误(?:代码|编号|码)|error[ _-]?code|errcode) ?[:#=为是]? ?([a-z0-9][a-z0-9_.-]{0,19})",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"\bC-[0-9A-Z]{4}-[0-9A-Z]{4}\b", re.ASCII | re.IGNORECASE)


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


def find_named(message: Message, rules: "SearchRules") -> Iterator[tuple[str, str]]:
    """The (kind, value) of everything else in a message that can be looked up."""
    yield from find_in_text(f"{message.subject}\n{message.body}", rules)
    yield from ((PHONE, phone) for phone in find_phones(message.fields.get(PHONE, ""), rules))
    if message.fields.get(EMAIL):
        yield EMAIL, normalise_email(message.fields[EMAIL])
    # An address that proves to be somebody's is found as theirs; what a mail merely says, here.
    if not message.proof.holds and (claimed := find_mail_address(message.contact)):
        yield EMAIL, normalise_email(claimed)


def find_in_text(text: str, rules: "SearchRules") -> Iterator[tuple[str, str]]:
    """The same of a text alone: of one that is kept, and of one that is looked for."""
    text = normalize("NFKC", text[:_LONGEST_TEXT])
    for pattern in rules.order_numbers:
        yield from ((ORDER, found.upper()) for found in pattern.findall(text))
    for pattern in (_ERROR_CODE, *rules.error_codes):
        yield from ((ERROR_CODE, found.upper().rstrip(".-_")) for found in pattern.findall(text))
    for found in _REFERENCE.findall(text):
        ref = parse_reference(found)
        if ref:
            yield REFERENCE, ref
    from caseweave.domain.amounts import find_amounts  # noqa: PLC0415 - intake looks for none

    yield from ((AMOUNT, amount) for amount in find_amounts(text))
    yield from ((PHONE, phone) for phone in find_phones(text, rules))
    yield from ((EMAIL, normalise_email(found)) for found in _EMAIL.findall(text))


def find_phones(text: str, rules: "SearchRules") -> Iterator[str]:
    """In E.164: numbers with a country code, and those that look like the desk's own country's."""
    for number in _PHONE.findall(text):
        yield re.sub(r"[ -]", "", number)
    if rules.local_phone is not None:
        yield from (f"+{rules.country_code}{one}" for one in rules.local_phone.findall(text))


def find_names(name: str) -> tuple[str, ...]:
    """What a person is found by: the whole name, and each word of it."""
    folded = " ".join(normalize("NFKC", name[:_LONGEST_NAME]).casefold().split())
    words = folded.split()
    return tuple(dict.fromkeys([folded, *words]))[:5] if folded else ()


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
