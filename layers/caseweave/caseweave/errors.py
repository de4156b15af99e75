"""Every error Caseweave raises on purpose; `http.py` alone turns them into status codes."""

from datetime import timedelta


class CaseweaveError(Exception):
    """The superclass; never raised itself."""


class InvalidSignatureError(CaseweaveError):
    """A webhook's proof of origin is missing or wrong. Says nothing about why, on purpose."""


class BodyTooLargeError(CaseweaveError):
    """A body is over the limit of its channel."""


class UnparseableError(CaseweaveError):
    """A verified body cannot be understood; it is kept as quarantined, with this reason."""


class NotFoundError(CaseweaveError):
    """What was asked for does not exist, or not for the one who asks."""


class ForbiddenError(CaseweaveError):
    """The caller is known but the role does not allow this."""


class InvalidRequestError(CaseweaveError):
    """A request says something impossible; `errors` names each field and what to write instead."""

    def __init__(self, detail: str, errors: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(detail)
        self.errors = errors


class TooManyRequestsError(CaseweaveError):
    """The client asked more often than it may; `retry_after` is how long to wait."""

    def __init__(self, detail: str, retry_after: timedelta = timedelta(minutes=1)) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class StaleVersionError(CaseweaveError):
    """A write was based on a version of the case that is no longer the current one."""


class ContentionError(CaseweaveError):
    """Other writers kept winning the same records; nothing was written, a retry is safe."""


class DuplicateEventError(CaseweaveError):
    """This provider event was taken in before; nothing was written."""


class UnavailableError(CaseweaveError):
    """Something this step needs (key set, secret, store) cannot be reached now; retry later."""


class MissingSecretError(CaseweaveError):
    """A secret is not set or is empty. The door stays shut until ops set it."""


class InvalidConfigError(CaseweaveError):
    """A configuration file is wrong; the message has file, line and what to write instead."""
