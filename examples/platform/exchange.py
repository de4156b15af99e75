"""One request and what is answered to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """`target` is the path with its query, as the request's first line has it; header names are in
    lower case.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def json_response(status: int, value: object) -> Response:
    return Response(status, json.dumps(value, ensure_ascii=False).encode())


def problem_response(status: int, title: str, detail: str, **headers: str) -> Response:
    """RFC 9457."""
    value = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    body = json.dumps(value, ensure_ascii=False).encode()
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(status, body, "application/problem+json", named)
