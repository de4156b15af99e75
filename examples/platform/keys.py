"""The platform's signing keys (RS256) and the JWKS that publishes them: RFC 7517."""

import base64
import hashlib
import json
from dataclasses import dataclass
from threading import Lock
from typing import Any

from Crypto.Hash import SHA256
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15

KEY_BITS = 2048


@dataclass(frozen=True, slots=True)
class SigningKey:
    private: RSA.RsaKey
    kid: str

    def public_jwk(self) -> dict[str, str]:
        public = _public_numbers(self.private)
        return {**public, "kid": self.kid, "use": "sig", "alg": "RS256"}

    def sign(self, claims: dict[str, Any]) -> str:
        """Make a JWT; by hand, because PyJWT signs RS256 only with the `cryptography` package."""
        header = {"alg": "RS256", "typ": "JWT", "kid": self.kid}
        text = ".".join(_encode(json.dumps(part).encode()) for part in (header, claims))
        signature = pkcs1_15.new(self.private).sign(SHA256.new(text.encode()))
        return f"{text}.{_encode(signature)}"


class KeyRing:
    """The newest key signs; older ones stay published while tokens signed by them are about."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._keys = [make_key()]

    def newest(self) -> SigningKey:
        with self._lock:
            return self._keys[0]

    def rotate(self) -> SigningKey:
        key = make_key()
        with self._lock:
            self._keys.insert(0, key)
        return key

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        with self._lock:
            return {"keys": [key.public_jwk() for key in self._keys]}


def make_key() -> SigningKey:
    private = RSA.generate(KEY_BITS)
    return SigningKey(private, _thumbprint(private))


def _thumbprint(key: RSA.RsaKey) -> str:
    """Name a key by its RFC 7638 thumbprint: members sorted, no spaces."""
    text = json.dumps(_public_numbers(key), sort_keys=True, separators=(",", ":"))
    return _encode(hashlib.sha256(text.encode()).digest())


def _public_numbers(key: RSA.RsaKey) -> dict[str, str]:
    return {"e": _encode_number(key.e), "kty": "RSA", "n": _encode_number(key.n)}


def _encode_number(number: int) -> str:
    return _encode(int(number).to_bytes((int(number).bit_length() + 7) // 8))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
