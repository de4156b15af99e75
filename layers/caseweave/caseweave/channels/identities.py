"""Addresses as identities: all spellings of one mailbox or one number are one address.

What is written stays beside it where an answer is sent: an identity is for telling who it is.

https://github.com/daviddrysdale/python-phonenumbers (E.164)
https://www.unicode.org/reports/tr46/ (domains)
https://support.google.com/mail/answer/7436150 (dots, googlemail.com)
https://support.google.com/mail/answer/22370 (+tags)
https://support.microsoft.com/office/a459e1cb-7c55-4c51-a3a8-6d3a1ccf4a2e (Outlook.com: +tags)
QQ mail and 163 document no second spelling of a mailbox: there each is its own.
"""

import re
from functools import lru_cache

from caseweave.domain.identity import normalise_email, normalise_phone

# Each with the domain under which the mailbox is known.
_GMAIL = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}
# Where what follows a plus sign is the owner's own label.
_TAGGED = frozenset({"gmail.com", "outlook.com", "hotmail.com", "live.com", "msn.com"})
_EXTENSION = re.compile(r"(?:;|,|#|ext|x|\u8f6c|\u5206\u673a).*", re.IGNORECASE | re.DOTALL)
# E.164 allows 15 digits.
_LONGEST_NUMBER = 16


@lru_cache(maxsize=1024)
def identify_email(written: str) -> str:
    """The mailbox: lower case, its domain in ASCII, without what its provider ignores.

    What is no mail address comes back in lower case, as it is.
    """
    local, at, domain = normalise_email(written).rpartition("@")
    if not at:
        return domain
    domain = _identify_domain(domain)
    domain = _GMAIL.get(domain, domain)
    mailbox = local.partition("+")[0] if domain in _TAGGED else local
    if domain in _GMAIL:
        mailbox = mailbox.replace(".", "")
    return f"{mailbox or local}@{domain}"


def _identify_domain(domain: str) -> str:
    """Its A-labels (`xn--…`), in which both ways to write it are one; as it is where it has none.

    A final dot, which says that the name is whole, is left out.
    """
    if domain.isascii() and "xn--" not in domain:
        return domain.removesuffix(".") or domain
    import idna  # noqa: PLC0415 - its tables are large, and most domains are ASCII

    try:
        return idna.encode(domain, uts46=True).decode().removesuffix(".")
    except (idna.IDNAError, UnicodeError):
        return domain


@lru_cache(maxsize=1024)
def identify_phone(written: str) -> str:
    """The number in E.164, without an extension. One that has no country code stays a row of
    digits: guessing one would make it somebody else's number.
    """
    bare = written.strip().removeprefix("tel:")
    number = normalise_phone(_EXTENSION.sub("", bare))
    if not number.startswith("+") or len(number) > _LONGEST_NUMBER:
        return number
    # Read at the first number only: its tables cost some 30 ms.
    from phonenumbers import (  # noqa: PLC0415
        NumberParseException,
        PhoneNumberFormat,
        format_number,
        is_possible_number,
        parse,
    )

    try:
        parsed = parse(number)
    except NumberParseException:
        return number
    return (
        str(format_number(parsed, PhoneNumberFormat.E164)) if is_possible_number(parsed) else number
    )
