"""Keys by which a sender says that it tries the same message again."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

REMEMBERED_FOR = timedelta(hours=24)
MOST_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Accepted:
    at: datetime
    request_id: str
    message_id: str


class RetryKeys:
    """What was accepted under each key; emptying the inbox does not make the sink forget."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._accepted: OrderedDict[str, Accepted] = OrderedDict()

    def accept(self, key: str, accepted: Accepted) -> Accepted | None:
        """Remember *accepted*, unless the key was used before: then tell what for."""
        with self._lock:
            earlier = self._accepted.get(key)
            if earlier and accepted.at - earlier.at < REMEMBERED_FOR:
                return earlier
            self._accepted.pop(key, None)
            self._accepted[key] = accepted
            if len(self._accepted) > MOST_REMEMBERED:
                self._accepted.popitem(last=False)
        return None
