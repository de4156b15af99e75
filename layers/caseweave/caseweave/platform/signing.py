"""Proving to the platform that a request is ours: Standard Webhooks, symmetric (`v1`).

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from caseweave.errors import MissingSecretError

_PREFIX = "whsec_"
# What the specification allows, in bytes.
_SHORTEST, _LONGEST = 24, 64


def sign(keys: Sequence[bytes], message_id: str, at: datetime, content: bytes) -> dict[str, str]:
    """The three headers that vouch for *content*, signed with every live key, the newest first:
    so the platform may know the old one, the new one or both.
    """
    stamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), stamp.encode(), content))
    digests = [hmac.digest(key, signed, sha256) for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{b64encode(digest).decode()}" for digest in digests),
    }


def signed_content(method: str, target: str, body: bytes = b"") -> bytes:
    """What is signed: the body or, where there is none, `GET /accounts/u-1001/orders?limit=5`.

    *target* is the path with its query as the request's first line has it.
    """
    return body or f"{method} {target}".encode()


def read_secret(secret: str) -> bytes:
    """The key in `whsec_…`. Raises MissingSecretError for what is none."""
    try:
        key = b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith(_PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
        raise MissingSecretError(
            f"the platform's secret is not {_PREFIX} and {_SHORTEST} to {_LONGEST} bytes in base64"
        )
    return key
