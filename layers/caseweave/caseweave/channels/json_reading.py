"""Reading the JSON of providers, of which any part may be missing or something else."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from hashlib import sha256
from typing import Any

from caseweave.errors import UnparseableError

SECOND, MILLISECOND = timedelta(seconds=1), timedelta(milliseconds=1)
_LONGEST_ID, _LONGEST_TEXT_ID = 500, 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_object(value: Any, name: str) -> dict[str, Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(found, dict):
        raise UnparseableError(f"no {name}")
    return found


def object_in(value: Any, name: str) -> dict[str, Any]:
    """An object; an empty one for what is none."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, dict) else {}


def objects_in(value: Any, name: str) -> list[dict[str, Any]]:
    """The objects in a list; nothing for what is no list."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def read_id(value: Any, name: str) -> str:
    """An id, a text or a number, of a length that can be stored. Raises UnparseableError."""
    found = text_in(value, name)
    if not found or len(found) > _LONGEST_ID:
        raise UnparseableError(f"no {name}")
    return found


def read_text_id(value: Any, name: str) -> str:
    """An id that is a text and a short one, as most are. Raises UnparseableError."""
    found = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(found, str) or not 0 < len(found) <= _LONGEST_TEXT_ID:
        raise UnparseableError(f"no {name}")
    return found


def text_in(value: Any, name: str) -> str:
    """A text, or a number as one; "" for what is neither."""
    found = value.get(name) if isinstance(value, Mapping) else None
    is_text = isinstance(found, str | int | float) and not isinstance(found, bool)
    return str(found) if is_text else ""


def bare_text_in(value: Any, name: str) -> str:
    """The same, without white space around it."""
    return text_in(value, name).strip()


def read_time(count: object, unit: timedelta) -> datetime | None:
    """When it was, *count* units after 1970; WhatsApp writes the number as a text."""
    if isinstance(count, str) and count.isascii() and count.isdecimal() and len(count) < 20:
        count = int(count)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        return None
    try:
        return _EPOCH + count * unit
    except OverflowError:
        return None


def read_iso_time(told: str, zone: tzinfo | None = None) -> datetime | None:
    """When it was, by the clocks of *zone* if it says none itself; None for what tells no time."""
    try:
        at = datetime.fromisoformat(told)
        at = at if at.tzinfo else at.replace(tzinfo=zone)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def digest_json(value: Any) -> str:
    """The id of what has none: the same for the same content. Raises UnparseableError."""
    try:
        return f"sha256.{sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()}"
    except RecursionError as error:
        raise UnparseableError("nested too deep") from error
