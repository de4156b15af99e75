"""One-time codes: whoever reads what we send to an address, and says it where the address was
claimed, has the address.

A code follows from the desk's key and a random number that is kept; neither the code nor anything
that it could be guessed from is stored.
"""

import hmac
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from caseweave.domain.identity import Address
from caseweave.domain.message import Message

CODE_LIFETIME = timedelta(minutes=10)
MOST_TRIES = 5
MOST_CODES = 3
CODES_WITHIN = timedelta(hours=1)
NONCE_SIZE = 16
# In the field of a message that is to carry a code, and in its text until it leaves.
VERIFICATION = "verification"
HIDDEN_CODE = "\u2022" * 6
_CODE = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")


class VerificationState(StrEnum):
    OPEN = "open"
    PASSED = "passed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Verification:
    """That somebody in a case is to say the code sent to `address`, for the customer
    `customer_id`. `heard` are the messages in which something was tried, `tries` how often.
    """

    case_id: str
    address: Address
    customer_id: str
    nonce: str
    started_at: datetime
    state: VerificationState = VerificationState.OPEN
    tries: int = 0
    heard: tuple[str, ...] = ()
    version: int = 0

    def is_open_at(self, at: datetime) -> bool:
        is_in_time = self.started_at <= at < self.started_at + CODE_LIFETIME
        return self.state is VerificationState.OPEN and is_in_time


def make_code(verification: str, case_id: str, address: Address, key: bytes) -> str:
    """The six digits that go with the random number *verification*."""
    said = "\0".join((verification, case_id, str(address)))
    digest = hmac.digest(key, b"code\0" + said.encode("utf-8", "replace"), "sha256")
    return f"{int.from_bytes(digest[:8]) % 1_000_000:06}"


def find_codes(text: str) -> list[str]:
    """Every number of exactly six digits, each once; full-width digits count."""
    return list(dict.fromkeys(_CODE.findall(unicodedata.normalize("NFKC", text))))


def hear_codes(
    pending: Verification, message_id: str, codes: Sequence[str], keys: Sequence[bytes]
) -> Verification:
    """The verification after a message in which *codes* were said; itself if that message was
    heard before. Each code is a try.
    """
    if message_id in pending.heard or not codes:
        return pending
    right = [make_code(pending.nonce, pending.case_id, pending.address, key) for key in keys]
    tried = codes[: MOST_TRIES - pending.tries]
    is_right = any(hmac.compare_digest(said, code) for said in tried for code in right)
    tries = pending.tries + len(tried)
    state = pending.state
    if is_right:
        state = VerificationState.PASSED
    elif tries >= MOST_TRIES:
        state = VerificationState.FAILED
    return replace(pending, state=state, tries=tries, heard=(*pending.heard, message_id))


def reveal_code(message: Message, keys: Sequence[bytes]) -> Message:
    """The message as it leaves, with the code in it; any other message as it is."""
    verification = message.fields.get(VERIFICATION, "")
    if not verification or message.contact is None or not keys:
        return message
    code = make_code(verification, message.case_id, message.contact.address, keys[0])
    return replace(message, body=message.body.replace(HIDDEN_CODE, code))
