"""Stand in for an OpenSearch domain on this machine: signed requests, documents, and faults.

Run it with: python examples/opensearch/server.py --port 4572 --secret test
"""

import argparse
import json
import sys
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

if not __package__:  # started as a script: find the package from the project's folder
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from examples.opensearch.documents import Index
from examples.opensearch.signature import find_flaw


class Domain(ThreadingHTTPServer):
    """`answers` are given to the next requests, `refusals` to the next documents: what to expect of
    a domain that is busy.
    """

    def __init__(self, port: int, secret: str) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.secret, self.index = secret, Index()
        self.answers: list[int] = []
        self.refusals: list[int] = []


class _Handler(BaseHTTPRequestHandler):
    server: Domain
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        flaw = find_flaw("POST", self.path, headers, body, self.server.secret)
        if flaw is not None:
            self._send(403, {"message": flaw})
        elif self.server.answers:
            self._send(self.server.answers.pop(0), {"error": "on demand"})
        elif self.path == "/_bulk":
            self._send(200, self._write(body))
        elif self.path.startswith("/messages/_search"):
            hits = self.server.index.search(json.loads(body))
            self._send(200, {"hits": {"hits": [{"_source": hit} for hit in hits]}})
        else:
            self._send(404, {"error": "no such path"})

    def _write(self, body: bytes) -> dict[str, Any]:
        # Each line ends, the last one too: OpenSearch insists.
        lines = iter([json.loads(line) for line in body.decode().split("\n")[:-1]])
        items = []
        for action in lines:
            ((verb, name),) = action.items()
            document = next(lines) if verb == "index" else {}
            items.append({verb: {"_id": name["_id"], "status": self._apply(verb, name, document)}})
        return {"errors": False, "items": items}

    def _apply(self, verb: str, name: Mapping[str, Any], document: dict[str, Any]) -> int:
        if self.server.refusals and (status := self.server.refusals.pop(0)):
            return status
        index = self.server.index
        return index.put(name, document) if verb == "index" else index.delete(name)

    def _send(self, status: int, value: Any) -> None:
        body = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing of each request."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=4572)
    parser.add_argument("--secret", default="test")
    given = parser.parse_args()
    Domain(given.port, given.secret).serve_forever()


if __name__ == "__main__":
    main()
