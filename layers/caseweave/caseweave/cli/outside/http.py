"""Plain HTTP, as an outside client speaks it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3

from caseweave.cli.local_stack.errors import LocalStackError

_POOL = urllib3.PoolManager(timeout=60, retries=False, maxsize=32)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def call(
    method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Reply:
    """Raises LocalStackError when nothing listens there."""
    try:
        answer = _POOL.request(method, url, body=body, headers=dict(headers or {}))
    except urllib3.exceptions.NewConnectionError as error:
        raise LocalStackError(
            f"Nothing answers at {url}. Start the local stack with: caseweave up"
        ) from error
    return Reply(answer.status, dict(answer.headers), answer.data)


def call_json(
    method: str, url: str, value: Any = None, headers: Mapping[str, str] | None = None
) -> Reply:
    body = None if value is None else json.dumps(value).encode()
    return call(method, url, body, {"Content-Type": "application/json", **(headers or {})})
