"""Signed tokens: the only thing, besides a proven address, that lets a message join a case.

Each token names its purpose inside the MAC, so that none can be used as another. The first key
signs; any key of the list is accepted, so that keys can be rotated.
"""

import hmac
import re
from base64 import b32decode, b32encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256

from caseweave.domain.message import MailTrace
from caseweave.domain.ulid import ulid_bytes, ulid_from_bytes

_MAC_BYTES = 12
_REPLY_MAC_BYTES = 10
_REPLY_TOKEN_LENGTH = 42
# The ids of our mails: the token of the answer and the message's own id (`ses.compose_mail`).
_TRACE = re.compile(r"(?<![a-z2-7])([a-z2-7]{42})\.([0-9a-z]{26})@", re.IGNORECASE)
_MOST_TRACES = 5


def issue_link_token(customer_id: str, expires_at: datetime, keys: Sequence[bytes]) -> str:
    """A token that links one messenger account to *customer_id*.

    43 characters of `A-Za-z0-9_-`: Telegram allows 64 in a deep link.
    https://core.telegram.org/bots/features#deep-linking
    """
    return _seal(b"link", ulid_bytes(customer_id), expires_at, keys)


def read_link_token(token: str, keys: Sequence[bytes], now: datetime) -> str | None:
    """The customer a link token is for; None when it is forged or too old."""
    packed = _unseal(b"link", token, keys, now)
    return None if packed is None or len(packed) != 16 else ulid_from_bytes(packed)


def issue_session_token(case_id: str, expires_at: datetime, keys: Sequence[bytes]) -> str:
    """A token by which the customer's own page reads the answers to what it sent."""
    return _seal(b"session", ulid_bytes(case_id), expires_at, keys)


def read_session_token(token: str, keys: Sequence[bytes], now: datetime) -> str | None:
    """The case a session token is for; None when it is forged or too old."""
    packed = _unseal(b"session", token, keys, now)
    return None if packed is None or len(packed) != 16 else ulid_from_bytes(packed)


def issue_file_token(digest: str, name: str, expires_at: datetime, keys: Sequence[bytes]) -> str:
    """A token by which whoever has the link fetches the file of this SHA-256 under this name."""
    return _seal(b"file", bytes.fromhex(digest) + _name_digest(name), expires_at, keys)


def read_file_token(token: str, name: str, keys: Sequence[bytes], now: datetime) -> str | None:
    """The SHA-256 a file token is for; None when it is forged, too old, or for another name."""
    packed = _unseal(b"file", token, keys, now)
    if packed is None or packed[32:] != _name_digest(name):
        return None
    return packed[:32].hex()


def issue_reply_token(case_id: str, address: str, keys: Sequence[bytes]) -> str:
    """The token in a mail's reply address: lower-case base 32, bound to case and recipient.

    Mail systems may change the case of a local part, hence base 32; with `support+` in front it
    stays below the 64 characters of RFC 5321.
    """
    packed = ulid_bytes(case_id)
    return _encode_reply(packed + _reply_mac(keys[0], packed, address))


def read_reply_token(token: str, address: str, keys: Sequence[bytes]) -> str | None:
    """The case a reply token names, if it was issued to *address*."""
    if len(token) != _REPLY_TOKEN_LENGTH:
        return None
    try:
        sealed = b32decode(token.upper() + "=" * (-len(token) % 8))
    except ValueError:
        return None
    packed, mac = sealed[:16], sealed[16:]
    if _encode_reply(sealed) != token.lower() or not any(
        hmac.compare_digest(mac, _reply_mac(key, packed, address)) for key in keys
    ):
        return None
    return ulid_from_bytes(packed)


def _name_digest(name: str) -> bytes:
    return sha256(name.encode(errors="surrogatepass")).digest()[:_MAC_BYTES]


def name_replied_case(token: str) -> str | None:
    """The case that a reply token names; whether it is genuine is not looked at."""
    if len(token) != _REPLY_TOKEN_LENGTH:
        return None
    try:
        return ulid_from_bytes(b32decode(token.upper() + "=" * (-len(token) % 8))[:16])
    except ValueError:
        return None


def find_traces(text: str) -> tuple[MailTrace, ...]:
    """The ids of our mails in *text*, at most five, whose tokens nobody has checked yet."""
    found = (MailTrace(one[1].lower(), one[2].upper()) for one in _TRACE.finditer(text))
    return tuple(dict.fromkeys(found))[:_MOST_TRACES]


def _encode_reply(sealed: bytes) -> str:
    return b32encode(sealed).decode().rstrip("=").lower()


def _reply_mac(key: bytes, packed: bytes, address: str) -> bytes:
    # What a mail's header says may not even be Unicode.
    return _mac(key, b"reply", packed, address.encode(errors="surrogatepass"))[:_REPLY_MAC_BYTES]


def _seal(purpose: bytes, payload: bytes, expires_at: datetime, keys: Sequence[bytes]) -> str:
    packed = int(expires_at.timestamp()).to_bytes(4) + payload
    return _encode(packed + _mac(keys[0], purpose, packed))


def _unseal(purpose: bytes, token: str, keys: Sequence[bytes], now: datetime) -> bytes | None:
    try:
        sealed = urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4))
    except ValueError:
        return None
    # Decoding forgives spare bits and foreign characters; one spelling only, since a used link
    # token is remembered by its text.
    if _encode(sealed) != token:
        return None
    packed, mac = sealed[:-_MAC_BYTES], sealed[-_MAC_BYTES:]
    if not any(hmac.compare_digest(mac, _mac(key, purpose, packed)) for key in keys):
        return None
    expires_at = datetime.fromtimestamp(int.from_bytes(packed[:4]), UTC)
    return packed[4:] if now < expires_at else None


def _encode(sealed: bytes) -> str:
    return urlsafe_b64encode(sealed).decode().rstrip("=")


def _mac(key: bytes, purpose: bytes, *parts: bytes) -> bytes:
    message = b"\x00".join([purpose, *(len(part).to_bytes(4) + part for part in parts)])
    return hmac.digest(key, message, sha256)[:_MAC_BYTES]
