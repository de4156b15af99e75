"""How Vonage signs: a JWT (Messages API), or a `sig` among the fields (SMS API).

https://developer.vonage.com/en/getting-started/concepts/webhooks#decoding-signed-webhooks
https://developer.vonage.com/en/getting-started/concepts/signing-messages
"""

import hashlib
import hmac
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest, read_form, read_json_object
from caseweave.errors import InvalidSignatureError, UnparseableError

# How old a JWT may be. Vonage repeats for 24 hours, and does not say that it signs anew. A replay
# inside that time is the same body (its digest is signed), and the ledger knows it.
OLDEST_SECONDS = 25 * 3600
_SKEW_SECONDS = 300
_HMACS = {
    "md5": hashlib.md5,
    "sha1": hashlib.sha1,
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
}
_METHODS = ("md5hash", *_HMACS)
_BEARER = "bearer "
# PyJWT is lenient about padding; there is to be one spelling of a token.
_HS256_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}")


def verify_signature(provider: str, request: WebhookRequest, credentials: Credentials) -> None:
    """Check whichever of the two is there with every live `signature_secret`.

    Raises InvalidSignatureError.
    """
    secrets = credentials.live("signature_secret")
    given = request.headers.get("authorization", "")
    if given[: len(_BEARER)].lower() == _BEARER:
        token = given[len(_BEARER) :]
        # All are tried, so that the time does not tell which one was near.
        matches = [_is_signed_by_jwt(token, secret, request.body) for secret in secrets]
    else:
        is_told = credentials.values.get("signature_method")
        allowed = credentials.live("signature_method") if is_told else _METHODS
        matches = _match_sig(request, secrets, [name for name in _METHODS if name in allowed])
    if not any(matches):
        raise InvalidSignatureError(provider)


def _is_signed_by_jwt(token: str, secret: str, body: bytes) -> bool:
    """A fresh token of theirs for this very body. No token signs a query: without a body, no."""
    if not body.strip() or not _HS256_JWT.fullmatch(token):
        return False
    # Only here: every SMS function would load it at its cold start, Vonage's or not.
    import jwt  # noqa: PLC0415

    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            options={"require": ["iat", "payload_hash"], "verify_aud": False},
            leeway=_SKEW_SECONDS,
        )
        # PyJWT refuses an `iat` in the future and an `exp` in the past; Vonage sends no `exp`.
        age = time.time() - float(claims["iat"])
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        return False
    told = str(claims["payload_hash"]).lower().encode("utf-8", "replace")
    is_same = hmac.compare_digest(hashlib.sha256(body).hexdigest().encode(), told)
    return is_same and age <= OLDEST_SECONDS


def _match_sig(
    request: WebhookRequest, secrets: Sequence[str], methods: Sequence[str]
) -> list[bool]:
    try:
        fields = dict(read_fields(request))
        given = _as_text(fields.pop("sig", "")).lower().encode("utf-8", "replace")
        signed = _signed_text(fields)
    except UnparseableError:
        return []
    return [
        hmac.compare_digest(_sign(method, secret.encode(), signed).encode(), given)
        for secret in secrets
        for method in methods
    ]


def _signed_text(fields: Mapping[str, Any]) -> bytes:
    parts = []
    for name in sorted(fields):
        if "&" in name or "=" in name:
            # Else two fields could be passed off as one whose name contains a value.
            raise UnparseableError("a name that would blur what is signed")
        value = _as_text(fields[name]).replace("&", "_").replace("=", "_")
        parts.append(f"&{name}={value}")
    return "".join(parts).encode()


def _as_text(value: object) -> str:
    """As it stands in a form: the SMS API sends texts, and numbers in some receipts."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise UnparseableError("a value that is no text")


def _sign(method: str, secret: bytes, signed: bytes) -> str:
    if method == "md5hash":
        # Vonage's oldest method and not ours to choose; ops may rule it out.
        return hashlib.md5(signed + secret).hexdigest()  # noqa: S324
    return hmac.digest(secret, signed, _HMACS[method]).hex()


def read_fields(request: WebhookRequest) -> Mapping[str, Any]:
    """What was sent: a JSON object, a form, or the query of a GET. Raises UnparseableError.

    A body hides the query, so that what is verified is what is parsed.
    """
    if not request.body.strip():
        fields: dict[str, str] = {}
        for name, value in request.query:
            fields.setdefault(_clean(name), _clean(value))
        return fields
    if request.body.lstrip().startswith(b"{"):
        return read_json_object(request.body)
    return read_form(request.body)


def _clean(text: str) -> str:
    """Without halves of surrogate pairs, which nobody can store."""
    return text.encode("utf-8", "replace").decode()
