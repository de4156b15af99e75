"""Messages that moved to another case: where they are now.

The record is written with the case's head, whose version guards it.
"""

from collections.abc import Mapping, Sequence

from caseweave.storage import table
from caseweave.storage.items import batch_get, make_item
from caseweave.storage.table import MovedRow
from caseweave.storage.transaction import Transaction


def find_place(case_id: str, message_id: str) -> str:
    """The case in which a message is now that came to *case_id*; a read more than moves."""
    while moved_to := read_moved(case_id).get(message_id):
        case_id = moved_to
    return case_id


def read_moved(case_id: str) -> Mapping[str, str]:
    """Message id → the case that it moved to from this one; one consistent read."""
    for _, values in batch_get([table.moved_key(case_id)], consistent=True):
        return dict(values["messages"])
    return {}


def put_moved(write: Transaction, case_id: str, message_ids: Sequence[str], moved_to: str) -> None:
    """Note where messages of a case went; only in a transaction that writes the case's head."""
    messages = {**read_moved(case_id), **dict.fromkeys(message_ids, moved_to)}
    write.put("moved", make_item(MovedRow, table.moved_key(case_id), messages=messages))
