"""Reading what an API request says, with an error that says what to write instead."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from caseweave.domain.case import ACTIVE_STATES, CaseState
from caseweave.domain.language import CHINESE, ENGLISH
from caseweave.domain.message import Channel
from caseweave.domain.times import from_rfc3339
from caseweave.errors import InvalidRequestError

_LONGEST_PAGE = 200


def read_text(said: Mapping[str, Any], name: str) -> str:
    """Raises InvalidRequestError unless the field is a text."""
    value = said.get(name)
    if not isinstance(value, str):
        raise InvalidRequestError(f"{name} is missing.", ((name, "write a text"),))
    return value


def read_names(said: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of texts, or none at all."""
    value = said.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise InvalidRequestError(f"{name} is not a list.", ((name, 'write ["…", "…"]'),))
    return tuple(value)


def read_wording(said: Mapping[str, Any], name: str) -> dict[str, str]:
    """What customers are told, in both languages."""
    value = said.get(name)
    texts = value if isinstance(value, dict) else {}
    wording = {language: texts.get(language) for language in (CHINESE, ENGLISH)}
    if not all(isinstance(text, str) and text.strip() for text in wording.values()):
        advice = f'write {{"{CHINESE}": "…", "{ENGLISH}": "…"}}'
        raise InvalidRequestError(f"{name} is incomplete.", ((name, advice),))
    return {language: str(text) for language, text in wording.items()}


def read_time(said: Mapping[str, Any], name: str, default: datetime) -> datetime:
    if name not in said:
        return default
    try:
        return from_rfc3339(read_text(said, name))
    except ValueError:
        advice = "write a time such as 2026-11-23T05:24:33Z"
        raise InvalidRequestError(f"{name} is not a time.", ((name, advice),)) from None


def read_channel(value: object) -> Channel | None:
    if value is None:
        return None
    try:
        return Channel(str(value))
    except ValueError:
        advice = f"use one of: {', '.join(Channel)}"
        raise InvalidRequestError("There is no such channel.", (("channel", advice),)) from None


def read_state(value: str) -> CaseState:
    try:
        return CaseState(value)
    except ValueError:
        advice = f"use one of: {', '.join(CaseState)}"
        raise InvalidRequestError("There is no such state.", (("state", advice),)) from None


def read_states(value: str) -> tuple[CaseState, ...]:
    """States separated by commas; none given: all in which there is work."""
    return tuple(read_state(one.strip()) for one in value.split(",")) if value else ACTIVE_STATES


def read_limit(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= _LONGEST_PAGE:
        advice = f"write a number from 1 to {_LONGEST_PAGE}"
        raise InvalidRequestError("The limit is not usable.", (("limit", advice),))
    return int(value)


def read_version(value: str | None) -> int | None:
    """The version in `If-Match`: `7` or `"7"`; None where the header is absent."""
    if value is None:
        return None
    digits = value.strip().removeprefix("W/").strip('"')
    if not digits.isdecimal():
        advice = "write the version of the case that you read"
        raise InvalidRequestError("If-Match is not a version.", (("If-Match", advice),))
    return int(digits)
