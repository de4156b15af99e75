"""The hash chain of a case: each event carries the digest of all before it (promise P9)."""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

GENESIS = "0" * 64
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical_json(value: Mapping[str, Any]) -> bytes:
    """One byte string for one value: sorted keys, no spaces, UTF-8."""
    return _ENCODER.encode(value).encode()


def chain_digest(previous: str, record: Mapping[str, Any]) -> str:
    """The digest that links *record* to the *previous* digest (hexadecimal)."""
    return sha256(previous.encode() + b"\n" + canonical_json(record)).hexdigest()


def content_digest(content: Mapping[str, Any]) -> str:
    return sha256(canonical_json(content)).hexdigest()


def find_broken_link(links: Iterable[tuple[str, str, Mapping[str, Any]]]) -> int | None:
    """The position of the first (previous, digest, record) that does not hold; None if all do."""
    expected = GENESIS
    for position, (previous, digest, record) in enumerate(links):
        if previous != expected or chain_digest(previous, record) != digest:
            return position
        expected = digest
    return None
