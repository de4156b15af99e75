"""Times as the project writes them: RFC 3339, UTC, milliseconds; text order is time order."""

from datetime import UTC, datetime


def to_rfc3339(at: datetime) -> str:
    """`2026-11-23T05:24:33.120Z`; the time must be aware."""
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds")[: -len("+00:00")] + "Z"


def from_rfc3339(text: str) -> datetime:
    """The aware UTC time that *text* says; raises ValueError for anything else."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} says no offset from UTC")
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is out of range") from error


def optional_rfc3339(at: datetime | None) -> str | None:
    return None if at is None else to_rfc3339(at)


def optional_time(text: str | None) -> datetime | None:
    return None if text is None else from_rfc3339(text)
