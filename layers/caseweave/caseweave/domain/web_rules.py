"""How much a customer's page may ask, and where its answers go on when the customer has left."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network

from caseweave.domain.forms import MESSAGE, Field, FieldKind, FileRule, Form
from caseweave.domain.language import CHINESE, ENGLISH
from caseweave.domain.message import Channel

# The name of the chat where forms are named, and its field of files.
CHAT = "chat"
FILES = "attachments"
LONGEST_CHAT_MESSAGE = 20_000
_TITLE = {CHINESE: "在线客服", ENGLISH: "Live chat"}


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many in each window of time."""

    most: int
    within: timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """`anonymous` is for each form and client address, `signed_in` for each form and user,
    `session` for the messages of each chat session, `uploads` for the files of each client.
    """

    anonymous: Limit
    signed_in: Limit
    session: Limit
    uploads: Limit


@dataclass(frozen=True, slots=True)
class Continuing:
    """After how long an answer that the page did not fetch leaves by which other channel.

    `sms_provider` sends to a phone that is proven but never wrote to us.
    """

    after: timedelta
    by: tuple[Channel, ...]
    sms_provider: str


@dataclass(frozen=True, slots=True)
class WebRules:
    limits: Limits
    continuing: Continuing
    chat_files: FileRule


def chat_form(rules: WebRules) -> Form:
    """What a chat message may hold: a text, files, or both."""
    return Form(
        CHAT,
        _TITLE,
        _TITLE,
        (
            Field(MESSAGE, FieldKind.LONG_TEXT, _TITLE, longest=LONGEST_CHAT_MESSAGE),
            Field(FILES, FieldKind.FILE, _TITLE, files=rules.chat_files),
        ),
    )


def name_client(address: str, key: bytes) -> str:
    """What a client address is counted under: whoever has an IPv6 address has a /64 of them.

    Keyed, so that the store does not hold addresses.
    """
    return hmac.digest(key, f"client {_network(address)}".encode(), sha256).hex()[:32]


def find_window(limit: Limit, now: datetime) -> tuple[int, timedelta]:
    """The start of the window that *now* is in (seconds since 1970), and how long it lasts yet."""
    seconds = int(limit.within.total_seconds())
    passed = now.timestamp() % seconds
    return int(now.timestamp() - passed), timedelta(seconds=seconds - passed)


def _network(address: str) -> str:
    try:
        parsed = ip_address(address.strip())
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped or ip_network((int(parsed), 64), strict=False))
    return str(parsed)
