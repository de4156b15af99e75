"""The files of messages: which one a queue entry means, and what became of it, recorded once."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from caseweave.domain.event import begin_change
from caseweave.domain.media import FileOutcome, record_outcome
from caseweave.domain.message import Message
from caseweave.domain.times import to_rfc3339
from caseweave.errors import ContentionError, NotFoundError
from caseweave.storage import table
from caseweave.storage.cases import put_change, read_head
from caseweave.storage.items import batch_get
from caseweave.storage.moved import find_place
from caseweave.storage.rows import outcome_item, read_message, read_outcome
from caseweave.storage.transaction import RefusedError, Transaction, retry_on_contention


@dataclass(frozen=True, slots=True)
class FileKey:
    """Which attachment of which message: what the media queue carries."""

    case_id: str
    occurred_at: str
    message_id: str
    index: int

    def __str__(self) -> str:
        return f"{self.case_id}~{self.occurred_at}~{self.message_id}~{self.index}"

    @classmethod
    def of(cls, message: Message, index: int) -> Self:
        return cls(message.case_id, to_rfc3339(message.occurred_at), message.id, index)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key that `str` made. Raises NotFoundError for anything else."""
        parts = text.split("~")
        if len(parts) != 4 or not all(parts) or not parts[3].isdecimal() or len(parts[3]) > 4:
            raise NotFoundError("That names no file.")
        return cls(parts[0], parts[1], parts[2], int(parts[3]))


def read_file_of(key: FileKey) -> tuple[Message, FileOutcome | None]:
    """The message, and what became of the file if that is known; one consistent read, and two
    for each move of the message. Raises NotFoundError.
    """
    keys = [
        table.message_key(key.case_id, key.occurred_at, key.message_id),
        table.file_key(key.case_id, key.message_id, key.index),
        table.moved_key(key.case_id),
    ]
    found = dict(batch_get(keys, consistent=True))
    if "message" not in found:
        moved_to = found["moved"]["messages"].get(key.message_id) if "moved" in found else None
        if moved_to:
            return read_file_of(replace(key, case_id=moved_to))
        raise NotFoundError(f"There is no message {key.message_id}.")
    message = read_message(found["message"])
    if key.index >= len(message.attachments):
        raise NotFoundError(f"Message {key.message_id} has no attachment {key.index}.")
    return message, read_outcome(found["file"]) if "file" in found else None


def settle_file(case_id: str, outcome: FileOutcome, at: datetime) -> bool:
    """Record what became of a file, with its event in the case's chain.

    The case may be the one that the message came to first. False, and nothing written, if that was
    known already: the first word stands.
    """
    return retry_on_contention(lambda _: _settle_once(case_id, outcome, at))


def _settle_once(case_id: str, outcome: FileOutcome, at: datetime) -> bool:
    # The head is read first: a move after this changes its version.
    case = read_head(case_id)
    place = find_place(case_id, outcome.message_id)
    if place != case_id:
        return _settle_once(place, outcome, at)
    write = Transaction()
    put_change(write, record_outcome(begin_change(case), outcome, at))
    write.put_new("file", outcome_item(case_id, outcome))
    try:
        write.commit()
    except RefusedError as error:
        if "file" in error.parts:
            return False
        raise ContentionError(str(error)) from error
    return True
