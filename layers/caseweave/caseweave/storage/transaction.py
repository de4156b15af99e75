"""One DynamoDB transaction, whose refusals say which of its parts was refused."""

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from pynamodb.exceptions import PynamoDBException, TransactWriteError

from caseweave.errors import CaseweaveError, ContentionError, UnavailableError
from caseweave.storage.items import IS_NEW, Condition, Item, table_connection
from caseweave.storage.table import Key

T = TypeVar("T")

# What the store answers when other writers are at the same items: nothing was written.
_RETRYABLE = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_TRIES = 40
_LONGEST_PAUSE = 0.4


class RefusedError(CaseweaveError):
    """Conditions of the transaction did not hold; `parts` names them. Nothing was written."""

    def __init__(self, parts: frozenset[str]) -> None:
        super().__init__(f"refused: {', '.join(sorted(parts))}")
        self.parts = parts


class Transaction:
    """Puts and deletes that happen together or not at all.

    Each carries the name of its part, for RefusedError. The store reports refusals in the order
    checks, deletes, puts (not in that of the calls), which is why all are collected here first.
    """

    def __init__(self) -> None:
        self._checks: list[tuple[str, dict[str, Any]]] = []
        self._deletes: list[tuple[str, dict[str, Any]]] = []
        self._puts: list[tuple[str, dict[str, Any]]] = []

    def put(self, part: str, item: Item, condition: Condition | None = None) -> None:
        arguments = condition.arguments() if condition else {}
        self._puts.append((part, {"Item": item, **arguments}))

    def put_new(self, part: str, item: Item) -> None:
        """Put a record that must not exist yet."""
        self.put(part, item, IS_NEW)

    def delete(self, part: str, key: Key, condition: Condition | None = None) -> None:
        arguments = condition.arguments() if condition else {}
        self._deletes.append((part, {"Key": _as_item(key), **arguments}))

    def check(self, part: str, key: Key, condition: Condition) -> None:
        """A record that is not written must be as it was when this was decided."""
        self._checks.append((part, {"Key": _as_item(key), **condition.arguments()}))

    def __len__(self) -> int:
        """How many records take part; the store takes 100 at most."""
        return len(self._checks) + len(self._deletes) + len(self._puts)

    def commit(self) -> None:
        """Write it all. Raises RefusedError, ContentionError or UnavailableError."""
        table = table_connection()
        name = {"TableName": table.table_name}
        try:
            table.connection.transact_write_items(
                condition_check_items=[{**name, **arguments} for _, arguments in self._checks],
                delete_items=[{**name, **arguments} for _, arguments in self._deletes],
                put_items=[{**name, **arguments} for _, arguments in self._puts],
                update_items=[],
            )
        except TransactWriteError as error:
            raise self._explain(error) from error
        except PynamoDBException as error:
            raise UnavailableError(f"the store cannot be written: {error}") from error

    def _explain(self, error: TransactWriteError) -> CaseweaveError:
        codes = [reason.code if reason else "" for reason in error.cancellation_reasons]
        if any(code in _RETRYABLE for code in codes) or "TransactionInProgress" in str(error):
            return ContentionError("other writers are at the same records")
        names = [part for part, _ in (*self._checks, *self._deletes, *self._puts)]
        refused = [
            name
            for name, code in zip(names, codes, strict=False)
            if code == "ConditionalCheckFailed"
        ]
        if refused:
            return RefusedError(frozenset(refused))
        return UnavailableError(
            f"the store refused the transaction: {error.cause_response_message}"
        )


def _as_item(key: Key) -> dict[str, Any]:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def retry_on_contention(attempt: Callable[[int], T]) -> T:
    """Call *attempt* (with 0, 1, 2, …) until it does not lose to other writers.

    Pauses grow and are random, so that sixteen writers of one case do not meet again. Raises the
    last ContentionError when *attempt* kept losing.
    """
    for number in range(_TRIES - 1):
        try:
            return attempt(number)
        except ContentionError:
            longest = min(_LONGEST_PAUSE, 0.01 * 2**number)
            time.sleep(random.uniform(0, longest))  # noqa: S311 - jitter, not a secret
    return attempt(_TRIES - 1)
