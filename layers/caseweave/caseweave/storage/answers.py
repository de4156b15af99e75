"""How often an address was answered automatically: read and written only with such an answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from caseweave.domain.identity import Address
from caseweave.domain.times import from_rfc3339, to_rfc3339
from caseweave.storage import table
from caseweave.storage.items import IS_NEW, batch_get, has, make_item
from caseweave.storage.table import AnswersRow
from caseweave.storage.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Answers:
    """When an address was answered, or sent a code, the oldest first."""

    key: table.Key
    times: tuple[datetime, ...] = ()

    def since(self, moment: datetime) -> Sequence[datetime]:
        return [at for at in self.times if at > moment]


def read_answers(address: Address) -> Answers:
    """One consistent read."""
    return _read(table.answers_key(address.kind, address.value))


def read_codes(address: Address) -> Answers:
    """The one-time codes that were sent there; one consistent read."""
    return _read(table.codes_key(address.kind, address.value))


def _read(key: table.Key) -> Answers:
    for _, values in batch_get([key], consistent=True):
        return Answers(key, tuple(from_rfc3339(at) for at in values["times"]))
    return Answers(key)


def put_answer(write: Transaction, known: Answers, now: datetime, within: timedelta) -> None:
    """Add one more answer to a transaction, which is refused if there was another meanwhile."""
    kept = [*known.since(now - within), now]
    item = make_item(
        AnswersRow,
        known.key,
        times=[to_rfc3339(at) for at in kept],
        expires_at=now + within,
    )
    before = [to_rfc3339(at) for at in known.times]
    write.put("answers", item, has(AnswersRow, times=before) if before else IS_NEW)
