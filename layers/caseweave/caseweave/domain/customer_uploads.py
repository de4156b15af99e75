"""Uploads: a file waits under a signed name until a message claims it.

The token is all that there is of an upload beside its bytes: nothing is stored for a file that is
never claimed.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256

UPLOADS_FOLDER = "uploads"
_MAC_BYTES = 16


@dataclass(frozen=True, slots=True)
class Upload:
    """`owner` is whose message may claim it: `user:<sub>`, `case:<id>`, or "" for whoever has the
    token. `digest` is the SHA-256 that the client told, "" for none; `form` and `field` are what
    it was checked for.
    """

    id: str
    name: str
    media_type: str
    size: int
    owner: str
    form: str
    field: str
    digest: str = ""


def upload_key(upload_id: str) -> str:
    return f"{UPLOADS_FOLDER}/{upload_id}"


def issue_upload_token(upload: Upload, expires_at: datetime, keys: Sequence[bytes]) -> str:
    said = {**asdict(upload), "until": int(expires_at.timestamp())}
    payload = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return f"{_encode(payload)}.{_encode(_mac(keys[0], payload))}"


def read_upload_token(token: str, keys: Sequence[bytes], now: datetime) -> Upload | None:
    """The upload that a token names; None when it is forged or too old."""
    packed, _, mac = token.partition(".")
    payload, given = _decode(packed), _decode(mac)
    if not any(hmac.compare_digest(given, _mac(key, payload)) for key in keys):
        return None
    said = json.loads(payload)
    until = said.pop("until")
    return Upload(**said) if now.timestamp() < until else None


def _mac(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, b"upload\x00" + payload, sha256)[:_MAC_BYTES]


def _encode(packed: bytes) -> str:
    return urlsafe_b64encode(packed).decode().rstrip("=")


def _decode(text: str) -> bytes:
    """The bytes; none for what is no base64."""
    try:
        return urlsafe_b64decode(text.encode("utf-8", "replace") + b"=" * (-len(text) % 4))
    except ValueError:
        return b""
