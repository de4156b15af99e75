"""Providers' access tokens, kept for all functions; one of them at a time fetches a new one.

The table is encrypted at rest, and no index and no API leads here.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pynamodb.exceptions import DoesNotExist, PynamoDBException

from caseweave.domain.times import optional_rfc3339, optional_time
from caseweave.errors import UnavailableError
from caseweave.storage import table
from caseweave.storage.items import make_item, put_if
from caseweave.storage.table import AccessTokenRow

# How long a record outlives its token or its lock.
_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class KeptToken:
    """A record as it was read; a write counts only if it is still so.

    `token` is "" while there is none. From `refresh_from` on somebody may fetch the next one, and
    whoever does has until `locked_until`. `version` is 0 for a record that is not there.
    """

    provider: str
    name: str
    token: str = ""
    good_until: datetime | None = None
    refresh_from: datetime | None = None
    locked_until: datetime | None = None
    version: int = 0

    def is_good(self, now: datetime) -> bool:
        return bool(self.token) and self.good_until is not None and now < self.good_until

    def is_fresh(self, now: datetime) -> bool:
        """Good, and not so near its end that the next one should be fetched."""
        return self.is_good(now) and self.refresh_from is not None and now < self.refresh_from

    def is_locked(self, now: datetime) -> bool:
        return self.locked_until is not None and now < self.locked_until


def read_token(provider: str, name: str) -> KeptToken:
    """One consistent read. Raises UnavailableError."""
    try:
        row = AccessTokenRow.get(*table.access_token_key(provider, name), consistent_read=True)
    except DoesNotExist:
        return KeptToken(provider, name)
    except PynamoDBException as error:
        raise UnavailableError(f"the store cannot be read: {error}") from error
    return KeptToken(
        provider=provider,
        name=name,
        token=row.token or "",
        good_until=optional_time(row.good_until),
        refresh_from=optional_time(row.refresh_from),
        locked_until=optional_time(row.locked_until),
        version=int(row.version),
    )


def write_token(kept: KeptToken) -> KeptToken | None:
    """Keep a changed record; as it is now, or None if another was faster.

    Raises UnavailableError.
    """
    new = replace(kept, version=kept.version + 1)
    last_use = max(filter(None, (new.good_until, new.locked_until)), default=None)
    item = make_item(
        AccessTokenRow,
        table.access_token_key(new.provider, new.name),
        token=new.token or None,
        good_until=optional_rfc3339(new.good_until),
        refresh_from=optional_rfc3339(new.refresh_from),
        locked_until=optional_rfc3339(new.locked_until),
        version=new.version,
        expires_at=last_use + _KEPT if last_use else None,
    )
    is_as_read = (
        AccessTokenRow.version == kept.version
        if kept.version
        else AccessTokenRow.pk.does_not_exist()
    )
    return new if put_if(item, is_as_read) else None
