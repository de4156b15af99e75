"""The deployed local stack, started once for all of these tests on ports of its own."""

import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from caseweave.cli.local_stack import Ports, local_client, read_secrets, start_stack, stop_stack
from caseweave.cli.outside.customers import Outside
from caseweave.cli.outside.http import Reply, call, call_json
from caseweave.cli.sign_in import id_token


def find_free_ports() -> Ports:
    """The first ports from 24566 on that nobody listens on: two checkouts may test at once."""
    for base in range(24566, 24966, 20):
        ports = Ports.from_base(base)
        if all(is_free(port) for port in (ports.emulator, ports.sink, ports.platform)):
            return ports
    pytest.fail("no free ports from 24566 to 24966; stop what listens there")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def pytest_itemcollected(item: pytest.Item) -> None:
    """Every test in this folder needs the stack. There is one, so run them in one process."""
    item.add_marker(pytest.mark.stack)


@dataclass(frozen=True)
class Api:
    """The agents' API as somebody of a role."""

    url: str
    token: str

    def get(self, path: str) -> Reply:
        return call("GET", self.url + path, headers=self._headers())

    def post(self, path: str, value: Any, **headers: str) -> Reply:
        more = {name.replace("_", "-"): text for name, text in headers.items()}
        return call_json("POST", self.url + path, value, {**self._headers(), **more})

    def put(self, path: str, value: Any) -> Reply:
        return call_json("PUT", self.url + path, value, self._headers())

    def read_case(self, name: str) -> dict[str, Any]:
        reply = self.get(f"/v1/cases/{name}")
        assert reply.status == 200, reply.body
        return reply.json()

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


@dataclass(frozen=True)
class Stack:
    """Everything the tests touch from outside."""

    state_dir: Path
    outside: Outside

    def api(self, role: str) -> Api:
        return Api(self.outside.outputs["ApiUrl"], id_token(self.state_dir, role, role))

    def client(self, service: str) -> Any:
        return local_client(service, self.outside.outputs["EndpointUrl"])

    def invoke(self, name: str, payload: bytes = b"{}") -> bytes:
        """Call a function of the stack as its schedule would."""
        functions = self.client("lambda")
        names = [
            one["FunctionName"]
            for page in functions.get_paginator("list_functions").paginate()
            for one in page["Functions"]
        ]
        (full,) = [one for one in names if name in one]
        answer = functions.invoke(FunctionName=full, Payload=payload)
        body: bytes = answer["Payload"].read()
        assert "FunctionError" not in answer, body
        return body

    def received(self, provider: str, to: str = "") -> list[dict[str, Any]]:
        """What the provider sink took, the oldest first."""
        url = f"{self.outside.outputs['SinkUrl']}/_sink/messages?provider={provider}"
        found = call("GET", url).json()
        return [one for one in found if not to or one["to"] == to]

    def items(self) -> list[dict[str, Any]]:
        """Every record of the table."""
        pages = self.client("dynamodb").get_paginator("scan")
        table = self.outside.outputs["TableName"]
        return [item for page in pages.paginate(TableName=table) for item in page["Items"]]


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    state_dir = Path(tempfile.mkdtemp(prefix="caseweave-stack-"))
    try:
        outputs = start_stack(state_dir, find_free_ports())
        yield Stack(state_dir, Outside(outputs, read_secrets(state_dir)))
    finally:
        stop_stack(state_dir)
        shutil.rmtree(state_dir, ignore_errors=True)


@pytest.fixture(scope="session")
def agent(stack: Stack) -> Api:
    return stack.api("agent")


@pytest.fixture(scope="session")
def lead(stack: Stack) -> Api:
    return stack.api("lead")


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    """The first true value of *condition*; fails with *what* was waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.2)
    pytest.fail(f"waited {seconds} s in vain for {what}")
