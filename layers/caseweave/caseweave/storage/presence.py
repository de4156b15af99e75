"""Presence: one small write, outside of the case's chain and version; gone by itself."""

from datetime import datetime

from pynamodb.exceptions import PynamoDBException, UpdateError

from caseweave.domain.presence import LASTS, Doing, Presence
from caseweave.domain.times import to_rfc3339
from caseweave.errors import UnavailableError
from caseweave.storage import table
from caseweave.storage.items import table_connection
from caseweave.storage.rows import read_presence, seen_item
from caseweave.storage.table import SeenRow


def keep_presence(case_id: str, agent: str, doing: Doing, now: datetime) -> Presence:
    """Who goes on doing the same only has it prolonged; anything else begins now.

    Raises UnavailableError.
    """
    until = now + LASTS[doing]
    row = SeenRow(*table.seen_key(case_id, agent))
    try:
        row.update(
            actions=[SeenRow.until.set(to_rfc3339(until)), SeenRow.expires_at.set(until)],
            condition=(SeenRow.doing == str(doing)) & (SeenRow.until > to_rfc3339(now)),
        )
    except UpdateError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise UnavailableError(f"the store cannot be written: {error}") from error
        return _begin(case_id, Presence(agent, doing, now, until))
    return read_presence(row.attribute_values)


def _begin(case_id: str, presence: Presence) -> Presence:
    item = seen_item(case_id, presence)
    try:
        table_connection().put_item(*table.seen_key(case_id, presence.agent), attributes=item)
    except PynamoDBException as error:
        raise UnavailableError(f"the store cannot be written: {error}") from error
    return presence
