"""Answers of the last seconds: one agent's page asks the same several times. One per process."""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from caseweave.platform.answer import Answer, State

_KNOWN_FOR = timedelta(seconds=30)
# Somebody may be about to correct what is not there, or not right.
_UNKNOWN_FOR, _ODD_FOR = timedelta(seconds=10), timedelta(seconds=5)
_MOST = 256


@dataclass(slots=True)
class Cache:
    kept: OrderedDict[str, tuple[datetime, Answer[Any]]] = field(default_factory=OrderedDict)

    def find(self, name: str, now: datetime) -> Answer[Any] | None:
        until, answer = self.kept.get(name, (None, None))
        return answer if until is not None and now < until else None

    def keep(self, name: str, answer: Answer[Any], now: datetime) -> None:
        self.kept.pop(name, None)
        self.kept[name] = (now + _good_for(answer), answer)
        while len(self.kept) > _MOST:
            self.kept.popitem(last=False)


def _good_for(answer: Answer[Any]) -> timedelta:
    if answer.state is not State.OK:
        return _ODD_FOR
    return _UNKNOWN_FOR if answer.value is None else _KNOWN_FOR
