"""Downloads from servers that behave badly, each in its own way, over real sockets."""

import gzip
import ipaddress
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from caseweave.channels.media import MediaRequest
from caseweave.domain.media import Shortfall
from caseweave.downloading import Answered, Bounds, Missed, Network, download

PUBLIC = "93.184.216.34"
HOST = "files.example.com"
OK = b"HTTP/1.1 200 OK\r\n"


class Server:
    """Says what it is told to each who connects; remembers what it was asked."""

    def __init__(self, speak, context=None):
        self.speak = speak
        self.asked = []
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def close(self):
        self._listener.close()

    def _serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client):
        try:
            if self._context:
                client = self._context.wrap_socket(client, server_side=True)
            with client:
                asked = b""
                while b"\r\n\r\n" not in asked and (chunk := client.recv(4096)):
                    asked += chunk
                self.asked.append(asked.decode("latin-1"))
                self.speak(client, asked.decode("latin-1"))
        except OSError:
            pass  # the one who asked had enough


@contextmanager
def serving(speak, context=None):
    server = Server(speak, context)
    try:
        yield server
    finally:
        server.close()


def saying(*parts):
    def speak(client, _asked):
        for part in parts:
            client.sendall(part)

    return speak


def whole(body, *headers):
    lines = [f"Content-Length: {len(body)}".encode(), *headers]
    return OK + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def drip(head, piece, pause=0.05):
    def speak(client, _asked):
        client.sendall(head)
        while True:
            client.sendall(piece)
            time.sleep(pause)

    return speak


def refuse_to_resolve(host, port):
    raise AssertionError(f"{host} was looked up")


NOWHERE = Network(refuse_to_resolve, socket.create_connection, ssl.create_default_context)


def get(server, most_bytes=1000, seconds=5.0, headers=None, path="/file", **more):
    bounds = Bounds((HOST,), most_bytes, seconds, stand_in=server.url, **more)
    return download(MediaRequest(server.url + path, headers or {}), bounds, NOWHERE)


def test_a_file_comes_as_it_is():
    with serving(saying(whole(b"\x00bytes\xff"))) as server:
        assert get(server, headers={"Authorization": "Bearer t"}) == Answered(200, b"\x00bytes\xff")

    (asked,) = server.asked
    assert asked.startswith("GET /file HTTP/1.1\r\n")
    assert "Authorization: Bearer t\r\n" in asked
    assert f"Host: 127.0.0.1:{server.port}\r\n" in asked
    assert "Accept-Encoding: identity\r\n" in asked


@pytest.mark.parametrize("status", [202, 204, 400, 401, 404, 500, 503])
def test_every_other_status_is_told_with_its_body(status):
    said = f"HTTP/1.1 {status} X\r\nContent-Length: {0 if status == 204 else 2}\r\n\r\nno".encode()
    with serving(saying(said)) as server:
        assert get(server) == Answered(status, b"" if status == 204 else b"no")


def test_a_body_without_a_length_ends_with_the_connection():
    with serving(saying(OK + b"\r\n", b"all")) as server:
        assert get(server) == Answered(200, b"all")


def test_a_chunked_body_is_put_together():
    head = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    with serving(saying(head, b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")) as server:
        assert get(server) == Answered(200, b"abcde")


# ---------------------------------------------------------------- too much


def test_who_announces_too_much_is_not_even_read():
    head = OK + b"Content-Length: 999999999999\r\n\r\n"
    with serving(drip(head, b"x" * 10)) as server:
        started = time.monotonic()
        assert get(server) == Missed(Shortfall.TOO_LARGE, "more than 1000 bytes", is_final=True)
        assert time.monotonic() - started < 2


def test_exactly_as_much_as_allowed_is_taken():
    with serving(saying(whole(b"x" * 1000))) as server:
        assert get(server) == Answered(200, b"x" * 1000)


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (OK + b"\r\n", b"x" * 300),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"12c\r\n" + b"x" * 300 + b"\r\n"),
        (
            OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
            b"f\r\n" + b"x" * 15 + b"\r\n",
        ),
    ],
    ids=["no length", "endless chunks", "two lengths"],
)
def test_who_never_ends_is_cut_off_by_size(head, piece):
    with serving(drip(head, piece, pause=0)) as server:
        assert get(server) == Missed(Shortfall.TOO_LARGE, "more than 1000 bytes", is_final=True)


def test_a_length_too_short_cuts_what_comes_after_it():
    with serving(saying(OK + b"Content-Length: 3\r\n\r\nabcdefgh")) as server:
        assert get(server) == Answered(200, b"abc")


