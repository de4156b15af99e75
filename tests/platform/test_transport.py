"""One GET over real sockets, from servers that behave badly in every way."""

import socket
import time
from contextlib import contextmanager, suppress
from threading import Event, Thread

import pytest

from caseweave.platform.answer import Trouble
from caseweave.platform.transport import Bounds, NoReply, Reply, open_url

BOUNDS = Bounds(connect=1, read=0.2, whole=0.6, longest=1000)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@contextmanager
def serving(talk):
    """A server whose *talk* gets the request's bytes and the socket; its address."""
    asked, stop = [], Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while not stop.is_set():
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    asked.append(connection.recv(4096))
                    with suppress(OSError):
                        talk(connection)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
        stop.set()
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def saying(*pieces, pause=0.0):
    def talk(connection):
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)

    return talk


def ask(talk, path="/desk/accounts/u-1?limit=5", bounds=BOUNDS):
    with serving(talk) as (address, asked):
        return open_url(address + path, {"webhook-id": "q-1"}, bounds), asked


def test_an_answer_is_its_status_its_bytes_and_its_headers():
    reply, asked = ask(saying(HEAD + b"Content-Length: 2\r\nX-A: b\r\n\r\n{}"))

    assert reply == Reply(
        200, b"{}", {"content-type": "application/json", "content-length": "2", "x-a": "b"}
    )
    assert asked[0].startswith(b"GET /desk/accounts/u-1?limit=5 HTTP/1.1\r\n")
    assert b"webhook-id: q-1\r\n" in asked[0]
    assert b"Accept-Encoding: identity\r\n" in asked[0]


@pytest.mark.parametrize(
    "body",
    [
        b"\r\n{}",  # until the connection ends
        b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
    ],
)
def test_an_answer_may_come_in_any_framing(body):
    assert ask(saying(HEAD + body))[0].body == b"{}"


def test_a_redirect_is_not_followed():
    reply, asked = ask(
        saying(
            b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
        )
    )

    assert (reply.status, len(asked)) == (302, 1)


@pytest.mark.parametrize(
    ("talk", "trouble"),
    [
        (saying(b"", pause=0.5), Trouble.TIMEOUT),
        (saying(HEAD, pause=0.5), Trouble.TIMEOUT),
        (saying(HEAD + b"Content-Length: 9\r\n\r\n", pause=0.5), Trouble.TIMEOUT),
        (saying(HEAD + b"\r\n", *[b"x"] * 20, pause=0.1), Trouble.TIMEOUT),
        (saying(), Trouble.UNREACHABLE),
        (saying(b"garbage\r\n\r\n"), Trouble.UNREACHABLE),
        (saying(b"HTTP/1.1 two hundred\r\n\r\n"), Trouble.UNREACHABLE),
        (saying(HEAD + b"Content-Length: 9\r\n\r\n{}"), Trouble.UNREACHABLE),
        (saying(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), Trouble.UNREACHABLE),
        (saying(HEAD + b"X: " + b"y" * 70_000 + b"\r\n\r\n"), Trouble.UNREACHABLE),
        (saying(HEAD + b"\r\n" + b"x" * 1001), Trouble.ODD_ANSWER),
    ],
)
def test_whatever_else_comes_ends_in_time_and_says_what_it_was(talk, trouble):
    began = time.monotonic()

    reply, _ = ask(talk)

    assert isinstance(reply, NoReply)
    assert reply.trouble is trouble
    assert time.monotonic() - began < BOUNDS.whole + 2 * BOUNDS.read


def test_where_nobody_listens_there_is_no_answer():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert open_url(f"http://127.0.0.1:{port}/x", {}, BOUNDS) == NoReply(
        Trouble.UNREACHABLE, "ConnectionRefusedError"
    )


def test_a_name_that_nobody_has_is_not_reached():
    reply = open_url("http://platform.invalid/x", {}, BOUNDS)

    assert isinstance(reply, NoReply)
    assert reply.trouble is Trouble.UNREACHABLE


@pytest.mark.parametrize(
    "address",
    [
        "http://shop.example:port",
        "http://shop..example",
        "http://[::1",
        "http://127.0.0.1:99999",
        f"http://{'a' * 70}.example",
        "http://",
        "",
        "http://127.0.0.1:1/a b",
        "http://127.0.0.1:1/商城",
    ],
)
def test_an_address_that_is_none_is_not_reached(address):
    reply = open_url(f"{address}/x", {}, BOUNDS)

    assert isinstance(reply, NoReply)
    assert reply.trouble is Trouble.UNREACHABLE


def test_a_certificate_is_asked_for():
    with serving(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as (address, _):
        reply = open_url(address.replace("http:", "https:") + "/x", {}, BOUNDS)

    assert reply == NoReply(Trouble.UNREACHABLE, "SSLError")
