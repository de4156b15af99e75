"""What a mail's headers say of it: who is answered, whether at all, and in which thread.

https://www.rfc-editor.org/rfc/rfc3834
"""

import re
from email.utils import getaddresses

from caseweave.channels.mail_reading import Mail
from caseweave.domain.identity import normalise_email

_TOKEN_ADDRESS = re.compile(r"\+([a-z2-7]{42})@", re.IGNORECASE)
_TOKEN_REFERENCE = re.compile(r"<([a-z2-7]{42})\.", re.IGNORECASE)
# Longer or stranger ids than this are not worth risking a broken header for.
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,120}>")
_BULK = {"bulk", "junk", "list", "auto_reply"}
_SUPPRESSED = {"all", "autoreply"}
_LONGEST_ADDRESS = 254
_MOST_REFERENCES = 5


def is_automatic(mail: Mail) -> bool:
    """Was this written or passed on by a machine? Such mail is kept, flagged, and never answered.

    RFC 3834, and what mailers do beside it.
    """
    submitted = mail.header("auto-submitted").partition(";")[0].strip().lower()
    suppressed = mail.header("x-auto-response-suppress").lower().replace(",", " ").split()
    return (
        submitted not in ("", "no")
        or mail.header("precedence").strip().lower() in _BULK
        or not _SUPPRESSED.isdisjoint(suppressed)
        or mail.header("return-path").strip() == "<>"
        or any(mail.header(name) for name in ("list-unsubscribe", "list-id", "x-loop"))
        or mail.header("content-type").lower().startswith("multipart/report")
    )


def find_reply_tokens(mail: Mail) -> tuple[str, ...]:
    """The signed tokens in the addresses and references of a mail, as yet unverified."""
    found = [match.group(1) for to in mail.recipients for match in _TOKEN_ADDRESS.finditer(to)]
    found += [m.group(1) for ref in mail.references for m in _TOKEN_REFERENCE.finditer(ref)]
    return tuple(dict.fromkeys(token.lower() for token in found))[:5]


def find_references(mail: Mail) -> tuple[str, ...]:
    """The ids that this mail answers, the nearest last."""
    return tuple(ref for ref in mail.references if is_usable_id(ref))[-_MOST_REFERENCES:]


def is_usable_id(written: str) -> bool:
    return bool(_MESSAGE_ID.fullmatch(written)) and "=?" not in written


def read_thread(mail: Mail, *, is_proven: bool) -> dict[str, str]:
    """What an answer needs to land in the customer's thread."""
    ids = [ref for ref in (*mail.references[-5:], mail.message_id) if is_usable_id(ref)]
    return {
        "address": choose_answer_address(mail, is_proven=is_proven),
        "message_id": ids[-1] if ids and ids[-1] == mail.message_id else "",
        "references": " ".join(ids),
        "subject": mail.subject[:300],
    }


def choose_answer_address(mail: Mail, *, is_proven: bool) -> str:
    """Where an answer goes: to Reply-To where From is proven, or is of the same organisation.

    Otherwise anybody could have our answer to a forged From sent to themselves.
    """
    written = normalise_email(mail.senders[0][1]) if mail.senders else ""
    wanted = _read_reply_to(mail)
    if wanted and written and (is_proven or _same_organisation(wanted, written)):
        written = wanted
    return written if len(written) <= _LONGEST_ADDRESS else ""


def _read_reply_to(mail: Mail) -> str:
    """The one address of Reply-To; "" where there is none, or several."""
    try:
        found = getaddresses([mail.header("reply-to")])
    except (RecursionError, IndexError, ValueError):
        return ""
    addresses = [normalise_email(address) for _, address in found if "@" in address]
    return addresses[0] if len(addresses) == 1 else ""


def _same_organisation(one: str, other: str) -> bool:
    """Is the domain of one address that of the other, or inside of it?"""
    domains = [address.rpartition("@")[2] for address in (one, other)]
    shorter, longer = sorted(domains, key=len)
    return "." in shorter and (longer == shorter or longer.endswith(f".{shorter}"))
