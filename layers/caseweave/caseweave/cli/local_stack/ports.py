"""Which ports of the loopback interface a local stack uses."""

import errno
import socket
from dataclasses import dataclass
from typing import Self

from caseweave.cli.local_stack.errors import LocalStackError

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """One port per program of the local stack."""

    emulator: int
    sink: int
    platform: int

    @classmethod
    def from_base(cls, base: int) -> Self:
        return cls(emulator=base, sink=base + 4, platform=base + 5)


DEFAULT_PORTS = Ports.from_base(4566)


def address(port: int) -> str:
    return f"http://{HOST}:{port}"


def require_free(port: int, purpose: str) -> None:
    """Raise LocalStackError when another program listens on the port."""
    with socket.socket() as probe:
        # as servers do: a port whose last connections are still fading away is free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise LocalStackError(
                f"Port {port}, meant for {purpose}, is taken by another program. Stop that "
                "program (perhaps with `caseweave down` in another checkout), or choose other "
                "ports: caseweave up --port-base 24566, or set CASEWEAVE_PORT_BASE=24566"
            ) from error
