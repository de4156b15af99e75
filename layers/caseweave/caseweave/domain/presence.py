"""Who else has a case before them: to stop double work, not to keep a record of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Doing(StrEnum):
    VIEWING = "viewing"
    TYPING = "typing"


# For how long one word is good; whoever is still there says so again before.
LASTS = {Doing.VIEWING: timedelta(seconds=60), Doing.TYPING: timedelta(seconds=15)}


@dataclass(frozen=True, slots=True)
class Presence:
    """What an agent does since when, and until when that is still believed."""

    agent: str
    doing: Doing
    since: datetime
    until: datetime

    def is_believed(self, now: datetime) -> bool:
        return self.until > now
