"""Is a request of the support desk's: Standard Webhooks, as the contract says.

Written on its own and not taken from the desk: it is what a business would write.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence

TOLERANCE_SECONDS = 5 * 60


def is_signed(
    secrets: Sequence[str],
    method: str,
    target: str,
    headers: Mapping[str, str],
    now: float | None = None,
) -> bool:
    """Whether one of *secrets* signed `METHOD target`, in these five minutes."""
    message_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not stamp.isascii() or not stamp.isdecimal() or len(stamp) > 12:
        return False
    if abs((time.time() if now is None else now) - int(stamp)) > TOLERANCE_SECONDS:
        return False
    content = f"{message_id}.{stamp}.{method} {target}".encode()
    given = headers.get("webhook-signature", "").split(" ")
    good = [_sign(secret, content) for secret in secrets]
    # All are compared, so that the time does not tell which one was near.
    matches = [hmac.compare_digest(one.encode(), other) for one in given for other in good]
    return any(matches)


def _sign(secret: str, content: bytes) -> bytes:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return b"v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256))
