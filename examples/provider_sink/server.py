"""Stand in for the providers' sending APIs on this machine, and show what they were given.

Run it with: python examples/provider_sink/server.py --port 4570 --secrets .local/secrets.json
"""

import argparse
import socket
import sys
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

if not __package__:  # started as a script: find the package from the project's folder
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from examples.provider_sink.accounts import Secrets
from examples.provider_sink.exchange import Request, Response, json_response
from examples.provider_sink.routes import Sink, answer

LARGEST_BODY = 16 * 1024 * 1024


class SinkServer(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, port: int, sink: Sink) -> None:
        super().__init__(("127.0.0.1", port), SinkHandler)
        self.sink = sink


class SinkHandler(BaseHTTPRequestHandler):
    server: SinkServer
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
            self._send(answer(self.server.sink, self._request(int(length))))

    def _request(self, length: int) -> Request:
        parts = urlsplit(self.path)
        body = self.rfile.read(length)
        return Request(str(self.command), parts.path, parts.query, self.headers, body)

    def _refuse(self, status: int, error: str) -> None:
        self.close_connection = True  # the body was not read, so nothing can follow it
        self._send(json_response(status, {"error": error}, {"Connection": "close"}))

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
        """Stay silent: request lines would show bot tokens."""


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--port", type=int, default=4570)
    parser.add_argument("--secrets", type=Path, default=Path(".local/secrets.json"))
    parser.add_argument(
        "--no-callbacks", action="store_true", help="send no Twilio status callbacks"
    )
    options = parser.parse_args()
    sink = Sink(Secrets(options.secrets), calls_back=not options.no_callbacks)
    try:
        server = SinkServer(options.port, sink)
    except OSError as error:
        parser.error(f"cannot listen on 127.0.0.1:{options.port}: {error.strerror}")
    with server:
        print(f"provider sink on http://127.0.0.1:{server.server_port}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("provider sink stopped")


if __name__ == "__main__":
    main()
