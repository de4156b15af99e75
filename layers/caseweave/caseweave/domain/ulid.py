"""ULIDs: 48 bits of time, 80 bits of entropy, 26 characters that sort by time.

Ids of what an inbound event creates take their entropy from the event's own identity, so that a
replay of the ledger into an empty table makes the same records again.
https://github.com/ulid/spec
"""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ENTROPY_BYTES = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def make_ulid(at: datetime, entropy: bytes) -> str:
    """The ULID of a moment and ten bytes."""
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"a ULID takes {ENTROPY_BYTES} bytes of entropy, got {len(entropy)}")
    # Whole numbers: a float of seconds is now and then a millisecond short.
    milliseconds = (at - _EPOCH) // timedelta(milliseconds=1)
    return encode_base32((milliseconds << 80) | int.from_bytes(entropy), 26)


def earliest_ulid(at: datetime) -> str:
    """The ULID that sorts before every other one of that moment or later."""
    return make_ulid(at, bytes(ENTROPY_BYTES))


def derive_ulid(at: datetime, *seed: str) -> str:
    """The ULID whose entropy is the digest of *seed*: the same event makes the same id."""
    return make_ulid(at, sha256("\x1f".join(seed).encode()).digest()[:ENTROPY_BYTES])


def ulid_time(ulid: str) -> datetime:
    """The moment that a ULID was made for."""
    return _EPOCH + timedelta(milliseconds=int.from_bytes(ulid_bytes(ulid)[:6]))


def ulid_bytes(ulid: str) -> bytes:
    """The 16 bytes of a ULID, for packing it into a token."""
    number = 0
    for character in ulid:
        number = number * 32 + ALPHABET.index(character)
    return number.to_bytes(16)


def ulid_from_bytes(packed: bytes) -> str:
    return encode_base32(int.from_bytes(packed), 26)


def encode_base32(number: int, length: int) -> str:
    """*number* in Crockford's base 32, *length* digits, most significant first."""
    digits = [ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(length))]
    return "".join(digits)
