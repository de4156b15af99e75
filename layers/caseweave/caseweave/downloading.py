"""Downloading what a customer sent from where a provider says it is, trusting neither.

Only over TLS, only from the hosts of an allow-list, only at public addresses: a host is resolved
once, each of its addresses is looked at, and the connection goes to the very address that was
looked at, at every redirect anew. Whoever answers slowly, endlessly or with lies is cut off by one
deadline and one size. Nothing is decompressed.
"""

import http.client
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from socket import IPPROTO_TCP, create_connection, getaddrinfo, socket
from typing import Any
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from caseweave.channels.media import MediaRequest
from caseweave.domain.media import Shortfall
from caseweave.domain.public_address import is_public

MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_CHUNK = 65536
# Without `identity`, servers may compress; what comes compressed all the same is kept so.
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "caseweave-media"}
_SAFE_IN_ADDRESS = "%/:=&?~+!$,;'@()*[]"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a download may go: which hosts with their subdomains, how many bytes and seconds.

    *stand_in* is the one address that is let through without TLS and wherever it is, for the local
    cloud; "" for none.
    """

    hosts: tuple[str, ...]
    most_bytes: int
    seconds: float
    stand_in: str = ""
    connect_seconds: float = 5
    read_seconds: float = 15


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole answer that was no redirect."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Missed:
    """Why there is no file. `is_final`: trying again would not help."""

    reason: Shortfall
    detail: str
    is_final: bool


@dataclass(frozen=True, slots=True)
class Network:
    """What a download reaches out with: a host's addresses, a connection, trust."""

    resolve: Callable[[str, int], list[str]]
    connect: Callable[[tuple[str, int], float], socket]
    trust: Callable[[], ssl.SSLContext]


class _Paced(socket):
    """A socket with a deadline: however little arrives at a time, it ends then."""

    deadline = 0.0
    patience = 0.0

    def recv_into(self, *arguments: Any) -> int:
        self.settimeout(_time_left(self.deadline, self.patience))
        return super().recv_into(*arguments)


class _PacedTls(ssl.SSLSocket):
    deadline = 0.0
    patience = 0.0

    def recv_into(self, *arguments: Any) -> int:
        self.settimeout(_time_left(self.deadline, self.patience))
        return super().recv_into(*arguments)


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a request goes. `is_stand_in`: the local cloud's, which is neither checked nor TLS."""

    url: str
    host: str
    port: int
    path: str
    origin: tuple[str, str, int]
    is_stand_in: bool


class _MissedError(Exception):
    """Carries a Missed out of the steps of one download."""

    def __init__(self, reason: Shortfall, detail: str, *, is_final: bool) -> None:
        super().__init__(detail)
        self.missed = Missed(reason, detail, is_final)


def system_network() -> Network:
    return Network(_resolve, create_connection, _system_trust)


def download(request: MediaRequest, bounds: Bounds, network: Network) -> Answered | Missed:
    """GET a file, whatever its status, behind at most three redirects.

    The headers of *request* are for its own host: a redirect elsewhere does not take them along.
    """
    deadline = time.monotonic() + bounds.seconds
    url, headers = request.url, request.headers
    try:
        for _ in range(MOST_REDIRECTS + 1):
            target = _find_target(url, bounds)
            status, location, body = _exchange(target, headers, bounds, deadline, network)
            if status not in _REDIRECTS or not location:
                return Answered(status, body)
            url = _follow(target.url, location)
            if _find_target(url, bounds).origin != target.origin:
                headers = {}
    except _MissedError as error:
        return error.missed
    except TimeoutError:
        return Missed(Shortfall.UNREACHABLE, "no answer in time", is_final=False)
    except (OSError, http.client.HTTPException) as error:
        detail = f"the connection failed: {type(error).__name__}"
        return Missed(Shortfall.UNREACHABLE, detail, is_final=False)
    return Missed(Shortfall.NOT_ALLOWED, f"more than {MOST_REDIRECTS} redirects", is_final=True)


def _find_target(url: str, bounds: Bounds) -> _Target:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise _not_allowed("no address of a file") from None
    path = quote(parts.path or "/", _SAFE_IN_ADDRESS)
    if parts.query:
        path += "?" + quote(parts.query, _SAFE_IN_ADDRESS)
    origin = _origin(parts)
    if bounds.stand_in and origin == _origin(urlsplit(bounds.stand_in)):
        return _Target(url, host, origin[2], path, origin, is_stand_in=True)
    if parts.scheme != "https" or port not in (None, 443):
        raise _not_allowed("only https, at its own port")
    if parts.username is not None or parts.password is not None:
        raise _not_allowed("an address with a name or a password in it")
    if not any(host == one or host.endswith(f".{one}") for one in bounds.hosts):
        raise _not_allowed(f"the host {host[:100]!r} is not on the list of this provider's")
    return _Target(url, host, 443, path, origin, is_stand_in=False)


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, (parts.hostname or "").rstrip("."), port


def _follow(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise _not_allowed("a redirect to no address") from None


def _exchange(
    target: _Target,
    headers: Mapping[str, str],
    bounds: Bounds,
    deadline: float,
    network: Network,
) -> tuple[int, str, bytes]:
    """The (status, location, body) of one request; of a redirect the body is not read."""
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = _connect(target, bounds, deadline, network)
    try:
        host = target.host if target.port in (80, 443) else f"{target.host}:{target.port}"
        connection.request("GET", target.path, headers={**_HEADERS, **headers, "Host": host})
        response = connection.getresponse()
        location = response.getheader("Location") or ""
        if response.status in _REDIRECTS:
            return response.status, location, b""
        return response.status, "", _read(response, bounds.most_bytes)
    finally:
        connection.close()


def _connect(target: _Target, bounds: Bounds, deadline: float, network: Network) -> Any:
    """A connection to an address that was checked: nobody is asked for it a second time."""
    addresses = [target.host]
    if not target.is_stand_in:
        addresses = network.resolve(target.host, target.port)
        if not addresses or not all(map(is_public, addresses)):
            raise _not_allowed(f"the host {target.host!r} is not at a public address")
    patience = _time_left(deadline, bounds.connect_seconds)
    raw = network.connect((addresses[0], target.port), patience)
    if target.is_stand_in:
        paced: Any = _Paced(fileno=raw.detach())
    else:
        raw.settimeout(patience)
        context = network.trust()
        context.sslsocket_class = _PacedTls
        paced = context.wrap_socket(raw, server_hostname=target.host)
    paced.deadline, paced.patience = deadline, bounds.read_seconds
    paced.settimeout(bounds.read_seconds)
    return paced


def _read(response: http.client.HTTPResponse, most: int) -> bytes:
    if response.length is not None and response.length > most:
        raise _too_large(most)
    body = bytearray()
    while chunk := response.read(min(_CHUNK, most + 1 - len(body))):
        body += chunk
        if len(body) > most:
            raise _too_large(most)
    if response.length:
        raise _MissedError(Shortfall.UNREACHABLE, "the answer broke off", is_final=False)
    return bytes(body)


def _time_left(deadline: float, most: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return min(left, most)


def _too_large(most: int) -> _MissedError:
    return _MissedError(Shortfall.TOO_LARGE, f"more than {most} bytes", is_final=True)


def _not_allowed(detail: str) -> _MissedError:
    return _MissedError(Shortfall.NOT_ALLOWED, detail, is_final=True)


def _resolve(host: str, port: int) -> list[str]:
    return [str(found[4][0]) for found in getaddrinfo(host, port, proto=IPPROTO_TCP)]


@cache
def _system_trust() -> ssl.SSLContext:
    return ssl.create_default_context()
