"""Troubles on demand: what the support desk asks next can be made to go wrong."""

from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Lock
from typing import Any, Self

LONGEST_SECONDS = 60.0
_NAMES = ("mode", "count", "seconds")


class InvalidFaultError(ValueError):
    """The asked-for fault makes no sense; the message says what to write instead."""


class Mode(StrEnum):
    SLOW = "slow"
    SERVER_ERROR = "server_error"
    THROTTLE = "throttle"
    GARBAGE = "garbage"
    DOWN = "down"  # hangs up without a word


@dataclass(frozen=True, slots=True)
class Fault:
    """`count` is for how many questions; None is until it is cleared."""

    mode: Mode
    count: int | None = None
    seconds: float = 3.0

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        unknown = value.keys() - set(_NAMES)
        if unknown:
            raise InvalidFaultError(f"unknown fields: {', '.join(sorted(unknown))}")
        mode, count, seconds = value.get("mode"), value.get("count"), value.get("seconds", 3.0)
        if mode not in tuple(Mode):
            raise InvalidFaultError(f"mode must be one of {', '.join(Mode)}")
        if count is not None and (type(count) is not int or count < 1):
            raise InvalidFaultError("count must be a whole number from 1, or null: until cleared")
        if type(seconds) not in (int, float) or not 0 <= seconds <= LONGEST_SECONDS:
            raise InvalidFaultError(f"seconds must be a number from 0 to {LONGEST_SECONDS:.0f}")
        return cls(Mode(mode), count, float(seconds))


class Faults:
    """Faults wait in line; each question uses up one count of the first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def take(self) -> Fault | None:
        with self._lock:
            if not self._waiting:
                return None
            fault = self._waiting[0]
            if fault.count is not None:
                left = [replace(fault, count=fault.count - 1)] if fault.count > 1 else []
                self._waiting[:1] = left
            return fault

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()
