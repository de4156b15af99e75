"""API Gateway's REST events to requests and answers to its responses; errors to statuses, once.

Errors are RFC 9457 problem documents. A refused signature says nothing about why.
"""

import json
import logging
import math
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from caseweave.channels.request import WebhookRequest
from caseweave.errors import (
    BodyTooLargeError,
    CaseweaveError,
    ContentionError,
    ForbiddenError,
    InvalidRequestError,
    InvalidSignatureError,
    MissingSecretError,
    NotFoundError,
    StaleVersionError,
    TooManyRequestsError,
    UnavailableError,
)

logger = logging.getLogger(__name__)

# A stored item holds 400 KB; a raw body up to this always fits, however badly it compresses.
LONGEST_BODY = 256 * 1024

_STATUS: dict[type[CaseweaveError], HTTPStatus] = {
    InvalidSignatureError: HTTPStatus.FORBIDDEN,
    BodyTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    NotFoundError: HTTPStatus.NOT_FOUND,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    InvalidRequestError: HTTPStatus.UNPROCESSABLE_ENTITY,
    StaleVersionError: HTTPStatus.PRECONDITION_FAILED,
    TooManyRequestsError: HTTPStatus.TOO_MANY_REQUESTS,
    ContentionError: HTTPStatus.SERVICE_UNAVAILABLE,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    MissingSecretError: HTTPStatus.SERVICE_UNAVAILABLE,
}
# What these say may name resources or secrets: it goes into the log, not to the caller.
_SILENT = (InvalidSignatureError, MissingSecretError, UnavailableError)
PROBLEM_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer: a JSON value, or text of another type."""

    status: int
    body: Any
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def read_request(event: dict[str, Any], longest: int = LONGEST_BODY) -> WebhookRequest:
    """The exact bytes, headers in lower case, decoded query.

    Raises BodyTooLargeError for a body of more than *longest* bytes.
    """
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            raw = b64decode(body)
        except ValueError:
            raw = b""
    else:
        raw = body.encode("utf-8", "replace")
    if len(raw) > longest:
        raise BodyTooLargeError(f"The body is larger than {longest} bytes.")
    query = event.get("multiValueQueryStringParameters") or {}
    return WebhookRequest(
        body=raw,
        headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
        query=tuple((name, value) for name, values in query.items() for value in values),
        client_address=_text(event, "requestContext", "identity", "sourceIp"),
    )


def _text(event: Any, *path: str) -> str:
    """The text under *path*, "" where there is none."""
    for name in path:
        event = event.get(name) if isinstance(event, dict) else None
    return event if isinstance(event, str) else ""


def respond(make_answer: Callable[[], Answer]) -> dict[str, Any]:
    """The gateway's response: the answer, or the problem that came up instead."""
    try:
        return _render(make_answer())
    except CaseweaveError as error:
        return _render(describe_error(error))
    except Exception:
        # The process boundary: the provider hears 500 and delivers again, the log has the reason.
        logger.exception("unexpected error")
        return _render(describe_problem(HTTPStatus.INTERNAL_SERVER_ERROR, ""))


def _render(answer: Answer) -> dict[str, Any]:
    body = answer.body
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return {
        "statusCode": int(answer.status),
        "headers": {"Content-Type": answer.content_type, **answer.headers},
        # What was asked for may be quoted in it, with half a surrogate pair that nobody can send.
        "body": text.encode("utf-8", "replace").decode(),
    }


def describe_error(error: CaseweaveError) -> Answer:
    """The problem document of an error that was raised on purpose."""
    status = _STATUS.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("%s: %s", type(error).__name__, error)
    is_silent = type(error) not in _STATUS or isinstance(error, _SILENT)
    detail = "" if is_silent else str(error)
    errors = error.errors if isinstance(error, InvalidRequestError) else ()
    answer = describe_problem(status, detail, errors)
    if isinstance(error, TooManyRequestsError):
        answer.headers["Retry-After"] = str(math.ceil(error.retry_after.total_seconds()))
    return answer


def describe_problem(
    status: HTTPStatus, detail: str, errors: tuple[tuple[str, str], ...] = ()
) -> Answer:
    """An RFC 9457 problem document."""
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": detail or status.description or status.phrase,
    }
    if errors:
        problem["errors"] = [{"field": name, "detail": advice} for name, advice in errors]
    retry = {"Retry-After": "5"} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}
    return Answer(status, problem, PROBLEM_TYPE, retry)
