"""What a webhook brings, and what a sender asks of a provider: HTTP without a framework."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from caseweave.domain.message import Contact
from caseweave.domain.splitting import Unit
from caseweave.errors import UnparseableError

_LONGEST_COUNT = 6
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """An inbound request: the exact body bytes, header names in lower case, decoded query.

    `client_address` is who the gateway says it is from. `account` is whose it is, where only what
    authenticates it tells.
    """

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: tuple[tuple[str, str], ...] = ()
    client_address: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class MediaLink:
    """A file of ours at an address from which a provider can fetch it for some hours."""

    name: str
    media_type: str
    size: int
    url: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What one request to a provider carries: a message, or a part of one that is too long for
    one. Either `body` or `media`, never both.

    `key` is ours and comes back in receipts where the provider echoes one; `reply_to` is the
    provider's id of the customer's message that this answers, "" for none.
    """

    contact: Contact
    key: str
    body: str = ""
    media: MediaLink | None = None
    quick_replies: tuple[str, ...] = ()
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class ProviderRequest:
    """What to ask of a provider's API."""

    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """What a provider answered; header names in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Abilities:
    """What one request to a provider can carry. What is longer is split, what it does not know is
    written as text.

    `longest_body` counts in `unit`. `files` are the largest sizes, in bytes, by media type or its
    first half (`image`). `most_choices` quick replies of `longest_choice` characters can stand
    under a text of `longest_body_with_choices`. Parts that need not arrive in order are numbered.
    """

    longest_body: int
    unit: Unit = Unit.CHARACTERS
    files: Mapping[str, int] = field(default_factory=dict)
    most_choices: int = 0
    longest_choice: int = 0
    longest_body_with_choices: int = 0
    keeps_order: bool = True


class Refusal(StrEnum):
    """Why a provider did not take a message, as far as it decides what we do next.

    THROTTLED and TRANSIENT were certainly not taken and are tried again; WINDOW_CLOSED, OPTED_OUT
    and PERMANENT never go through as they are; UNKNOWN was perhaps taken, so nobody sends it again.
    """

    THROTTLED = "throttled"
    TRANSIENT = "transient"
    WINDOW_CLOSED = "window_closed"
    OPTED_OUT = "opted_out"
    PERMANENT = "permanent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider took the message; its id is the proof."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """`retry_after` is how long the provider asked us to wait, if it said so. `is_token_stale`: it
    was the access token that was refused, so the next try needs another.
    """

    kind: Refusal
    detail: str
    retry_after: timedelta | None = None
    is_token_stale: bool = False


SendResult = Sent | Refused


def read_said(answer: ProviderAnswer) -> dict[str, Any]:
    """The JSON object that a provider answered; an empty one for what is none."""
    try:
        return read_json_object(answer.body)
    except UnparseableError:
        return {}


def read_retry_after(answer: ProviderAnswer) -> timedelta | None:
    """The seconds of a Retry-After header; None without one, or for a date, which nobody sends."""
    told = answer.headers.get("retry-after", "").strip()
    is_count = told.isascii() and told.isdecimal() and len(told) <= _LONGEST_COUNT
    return timedelta(seconds=int(told)) if is_count else None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token of a provider that hands them out for a while, and for how long it is good."""

    value: str
    lifetime: timedelta


def read_json(body: bytes) -> Any:
    """Any JSON value; invalid UTF-8 and lone surrogates become U+FFFD or `?`.

    Raises UnparseableError.
    """
    text = body.decode("utf-8", "replace")
    try:
        value = json.loads(text)
        if _SURROGATE_ESCAPE.search(text):
            value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise UnparseableError(f"not JSON: {error}") from error
    return value


def read_json_object(body: bytes) -> dict[str, Any]:
    """As `read_json`. Raises UnparseableError for anything that is not a JSON object."""
    value = read_json(body)
    if not isinstance(value, dict):
        raise UnparseableError("not a JSON object")
    return value


def read_form(body: bytes) -> dict[str, str]:
    """The fields of a form body, the first value of each; invalid UTF-8 becomes U+FFFD."""
    fields: dict[str, str] = {}
    for name, value in read_form_pairs(body):
        fields.setdefault(name, value)
    return fields


@lru_cache(maxsize=1)
def read_form_pairs(body: bytes) -> tuple[tuple[str, str], ...]:
    """Every (name, value) of a form body, in order. Raises UnparseableError.

    The last one is remembered: what was verified is parsed next.
    """
    try:
        pairs = parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=1000
        )
    except ValueError as error:
        raise UnparseableError(f"not a form: {error}") from error
    return tuple(pairs)
