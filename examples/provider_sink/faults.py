"""Troubles to come: the next calls of a provider can be made to fail on purpose."""

from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Lock
from typing import Any, Self

PROVIDERS = (
    "twilio",
    "telegram",
    "ses",
    "aws",
    "line",
    "whatsapp",
    "meta",
    "vonage",
    "wechat",
    "wecom",
    "qq",
)
LONGEST_SECONDS = 60.0


class InvalidFaultError(ValueError):
    """The asked-for fault makes no sense; the message says what to write instead."""


class Mode(StrEnum):
    THROTTLE = "throttle"
    SERVER_ERROR = "server_error"
    REFUSE = "refuse"
    HANG_UP_BEFORE = "hang_up_before"
    HANG_UP_AFTER = "hang_up_after"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Fault:
    provider: str
    mode: Mode
    count: int = 1
    code: int | None = None
    seconds: float = 1.0

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        unknown = value.keys() - {"provider", "mode", "count", "code", "seconds"}
        if unknown:
            raise InvalidFaultError(f"unknown fields: {', '.join(sorted(unknown))}")
        return cls(
            provider=_one_of("provider", value.get("provider"), PROVIDERS),
            mode=Mode(_one_of("mode", value.get("mode"), tuple(Mode))),
            count=_count(value.get("count", 1)),
            code=_code(value.get("code")),
            seconds=_seconds(value.get("seconds", 1.0)),
        )


class Faults:
    """Faults wait in line; every call of their provider uses up one count."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def take(self, provider: str) -> Fault | None:
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if fault.provider == provider:
                    left = [replace(fault, count=fault.count - 1)] if fault.count > 1 else []
                    self._waiting[place : place + 1] = left
                    return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()


def _one_of(name: str, value: object, allowed: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise InvalidFaultError(f"{name} must be one of {', '.join(allowed)}")
    return value


def _count(value: object) -> int:
    if type(value) is not int or value < 1:
        raise InvalidFaultError("count must be a whole number from 1")
    return value


def _code(value: object) -> int | None:
    if value is not None and type(value) is not int:
        raise InvalidFaultError("code must be the provider's error number, such as 21610")
    return value


def _seconds(value: object) -> float:
    if type(value) not in (int, float) or not 0 <= float(str(value)) <= LONGEST_SECONDS:
        raise InvalidFaultError(f"seconds must be a number from 0 to {LONGEST_SECONDS:.0f}")
    return float(str(value))
