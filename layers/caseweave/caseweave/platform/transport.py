"""One GET over HTTP, bounded in time and size. With the standard library alone: which urllib3 there
is depends on the runtime, and only its newest reads what has come without waiting for more.
"""

import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from caseweave.platform.answer import Trouble

_PIECE = 16 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered; header names in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NoReply:
    """`wish` is for how long the platform asked to be left alone."""

    trouble: Trouble
    detail: str
    wish: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """In seconds: to be connected, to wait for the next bytes, for all of it; and in bytes."""

    connect: float
    read: float
    whole: float
    longest: int


Open = Callable[[str, Mapping[str, str], Bounds], Reply | NoReply]


def open_url(url: str, headers: Mapping[str, str], bounds: Bounds) -> Reply | NoReply:
    """GET *url* once. A redirect is an answer like others: whom we ask is the operator's to say."""
    until = time.monotonic() + bounds.whole
    try:
        with closing(_connection(url, bounds.connect)) as connection:
            connection.connect()
            connection.sock.settimeout(bounds.read)
            connection.request("GET", find_target(url), headers=dict(headers))
            answer = connection.getresponse()
            body = _read_body(answer, until, bounds.longest)
    except TimeoutError:
        return NoReply(Trouble.TIMEOUT, "no answer in time")
    # ValueError is what an address that can be none ends in, wherever that is noticed.
    except (OSError, HTTPException, ValueError) as error:
        return NoReply(Trouble.UNREACHABLE, type(error).__name__)
    if isinstance(body, NoReply):
        return body
    return Reply(answer.status, body, {name.lower(): text for name, text in answer.getheaders()})


def find_target(url: str) -> str:
    """The path with its query, as the first line of the request has it."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _connection(url: str, timeout: float) -> HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme == "https":
        return HTTPSConnection(parts.netloc, timeout=timeout, context=_certificates())
    return HTTPConnection(parts.netloc, timeout=timeout)


@cache
def _certificates() -> ssl.SSLContext:
    """Loading them takes longer than a request."""
    return ssl.create_default_context()


def _read_body(answer: HTTPResponse, until: float, longest: int) -> bytes | NoReply:
    """Piece by piece as they come, since who sends a byte a second is in time with each."""
    pieces, size = [], 0
    while piece := answer.read1(_PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > longest:
            return NoReply(Trouble.ODD_ANSWER, f"the answer is larger than {longest} bytes")
        if time.monotonic() > until:
            return NoReply(Trouble.TIMEOUT, "the answer took too long")
    if answer.length:
        return NoReply(Trouble.UNREACHABLE, "the answer broke off")
    return b"".join(pieces)
