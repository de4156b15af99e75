"""Leaves a platform alone that does not answer: every caller would only wait for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from caseweave.platform.transport import NoReply

_FAILURES = 5
_REST = timedelta(seconds=15)
_LONGEST_REST = timedelta(minutes=2)


@dataclass(slots=True)
class Breaker:
    """Open after five failed attempts in a row; then, every quarter of a minute, one is let
    through to look, and the first that is answered closes it. One for each process.
    """

    failures: int = 0
    failing_since: datetime | None = None
    resting_until: datetime | None = None
    last: NoReply | None = None

    @property
    def is_open(self) -> bool:
        return self.failures >= _FAILURES or self.resting_until is not None

    def lets_through(self, now: datetime) -> bool:
        """Whether to try now. One look at a time: the next must wait for a rest again."""
        if not self.is_open:
            return True
        if self.resting_until is not None and now < self.resting_until:
            return False
        self.resting_until = now + _REST
        return True

    def record_answer(self) -> None:
        self.failures, self.failing_since, self.resting_until, self.last = 0, None, None, None

    def record_failure(self, now: datetime, failure: NoReply) -> None:
        """Where the platform asked to be left alone for a while it is, within reason."""
        self.failures += 1
        self.failing_since = self.failing_since or now
        self.last = failure
        if failure.wish is not None:
            self.resting_until = now + min(failure.wish, _LONGEST_REST)
        elif self.is_open:
            self.resting_until = now + _REST
