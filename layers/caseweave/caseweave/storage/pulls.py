"""How far the messages of an account were pulled from a provider that does not push them.

One at a time pulls an account, by a lock that runs out. Whoever finds it taken leaves a wish, and
the holder does not give the lock back before it has looked once more.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from pynamodb.exceptions import DoesNotExist, PynamoDBException

from caseweave.domain.times import optional_rfc3339, optional_time
from caseweave.errors import ContentionError, NotFoundError, UnavailableError
from caseweave.storage import table
from caseweave.storage.items import make_item, put_if
from caseweave.storage.table import PullRow


@dataclass(frozen=True, slots=True)
class PullWish:
    """That an account should be pulled: what the queue carries. `token` is that of a hint."""

    provider: str
    account: str
    token: str = ""

    def __str__(self) -> str:
        return json.dumps([self.provider, self.account, self.token])


@dataclass(frozen=True, slots=True)
class PullState:
    """A record as it was read; a write counts only if it is still so. `version` 0 is not there."""

    provider: str
    account: str
    cursor: str = ""
    wishes: int = 0
    holder: str = ""
    locked_until: datetime | None = None
    pulled_at: datetime | None = None
    version: int = 0

    def is_locked(self, now: datetime) -> bool:
        return self.locked_until is not None and now < self.locked_until


def parse_wish(text: str) -> PullWish:
    """The wish that `str` made. Raises NotFoundError for anything else."""
    try:
        provider, account, token = json.loads(text)
    except (ValueError, TypeError) as error:
        raise NotFoundError("That wishes for no pull.") from error
    return PullWish(str(provider), str(account), str(token))


def read_pull(provider: str, account: str) -> PullState:
    """One consistent read. Raises UnavailableError."""
    try:
        row = PullRow.get(*table.pull_key(provider, account), consistent_read=True)
    except DoesNotExist:
        return PullState(provider, account)
    except PynamoDBException as error:
        raise UnavailableError(f"the store cannot be read: {error}") from error
    return _state(provider, row)


def list_pulls(provider: str) -> Iterator[PullState]:
    """Every account that was ever pulled. Raises UnavailableError."""
    partition, _ = table.pull_key(provider, "")
    try:
        for row in PullRow.query(partition):
            yield _state(provider, row)
    except PynamoDBException as error:
        raise UnavailableError(f"the store cannot be read: {error}") from error


def write_pull(state: PullState) -> PullState:
    """Keep a changed state; as it is now.

    Raises ContentionError if another was faster, and UnavailableError.
    """
    new = replace(state, version=state.version + 1)
    item = make_item(
        PullRow,
        table.pull_key(new.provider, new.account),
        cursor=new.cursor or None,
        wishes=new.wishes,
        holder=new.holder or None,
        locked_until=optional_rfc3339(new.locked_until),
        pulled_at=optional_rfc3339(new.pulled_at),
        version=new.version,
    )
    is_as_read = PullRow.version == state.version if state.version else PullRow.pk.does_not_exist()
    if not put_if(item, is_as_read):
        raise ContentionError("another is at the same pull")
    return new


def _state(provider: str, row: PullRow) -> PullState:
    return PullState(
        provider=provider,
        account=row.sk,
        cursor=row.cursor or "",
        wishes=int(row.wishes),
        holder=row.holder or "",
        locked_until=optional_time(row.locked_until),
        pulled_at=optional_time(row.pulled_at),
        version=int(row.version),
    )
