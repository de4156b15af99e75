"""The routes of the ledger."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from caseweave.agents.replay import list_ledger, replay_entries, replay_quarantine
from caseweave.api_edge import read_body, read_caller
from caseweave.errors import InvalidRequestError, UnparseableError
from caseweave.http import Answer, read_request
from caseweave.replay import Replayer


def answer_replay(event: Mapping[str, Any], make_replayer: Callable[[], Replayer]) -> Answer:
    """Raises ForbiddenError, InvalidRequestError, MissingSecretError, UnavailableError."""
    caller, request = read_caller(event["requestContext"]), read_request(dict(event))
    if event["resource"] == "/v1/ledger":
        return Answer(HTTPStatus.OK, list_ledger(dict(request.query), caller))
    if event["resource"] == "/v1/quarantine/replay":
        return Answer(HTTPStatus.OK, replay_quarantine(caller, make_replayer))
    return Answer(HTTPStatus.OK, replay_entries(_read_object(request.body), caller, make_replayer))


def _read_object(body: bytes) -> dict[str, Any]:
    try:
        return read_body(body)
    except UnparseableError as error:
        raise InvalidRequestError(str(error), (("body", "write a JSON object"),)) from error
