"""What the sink received: the record of every call, and the store that keeps them."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import Any

from examples.provider_sink.exchange import Request, Response
from examples.provider_sink.faults import Fault
from examples.provider_sink.kf_log import KfLog
from examples.provider_sink.retry_keys import RetryKeys

# Enough for a day of demonstrations; a load test must not fill the memory.
MOST_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Call:
    """A request with all that an answer depends on: path arguments, fault, time, fresh ids."""

    request: Request
    arguments: Mapping[str, str]
    fault: Fault | None
    at: datetime
    serial: int
    unique: str  # 32 hex digits
    retry_keys: RetryKeys
    kf_log: KfLog


@dataclass(frozen=True, slots=True)
class Mail:
    subject: str
    headers: dict[str, str]
    raw: str


@dataclass(frozen=True, slots=True)
class Received:
    provider: str
    at: datetime
    to: tuple[str, ...] = ()
    sender: str = ""
    body: str = ""
    provider_id: str | None = None  # only what was accepted has one
    error: str | None = None
    request: dict[str, Any] = field(default_factory=dict)
    mail: Mail | None = None
    media: tuple[str, ...] = ()  # addresses of files, names of enclosed ones
    quick_replies: tuple[str, ...] = ()
    reply_to: str = ""
    n: int = 0

    @property
    def status(self) -> str:
        return "refused" if self.provider_id is None else "accepted"

    def to_json(self) -> dict[str, Any]:
        record: dict[str, Any] = {
            "n": self.n,
            "provider": self.provider,
            "to": ", ".join(self.to),
            "from": self.sender,
            "body": self.body,
            "provider_id": self.provider_id,
            "at": self.at.isoformat(timespec="milliseconds"),
            "status": self.status,
            "error": self.error,
            "media": list(self.media),
            "quick_replies": list(self.quick_replies),
            "reply_to": self.reply_to,
            "request": self.request,
        }
        if self.mail:
            record |= {
                "subject": self.mail.subject,
                "headers": self.mail.headers,
                "raw": self.mail.raw,
            }
        return record


@dataclass(frozen=True, slots=True)
class Outcome:
    response: Response
    received: Received | None  # None: it is recorded already


class Inbox:
    """All received messages, oldest first; numbers go on after emptying."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._messages: deque[Received] = deque(maxlen=MOST_KEPT)
        self._count = 0

    def add(self, received: Received) -> Received:
        with self._lock:
            self._count += 1
            numbered = replace(received, n=self._count)
            self._messages.append(numbered)
        return numbered

    def select(self, *, provider: str = "", to: str = "", after: int = 0) -> list[Received]:
        with self._lock:
            messages = list(self._messages)
        return [
            message
            for message in messages
            if message.n > after
            and provider in ("", message.provider)
            and (to == "" or to.lower() in [address.lower() for address in message.to])
        ]

    def clear(self) -> None:
        with self._lock:
            self._messages.clear()
