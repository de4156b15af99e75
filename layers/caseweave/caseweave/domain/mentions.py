"""What else a message names, for who searches: amounts, phones, mail addresses, codes, names."""

import re
from collections.abc import Iterator
from unicodedata import normalize

from caseweave.domain.amounts import find_amounts
from caseweave.domain.entities import ORDER
from caseweave.domain.identity import normalise_email
from caseweave.domain.message import Message
from caseweave.domain.outbound import find_mail_address
from caseweave.domain.reference import parse_reference
from caseweave.domain.search_rules import SearchRules

AMOUNT, PHONE, EMAIL, ERROR_CODE = "amount", "phone", "email", "error_code"
REFERENCE, NAME, PRODUCT = "reference", "name", "product"
# Each is a record of its own, beside what else a message writes.
MOST_ENTITIES = 24
# What is looked through; the names of things stand at the beginning.
_LONGEST_TEXT = 20_000
_LONGEST_NAME = 200
_PHONE = re.compile(r"(?<![\d+])\+\d(?:[ -]?\d){6,14}(?!\d)", re.ASCII)
_EMAIL = re.compile(r"[a-z0-9_.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,5}", re.IGNORECASE)
_ERROR_CODE = re.compile(
    r"(?:错误(?:代码|编号|码)|error[ _-]?code|errcode) ?[:#=为是]? ?([a-z0-9][a-z0-9_.-]{0,19})",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"\bC-[0-9A-Z]{4}-[0-9A-Z]{4}\b", re.ASCII | re.IGNORECASE)


def find_named(message: Message, rules: SearchRules) -> Iterator[tuple[str, str]]:
    """The (kind, value) of everything else in a message that can be looked up."""
    yield from find_in_text(f"{message.subject}\n{message.body}", rules)
    yield from ((PHONE, phone) for phone in find_phones(message.fields.get(PHONE, ""), rules))
    if message.fields.get(EMAIL):
        yield EMAIL, normalise_email(message.fields[EMAIL])
    # An address that proves to be somebody's is found as theirs; what a mail merely says, here.
    if not message.proof.holds and (claimed := find_mail_address(message.contact)):
        yield EMAIL, normalise_email(claimed)


def find_in_text(text: str, rules: SearchRules) -> Iterator[tuple[str, str]]:
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
    yield from ((AMOUNT, amount) for amount in find_amounts(text))
    yield from ((PHONE, phone) for phone in find_phones(text, rules))
    yield from ((EMAIL, normalise_email(found)) for found in _EMAIL.findall(text))


def find_phones(text: str, rules: SearchRules) -> Iterator[str]:
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
