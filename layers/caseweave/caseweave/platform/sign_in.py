"""Signed-in customers: the business's JWT, checked against its published keys.

The signature is checked with PyCryptodome, everything else by PyJWT: PyJWT's own RS256 needs a
package that is larger than all our other dependencies together (docs/decisions.md).
"""

import json
import math
import time
import urllib.request
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

import jwt
from Crypto.Hash import SHA256
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15

from caseweave.errors import InvalidSignatureError, UnavailableError

_ALGORITHM = "RS256"
_KEPT_SECONDS = 300
# A token with an unknown key id makes us look again, but not more often than this.
_PATIENCE_SECONDS = 10
_LEEWAY_SECONDS = 30


@dataclass(slots=True)
class KeySet:
    """The platform's published keys (RFC 7517), fetched when needed and kept for a while."""

    url: str
    keys: dict[str, RSA.RsaKey] = field(default_factory=dict)
    fetched_at: float = -math.inf

    def find(self, key_id: str) -> RSA.RsaKey:
        """Raises InvalidSignatureError for an unknown key, UnavailableError if none can be had."""
        age = time.monotonic() - self.fetched_at
        if age > _KEPT_SECONDS or (key_id not in self.keys and age > _PATIENCE_SECONDS):
            self._fetch()
        if key_id not in self.keys:
            raise InvalidSignatureError("the platform's JWT")
        return self.keys[key_id]

    def _fetch(self) -> None:
        try:
            with urllib.request.urlopen(self.url, timeout=3) as answer:  # noqa: S310 - a setting
                published = json.load(answer)["keys"]
            self.keys = {
                str(key.get("kid", "")): RSA.construct((_number(key["n"]), _number(key["e"])))
                for key in published
                if key.get("kty") == "RSA"
            }
        except (
            *(OSError, HTTPException),
            *(ValueError, KeyError, TypeError, AttributeError, RecursionError),
        ) as error:
            raise UnavailableError(f"the platform's keys cannot be read: {error}") from error
        self.fetched_at = time.monotonic()


def verify_sign_in(token: str, keys: KeySet, issuer: str, audience: str) -> dict[str, Any]:
    """The claims of a genuine, current token meant for us. Raises InvalidSignatureError."""
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") != _ALGORITHM:
            raise InvalidSignatureError("the platform's JWT")
        signed, _, signature = token.rpartition(".")
        digest = SHA256.new(signed.encode())
        key = keys.find(str(header.get("kid", "")))
        pkcs1_15.new(key).verify(digest, urlsafe_b64decode(signature + "=" * (-len(signature) % 4)))
        claims: dict[str, Any] = jwt.decode(
            token,
            options={
                # Done above.
                "verify_signature": False,
                "verify_exp": True,
                "verify_nbf": True,
                "verify_iat": True,
                "verify_aud": True,
                "verify_iss": True,
                "require": ["exp", "sub"],
            },
            audience=audience,
            issuer=issuer,
            leeway=_LEEWAY_SECONDS,
        )
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise InvalidSignatureError("the platform's JWT") from error
    return claims


def _number(encoded: str) -> int:
    return int.from_bytes(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