def test_a_length_too_long_is_a_file_that_broke_off():
    with serving(saying(OK + b"Content-Length: 30\r\n\r\nabc")) as server:
        missed = Missed(Shortfall.UNREACHABLE, "the answer broke off", is_final=False)
        assert get(server) == missed


def test_what_is_compressed_stays_so():
    bomb = gzip.compress(b"\0" * 10_000_000)
    with serving(saying(whole(bomb, b"Content-Encoding: gzip"))) as server:
        assert get(server, most_bytes=20_000) == Answered(200, bomb)


# ---------------------------------------------------------------- too slow


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"", b"H"),
        (OK + b"X-", b"a"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (OK + b"Content-Length: 900\r\n\r\n", b"x"),
        (OK + b"\r\n", b"x"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    ],
    ids=["status", "headers", "continue", "body", "body without length", "chunk size"],
)
def test_who_drips_is_cut_off_by_the_deadline(head, piece):
    with serving(drip(head, piece)) as server:
        started = time.monotonic()
        missed = get(server, seconds=0.6)
        took = time.monotonic() - started

    assert missed == Missed(Shortfall.UNREACHABLE, "no answer in time", is_final=False)
    assert 0.5 < took < 3


def test_who_says_nothing_is_left_after_a_while():
    with serving(lambda client, _asked: time.sleep(3)) as server:
        started = time.monotonic()
        assert get(server, read_seconds=0.3) == Missed(
            Shortfall.UNREACHABLE, "no answer in time", is_final=False
        )
        assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 70_000 + b"\r\n\r\n",
        OK + b"".join(b"X-%d: 1\r\n" % n for n in range(200)) + b"\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
    ids=["nothing", "another protocol", "a header too long", "many headers", "chunk", "cut chunk"],
)
def test_who_does_not_speak_http_is_a_failed_connection(said):
    with serving(saying(said)) as server:
        missed = get(server)
    assert isinstance(missed, Missed)
    assert (missed.reason, missed.is_final) == (Shortfall.UNREACHABLE, False)
    assert missed.detail.startswith("the connection failed: ")


def test_nobody_there_is_unreachable():
    with serving(saying(b"")) as server:
        pass
    missed = get(server)
    assert (missed.reason, missed.is_final) == (Shortfall.UNREACHABLE, False)


# ---------------------------------------------------------------- redirects


def redirect(location, status=302):
    return f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


def hopping(hops, then=b"there"):
    """Redirects `/0` to `/1` and so on, and has the file at `/<hops>`."""

    def speak(client, asked):
        number = int(asked.split()[1].lstrip("/"))
        client.sendall(whole(then) if number == hops else redirect(f"/{number + 1}"))

    return speak


def test_three_redirects_are_followed_and_the_headers_stay_with_their_host():
    with serving(hopping(3)) as server:
        assert get(server, path="/0", headers={"Authorization": "t"}) == Answered(200, b"there")
    assert ["Authorization: t\r\n" in asked for asked in server.asked] == [True] * 4


def test_a_fourth_is_not():
    with serving(hopping(4)) as server:
        missed = Missed(Shortfall.NOT_ALLOWED, "more than 3 redirects", is_final=True)
        assert get(server, path="/0") == missed
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/latest/meta-data/",
        "https://evil.example/",
        f"https://{HOST}.evil.example/",
        f"https://evil{HOST}/",
        f"http://{HOST}/",
        f"https://{HOST}:8443/",
        f"https://user:pw@{HOST}/",
        f"https://{HOST}@evil.example/",
        "ftp://files.example.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "https://[::1/",
        "https://[::1]/",
        f"https://{HOST}:99999/",
        "//evil.example/x",
    ],
)
def test_a_redirect_off_the_list_is_not_followed(location):
    with serving(saying(redirect(location))) as server:
        missed = get(server)
    assert isinstance(missed, Missed)
    assert (missed.reason, missed.is_final) == (Shortfall.NOT_ALLOWED, True)
    assert len(server.asked) == 1


# ---------------------------------------------------------------- TLS, names and addresses


