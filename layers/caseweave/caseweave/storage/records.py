"""The records of a case as they are stored: what an evidence pack is made of."""

from typing import Any

from pynamodb.exceptions import PynamoDBException

from caseweave.domain.evidence_pack import Record
from caseweave.errors import ContentionError, NotFoundError, UnavailableError
from caseweave.storage import table
from caseweave.storage.items import read_item, table_connection

# What ends by itself, says nothing of the case, and is nobody's evidence.
_PASSING = ("seen",)


def list_records(case_id: str) -> list[Record]:
    """Every record of a case in the order of its keys, as one moment left them.

    Raises NotFoundError, UnavailableError, and ContentionError if it was written meanwhile: read
    it again.
    """
    found: list[Record] = []
    start: Any = None
    while True:
        try:
            answer = table_connection().query(
                table.case_key(case_id)[0], consistent_read=True, exclusive_start_key=start
            )
        except PynamoDBException as error:
            raise UnavailableError(f"the table cannot be read: {error}") from error
        found += [read_item(item) for item in answer["Items"]]
        start = answer.get("LastEvaluatedKey")
        if start is None:
            break
    heads = [values["head"] for kind, values in found if kind == "case"]
    if not heads:
        raise NotFoundError(f"There is no case {case_id}.")
    if heads[0]["seq"] != sum(kind == "event" for kind, _ in found):
        raise ContentionError(f"case {case_id} is being written at this moment")
    return [(kind, values) for kind, values in found if kind not in _PASSING]
