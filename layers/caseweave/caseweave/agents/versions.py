"""Writes on the version that the caller saw, or on whichever is the current one."""

from collections.abc import Callable
from typing import TypeVar

from caseweave.domain.case import Case
from caseweave.errors import ContentionError, StaleVersionError
from caseweave.storage.transaction import retry_on_contention

T = TypeVar("T")


def require_version(case: Case, version: int | None) -> None:
    """Raises StaleVersionError when the case has moved on from the version the caller saw."""
    if version is not None and version != case.version:
        raise StaleVersionError(f"The case is at version {case.version}; read it again.")


def retry_at_version(attempt: Callable[[], T], version: int | None) -> T:
    """Try until it does not lose to other writers.

    With a *version*, whoever keeps losing has lost it: raises StaleVersionError. Without one,
    raises ContentionError.
    """
    try:
        return retry_on_contention(lambda _: attempt())
    except ContentionError as error:
        if version is None:
            raise
        raise StaleVersionError("The case has changed; read it again.") from error
