"""The hash chain of a case: each event carries the digest of all before it (promise P9).

The chain itself holds nothing personal, only commitments to it: an HMAC under the seal of the
record. Without the seal nobody can guess what was committed to, and the chain still holds.
"""

import hmac
import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

GENESIS = "0" * 64
# How many random bytes a seal is made of.
SEAL_SIZE = 32
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical_json(value: Mapping[str, Any]) -> bytes:
    """One byte string for one value: sorted keys, no spaces, UTF-8."""
    return _ENCODER.encode(value).encode()


def chain_digest(previous: str, record: Mapping[str, Any]) -> str:
    """The digest that links *record* to the *previous* digest (hexadecimal)."""
    return sha256(previous.encode() + b"\n" + canonical_json(record)).hexdigest()


def commit_to(content: Mapping[str, Any], seal: str) -> str:
    """The commitment to *content* under a seal (hexadecimal); "" where the seal was destroyed."""
    if not seal:
        return ""
    return hmac.digest(bytes.fromhex(seal), canonical_json(content), "sha256").hex()


def find_broken_link(links: Iterable[tuple[str, str, Mapping[str, Any]]]) -> int | None:
    """The position of the first (previous, digest, record) that does not hold; None if all do."""
    expected = GENESIS
    for position, (previous, digest, record) in enumerate(links):
        if previous != expected or chain_digest(previous, record) != digest:
            return position
        expected = digest
    return None
