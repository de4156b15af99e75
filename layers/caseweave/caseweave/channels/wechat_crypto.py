"""How WeChat and WeCom sign and seal what they send.

https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/Technical_Plan.html
https://developer.work.weixin.qq.com/document/path/90968
"""

import binascii
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import TYPE_CHECKING

from caseweave.channels.constant_time import is_any_of
from caseweave.errors import UnparseableError

if TYPE_CHECKING:
    from Crypto.Cipher._mode_cbc import CbcMode

_BLOCK = 16
# WeChat pads to twice the cipher's block.
_LONGEST_PADDING = 32
_KEY_LENGTH = 43
# Random bytes, then the length of the message.
_HEAD = 16 + 4


@dataclass(frozen=True, slots=True)
class Opened:
    """A message that was sealed, and the id of the account that it was sealed for."""

    message: bytes
    receive_id: str


def sign(*parts: str) -> str:
    """The SHA-1 of the sorted parts, in hexadecimal; the token is one of them."""
    text = "".join(sorted(parts))
    # WeChat's own method: its secret is the token among the parts.
    return sha1(text.encode("utf-8", "replace")).hexdigest()  # noqa: S324


def is_signed(given: str, tokens: Sequence[str], *parts: str) -> bool:
    """Is *given* the signature of *parts* by any of the tokens?"""
    return is_any_of(given, (sign(token, *parts) for token in tokens))


def open_sealed(sealed: str, keys: Sequence[str]) -> Opened:
    """What *sealed* says, opened with whichever `EncodingAESKey` fits.

    The caller compares the receive id. Raises UnparseableError when no key fits.
    """
    try:
        encrypted = b64decode(sealed.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnparseableError("Encrypt is not base64") from error
    if not encrypted or len(encrypted) % _BLOCK:
        raise UnparseableError("Encrypt is no row of blocks")
    for key in keys:
        opened = _open(encrypted, _read_key(key))
        if opened is not None:
            return opened
    raise UnparseableError("no encoding_aes_key opens it")


def seal(message: bytes, receive_id: str, key: str, random: bytes) -> str:
    """As WeChat seals; *random* are 16 bytes."""
    plain = random + len(message).to_bytes(4) + message + receive_id.encode()
    padding = _LONGEST_PADDING - len(plain) % _LONGEST_PADDING
    secret = _read_key(key)
    encrypted = _cipher(secret).encrypt(plain + bytes([padding]) * padding)
    return binascii.b2a_base64(encrypted, newline=False).decode()


def _read_key(key: str) -> bytes:
    """Raises UnparseableError: what a wrong setting hides can be read once it is put right."""
    try:
        secret = b64decode(key + "=", validate=True) if len(key) == _KEY_LENGTH else b""
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != 32:
        raise UnparseableError(f"encoding_aes_key is not {_KEY_LENGTH} characters of base64")
    return secret


def _open(encrypted: bytes, secret: bytes) -> Opened | None:
    """None when *secret* was not the key."""
    plain = _cipher(secret).decrypt(encrypted)
    padding = plain[-1]
    if not 1 <= padding <= _LONGEST_PADDING or plain[-padding:] != bytes([padding]) * padding:
        return None
    end = _HEAD + int.from_bytes(plain[16:_HEAD])
    tail = plain[end : len(plain) - padding]
    if len(plain) - padding < end:
        return None
    return Opened(plain[_HEAD:end], tail.decode("utf-8", "replace"))


def _cipher(secret: bytes) -> "CbcMode":
    from Crypto.Cipher import AES  # noqa: PLC0415 - every messenger would load it at cold start

    return AES.new(secret, AES.MODE_CBC, secret[:_BLOCK])
