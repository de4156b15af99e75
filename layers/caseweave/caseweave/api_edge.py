"""Between Chalice and the agents' use cases: who calls, what was sent, errors as problems."""

import json
from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any

from chalice.app import Response

from caseweave.agents.caller import Caller
from caseweave.channels.request import read_json_object
from caseweave.errors import CaseweaveError, ForbiddenError, UnparseableError
from caseweave.http import PROBLEM_TYPE, Answer, describe_error, describe_problem


def speak_http(view: Callable[..., Any]) -> Callable[..., Any]:
    """A route whose errors, raised on purpose, become problem documents."""

    @wraps(view)
    def speaking(**path: str) -> Any:
        try:
            return view(**path)
        except UnparseableError as error:
            return _as_response(describe_problem(HTTPStatus.BAD_REQUEST, str(error)))
        except CaseweaveError as error:
            return _as_response(describe_error(error))

    return speaking


def read_caller(context: Mapping[str, Any]) -> Caller:
    """Who calls, from the claims that the gateway verified. Raises ForbiddenError for none."""
    claims = (context.get("authorizer") or {}).get("claims") or {}
    # A REST API joins the groups of the token with commas.
    groups = str(claims.get("cognito:groups", "")).split(",")
    name = claims.get("email") or claims.get("cognito:username") or ""
    if not name:
        raise ForbiddenError("The token names nobody.")
    return Caller(str(name), tuple(group.strip() for group in groups if group.strip()))


def read_body(raw: bytes) -> dict[str, Any]:
    """The JSON object that was sent; nothing at all counts as an empty one."""
    return read_json_object(raw) if raw.strip() else {}


def tag_version(shown: dict[str, Any], status: int = HTTPStatus.OK) -> Response:
    """An answer about a case, with its version as `ETag`: what a write names in `If-Match`."""
    return Response(shown, {"ETag": f'"{shown["case"]["version"]}"'}, status)


def answer_problem(response: dict[str, Any]) -> dict[str, Any]:
    """Chalice's own refusals (no such route, wrong content type, a crash) as problem documents."""
    status = int(response["statusCode"])
    content_type = (response.get("headers") or {}).get("Content-Type", "")
    if status < HTTPStatus.BAD_REQUEST or content_type == PROBLEM_TYPE:
        return response
    answer = describe_problem(HTTPStatus(status), "")
    return {
        "statusCode": status,
        "headers": {"Content-Type": PROBLEM_TYPE},
        "multiValueHeaders": {},
        "body": json.dumps(answer.body),
    }


def _as_response(answer: Answer) -> Response:
    headers: dict[str, str | list[str]] = {"Content-Type": answer.content_type, **answer.headers}
    return Response(json.dumps(answer.body, ensure_ascii=False), headers, int(answer.status))
