"""What came of asking the platform. Nothing here is an error: a case goes on without an answer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class State(StrEnum):
    OK = "ok"
    UNAVAILABLE = "unavailable"
    NOT_CONFIGURED = "not configured"


class Trouble(StrEnum):
    """Why there is no answer."""

    NO_ADDRESS = "no_address"
    NO_SECRET = "no_secret"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    THROTTLED = "throttled"
    FAILED = "failed"
    # It answers, but not this: our signature is wrong, or the address is.
    REFUSED = "refused"
    # It answers something that is not what the contract says.
    ODD_ANSWER = "odd_answer"


# The platform has trouble of its own: asking again may help, and asking less certainly does.
PASSING = (Trouble.TIMEOUT, Trouble.UNREACHABLE, Trouble.THROTTLED, Trouble.FAILED)


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """`value` is None where the platform knows nothing, or was not heard.

    `since` is when it said so; of a platform that is not heard, since when.
    """

    state: State
    value: T | None = None
    since: datetime | None = None
    trouble: Trouble | None = None
    detail: str = ""

    @property
    def is_ok(self) -> bool:
        return self.state is State.OK


def unavailable(trouble: Trouble, detail: str, since: datetime) -> Answer[T]:
    return Answer(State.UNAVAILABLE, None, since, trouble, detail)


def not_configured(trouble: Trouble, detail: str) -> Answer[T]:
    return Answer(State.NOT_CONFIGURED, None, None, trouble, detail)
