"""How QQ signs, and how we answer its challenge: Ed25519, with a key made from the bot's secret.

https://bot.q.qq.com/wiki/develop/api-v2/dev-prepare/interface-framework/sign.html
https://bot.q.qq.com/wiki/develop/api-v2/dev-prepare/interface-framework/event-emit.html

One key signs both ways, and the challenge is not signed by QQ: anybody can ask us to sign. What we
sign must never pass for an event. So an event is digits and a JSON object, and a challenge that we
answer is digits and letters.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from caseweave.channels.request import WebhookRequest, read_json_object
from caseweave.errors import UnparseableError

if TYPE_CHECKING:
    from Crypto.PublicKey.ECC import EccKey

CHALLENGE = 13
_SEED_LENGTH = 32
_TIME = re.compile(r"[0-9]{1,13}")
_PLAIN_TOKEN = re.compile(r"[A-Za-z0-9_+/=-]{1,200}")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class Challenge:
    """What QQ wants to have signed before it sends anything to an address."""

    plain_token: str
    event_ts: str


def read_challenge(request: WebhookRequest) -> Challenge | None:
    """None for everything that is no challenge, or one that we would not sign."""
    # Events are large and many; nothing of a challenge is.
    if len(request.body) > 1000 or b'"plain_token"' not in request.body:
        return None
    try:
        said = read_json_object(request.body)
    except UnparseableError:
        return None
    asked = said.get("d")
    if said.get("op") != CHALLENGE or not isinstance(asked, dict):
        return None
    plain_token, event_ts = asked.get("plain_token"), asked.get("event_ts")
    if not isinstance(plain_token, str) or not _PLAIN_TOKEN.fullmatch(plain_token):
        return None
    if not isinstance(event_ts, str) or not _TIME.fullmatch(event_ts):
        return None
    return Challenge(plain_token, event_ts)


def sign_challenge(challenge: Challenge, secret: str) -> str:
    """In hexadecimal."""
    return sign(f"{challenge.event_ts}{challenge.plain_token}".encode(), secret)


def sign(signed: bytes, secret: str) -> str:
    """As QQ signs, in hexadecimal."""
    from Crypto.Signature import eddsa  # noqa: PLC0415 - every messenger would load it

    return eddsa.new(_key(secret), "rfc8032").sign(signed).hex()


def is_event_signed(given: str, timestamp: str, body: bytes, secrets: Sequence[str]) -> bool:
    """Is *given* the signature of an event by any of the secrets?"""
    is_event = _TIME.fullmatch(timestamp) and body.lstrip().startswith(b"{")
    if not is_event or not _SIGNATURE.fullmatch(given):
        return False
    signature, signed = bytes.fromhex(given), timestamp.encode() + body
    # All are tried, so that the time does not tell which one was near.
    matches = [_is_signed(signature, signed, secret) for secret in secrets]
    return any(matches)


def _is_signed(signature: bytes, signed: bytes, secret: str) -> bool:
    from Crypto.Signature import eddsa  # noqa: PLC0415 - every messenger would load it

    try:
        eddsa.new(_key(secret).public_key(), "rfc8032").verify(signed, signature)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=8)
def _key(secret: str) -> "EccKey":
    """The secret, doubled until it is long enough, is the seed."""
    from Crypto.Signature import eddsa  # noqa: PLC0415 - every messenger would load it

    seed = secret.encode("utf-8", "replace")
    while len(seed) < _SEED_LENGTH:
        seed *= 2
    return eddsa.import_private_key(seed[:_SEED_LENGTH])
