"""One HTTP request and its answer, free of sockets, so that providers are pure functions."""

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

AWS_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=\S+/aws4_request, *SignedHeaders=\S+, *Signature=[0-9a-f]{64}"
)


class MalformedBodyError(ValueError):
    """The body is not what the endpoint reads."""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: str
    headers: Message
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def json_response(status: int, value: object, headers: Mapping[str, str] | None = None) -> Response:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Response(status, body, headers=headers or {})


def read_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
        json.dumps(value, ensure_ascii=False).encode()  # half an emoji is JSON, but no text
    except (ValueError, RecursionError) as error:
        raise MalformedBodyError(f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise MalformedBodyError("the body is JSON, but not an object")
    return value


def read_form(body: bytes) -> dict[str, str]:
    """Read a form; of a repeated field the last value counts."""
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except ValueError as error:
        raise MalformedBodyError(f"the body is not a UTF-8 form: {error}") from error


def read_query(query: str) -> dict[str, str]:
    """Read our own query strings: a bare + is meant as a plus, as in +1415… or me+tag@…"""
    return dict(parse_qsl(query.replace("+", "%2B")))


def is_authorized(request: Request, scheme: str, credential: str | None) -> bool:
    """Compare the Authorization header; without a credential of ours nobody is let in."""
    given = request.headers.get("Authorization", "").encode()
    return bool(credential) and hmac.compare_digest(given, f"{scheme} {credential}".encode())


def texts_in(values: object, *names: str) -> tuple[str, ...]:
    """The text under nested names of each value in a list; "" for one without."""
    return tuple(text_in(one, *names) for one in values) if isinstance(values, list) else ()


def value_in(value: object, *names: str) -> object:
    """What stands under nested names; None for nothing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def text_in(value: object, *names: str) -> str:
    """The text, or the number as one, under nested names; "" for what is neither."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