@pytest.fixture(scope="module")
def trust(tmp_path_factory):
    """(server's context, client's context): a certificate for HOST and its subdomains."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(HOST), x509.DNSName(f"*.{HOST}")]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return server, ssl.create_default_context(cafile=folder / "cert.pem")


class Internet:
    """A network in which every name leads to the given addresses, and each of these to a server."""

    def __init__(self, server, context, *addresses):
        self.addresses = list(addresses)
        self.resolved, self.connected = [], []
        self._server, self._context = server, context

    def resolve(self, host, port):
        self.resolved.append(host)
        return self.addresses

    def connect(self, address, timeout):
        self.connected.append(address)
        return socket.create_connection(("127.0.0.1", self._server.port), timeout)

    def get(self, url, headers=None, seconds=5.0):
        network = Network(self.resolve, self.connect, lambda: self._context)
        bounds = Bounds((HOST, "cdn.example.net"), 1000, seconds)
        return download(MediaRequest(url, headers or {}), bounds, network)


def test_over_tls_the_checked_address_is_connected_to_and_the_name_is_proved(trust):
    with serving(saying(whole(b"file")), trust[0]) as server:
        internet = Internet(server, trust[1], PUBLIC)
        assert internet.get(f"https://{HOST}/a b?x=1#y") == Answered(200, b"file")

    assert internet.resolved == [HOST]
    assert internet.connected == [(PUBLIC, 443)]
    assert server.asked[0].startswith("GET /a%20b?x=1 HTTP/1.1\r\n")
    assert f"Host: {HOST}\r\n" in server.asked[0]


def test_a_certificate_for_another_name_is_a_failed_connection(trust):
    with serving(saying(whole(b"file")), trust[0]) as server:
        missed = Internet(server, trust[1], PUBLIC).get("https://cdn.example.net/")
    assert missed == Missed(
        Shortfall.UNREACHABLE, "the connection failed: SSLCertVerificationError", is_final=False
    )
    assert server.asked == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:169.254.169.254"],
        ["fd00:ec2::254"],
        [PUBLIC, "127.0.0.1"],
        [],
    ],
)
def test_a_name_that_leads_inside_is_not_connected_to(trust, addresses):
    with serving(saying(whole(b"secret")), trust[0]) as server:
        internet = Internet(server, trust[1], *addresses)
        missed = internet.get(f"https://{HOST}/")

    assert missed == Missed(
        Shortfall.NOT_ALLOWED, f"the host '{HOST}' is not at a public address", is_final=True
    )
    assert internet.connected == []


def test_a_name_that_changes_its_address_meanwhile_gains_nothing(trust):
    """Rebinding: the address that was checked is the one that is connected to."""
    with serving(saying(whole(b"file")), trust[0]) as server:
        internet = Internet(server, trust[1], PUBLIC)
        answers = iter([[PUBLIC], ["127.0.0.1"]])
        internet.resolve = lambda host, port: next(answers)
        internet.get(f"https://{HOST}/")

    assert [ipaddress.ip_address(host).is_global for host, _ in internet.connected] == [True]


def test_a_redirect_to_a_name_that_leads_inside_is_not_followed(trust):
    with serving(saying(redirect(f"https://in.{HOST}/")), trust[0]) as server:
        internet = Internet(server, trust[1])
        internet.resolve = lambda host, port: [PUBLIC if host == HOST else "10.0.0.1"]
        missed = internet.get(f"https://{HOST}/")

    assert missed.reason is Shortfall.NOT_ALLOWED
    assert internet.connected == [(PUBLIC, 443)]


def test_our_credentials_do_not_go_along_to_another_host_nor_come_back(trust):
    def speak(client, asked):
        path = asked.split()[1]
        there = {"/0": f"https://a.{HOST}/1", "/1": f"https://{HOST}/2"}.get(path)
        client.sendall(redirect(there) if there else whole(b"file"))

    with serving(speak, trust[0]) as server:
        internet = Internet(server, trust[1], PUBLIC)
        assert internet.get(f"https://{HOST}/0", {"Authorization": "t"}) == Answered(200, b"file")

    assert ["Authorization" in asked for asked in server.asked] == [True, False, False]


def test_a_handshake_that_never_ends_is_left():
    with serving(lambda client, _asked: None) as server:
        internet = Internet(server, ssl.create_default_context(), PUBLIC)
        started = time.monotonic()
        missed = internet.get(f"https://{HOST}/", seconds=0.5)

    assert missed.reason is Shortfall.UNREACHABLE
    assert time.monotonic() - started < 3


def test_who_drips_over_tls_is_cut_off_too(trust):
    with serving(drip(OK + b"\r\n", b"x"), trust[0]) as server:
        started = time.monotonic()
        missed = Internet(server, trust[1], PUBLIC).get(f"https://{HOST}/", seconds=0.8)

    assert missed == Missed(Shortfall.UNREACHABLE, "no answer in time", is_final=False)
    assert time.monotonic() - started < 3


def test_the_stand_in_is_one_address_and_no_other():
    with serving(saying(whole(b"x"))) as server:
        bounds = Bounds((HOST,), 1000, 5, stand_in=f"http://127.0.0.1:{server.port + 1}")
        missed = download(MediaRequest(f"{server.url}/x"), bounds, NOWHERE)
    assert missed == Missed(Shortfall.NOT_ALLOWED, "only https, at its own port", is_final=True)
    assert server.asked == []
