"""Counters of what a client did lately: one small write each, gone by themselves."""

from datetime import UTC, datetime, timedelta

from pynamodb.exceptions import UpdateError

from caseweave.domain.web_rules import Limit, find_window
from caseweave.errors import TooManyRequestsError, UnavailableError
from caseweave.storage import table
from caseweave.storage.table import RateRow


def count_visit(scope: str, client: str, limit: Limit, now: datetime) -> None:
    """Count one more visit of *client*. Raises TooManyRequestsError when there were enough.

    The condition and the count are one write, so that visits at the same moment are all counted.
    """
    start, left = find_window(limit, now)
    row = RateRow(*table.rate_key(scope, client, start))
    try:
        row.update(
            actions=[
                RateRow.hits.add(1),
                RateRow.kind.set(RateRow),
                RateRow.expires_at.set(datetime.fromtimestamp(start, UTC) + 2 * limit.within),
            ],
            condition=RateRow.hits.does_not_exist() | (RateRow.hits < limit.most),
        )
    except UpdateError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            raise TooManyRequestsError(
                "Too much at once. Please wait a moment. 操作过于频繁,请稍后再试。",
                left + timedelta(seconds=1),
            ) from None
        raise UnavailableError(f"the counter cannot be written: {error}") from error
