"""A sample of the business's own backend: it knows the customers and vouches for them.

Run it with: python examples/platform/server.py --port 4571 --secrets .local/secrets.json
"""

import argparse
import json
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

if not __package__:  # started as a script: find the package from the project's folder
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from examples.platform.desk import Desk
from examples.platform.exchange import Request, Response, json_response
from examples.platform.keys import KeyRing
from examples.platform.routes import Platform, answer
from examples.platform.shop import open_shop

DATA = Path(__file__).with_name("data.json")
LARGEST_BODY = 64 * 1024
ReadSecrets = Callable[[], Sequence[str]]


def nobody() -> Sequence[str]:
    """No secret is agreed on, so the support desk may ask nothing."""
    return ()


class PlatformServer(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(
        self,
        port: int,
        database: Path,
        issuer: str | None = None,
        read_secrets: ReadSecrets = nobody,
    ) -> None:
        super().__init__(("127.0.0.1", port), PlatformHandler)
        own = f"http://127.0.0.1:{self.server_port}"
        shop = open_shop(database, DATA)
        desk = Desk(shop.database, read_secrets)
        self.platform = Platform(issuer or own, shop, KeyRing(), desk)


class PlatformHandler(BaseHTTPRequestHandler):
    server: PlatformServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        # A client may lose patience and leave; with slow answers that is part of the game.
        with suppress(ConnectionError):
            self._answer()

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self._refuse(411, "a Content-Length is required")
        elif int(length) > LARGEST_BODY:
            self._refuse(413, f"the body is larger than {LARGEST_BODY} bytes")
        else:
            self._send(answer(self.server.platform, self._request(int(length))))

    def _request(self, length: int) -> Request:
        parts = urlsplit(self.path)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(str(self.command), target, headers, self.rfile.read(length))

    def _refuse(self, status: int, error: str) -> None:
        self.close_connection = True  # the body was not read, so nothing can follow it
        self._send(json_response(status, {"error": error}))

    def _send(self, response: Response | None) -> None:
        if response is None:
            self.close_connection = True
            with suppress(OSError):  # the other side was faster
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.body)

    def log_message(self, *_: object) -> None:
        """Stay silent; the answers say what went wrong."""


def secrets_in(path: Path) -> ReadSecrets:
    """The secrets as the file has them whenever they are needed; none while it has none."""

    def read() -> Sequence[str]:
        try:
            found = json.loads(path.read_text(encoding="utf-8"))["platform"]["secret"]
        except (OSError, ValueError, KeyError, TypeError):
            return ()
        return found if isinstance(found, list) else [found]

    return read


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--port", type=int, default=4571)
    parser.add_argument("--issuer", help="the iss of the tokens; by default this server's address")
    parser.add_argument("--secrets", type=Path, help="a file with the support desk's secrets")
    parser.add_argument("--database", type=Path, help="kept here; by default it ends with us")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = options.database or Path(folder) / "platform.sqlite3"
        read_secrets = secrets_in(options.secrets) if options.secrets else nobody
        try:
            server = PlatformServer(options.port, database, options.issuer, read_secrets)
        except OSError as error:
            parser.error(f"cannot listen on 127.0.0.1:{options.port}: {error.strerror}")
        with server:
            print(f"platform on http://127.0.0.1:{server.server_port}", flush=True)
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                print("platform stopped")


if __name__ == "__main__":
    main()
