"""The support desk's questions: signed, and answered by the contract unless a fault is on."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from examples.platform.contract import RefusedError, find_answer
from examples.platform.database import Database
from examples.platform.exchange import Request, Response, json_response, problem_response
from examples.platform.faults import Fault, Faults, Mode
from examples.platform.signatures import is_signed


@dataclass(frozen=True, slots=True)
class Desk:
    """`read_secrets` is asked each time: a secret may be rotated while we run."""

    database: Database
    read_secrets: Callable[[], Sequence[str]]
    faults: Faults = field(default_factory=Faults)

    def is_asked(self, request: Request) -> bool:
        return request.method == "GET" and find_answer(request.target) is not None

    def answer(self, request: Request) -> Response | None:
        """None is to hang up without a word."""
        fault = self.faults.take()
        if fault is None or fault.mode is Mode.SLOW:
            time.sleep(fault.seconds if fault else 0)
            return self._answer(request)
        return _fail(fault)

    def _answer(self, request: Request) -> Response:
        find = find_answer(request.target)
        secrets = self.read_secrets()
        if not is_signed(secrets, request.method, request.target, request.headers):
            return _problem(401, "the signature does not verify")
        try:
            return json_response(200, find(self.database) if find else {})
        except RefusedError as refused:
            return _problem(refused.status, str(refused))


def _fail(fault: Fault) -> Response | None:
    if fault.mode is Mode.DOWN:
        return None
    if fault.mode is Mode.GARBAGE:
        return Response(200, "<h1>系统维护中</h1>".encode(), "text/html; charset=utf-8")
    if fault.mode is Mode.THROTTLE:
        return _problem(429, "a fault is on", retry_after="1")
    return _problem(500, "a fault is on")


def _problem(status: int, detail: str, **headers: str) -> Response:
    return problem_response(status, HTTPStatus(status).phrase, detail, **headers)
