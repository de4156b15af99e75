"""What customers said to accounts of 微信客服, for desks to pull."""

from collections import defaultdict
from threading import Lock
from typing import Any


class KfLog:
    """A log for each account; the play's script adds to it, nothing takes away."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._messages: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)

    def add(self, open_kfid: str, messages: list[dict[str, Any]]) -> int:
        """How many there are now."""
        with self._lock:
            self._messages[open_kfid] += messages
            return len(self._messages[open_kfid])

    def of(self, open_kfid: str) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._messages[open_kfid])
