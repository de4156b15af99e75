"""A sample of the business's own backend: it knows the customers and vouches for them.

Run it with: python examples/platform/server.py --port 4571
"""

import argparse
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

if not __package__:  # started as a script: find the package from the project's folder
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from examples.platform.customers import load_customers
from examples.platform.keys import KeyRing
from examples.platform.routes import Platform, answer

DATA = Path(__file__).with_name("data.json")
LARGEST_BODY = 64 * 1024


class PlatformServer(ThreadingHTTPServer):
    def __init__(self, port: int, issuer: str | None) -> None:
        super().__init__(("127.0.0.1", port), PlatformHandler)
        own = f"http://127.0.0.1:{self.server_port}"
        self.platform = Platform(issuer or own, load_customers(DATA), KeyRing())


class PlatformHandler(BaseHTTPRequestHandler):
    server: PlatformServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self._refuse(411, "a Content-Length is required")
        elif int(length) > LARGEST_BODY:
            self._refuse(413, f"the body is larger than {LARGEST_BODY} bytes")
        else:
            path, body = unquote(urlsplit(self.path).path), self.rfile.read(int(length))
            self._send(*answer(self.server.platform, str(self.command), path, body))

    def _refuse(self, status: int, error: str) -> None:
        self.close_connection = True  # the body was not read, so nothing can follow it
        self._send(status, {"error": error})

    def _send(self, status: int, value: object) -> None:
        is_page = isinstance(value, bytes)
        body = value if is_page else json.dumps(value, ensure_ascii=False).encode()
        kind = "text/html" if is_page else "application/json"
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent; the answers say what went wrong."""


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--port", type=int, default=4571)
    parser.add_argument("--issuer", help="the iss of the tokens; by default this server's address")
    options = parser.parse_args()
    try:
        server = PlatformServer(options.port, options.issuer)
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
