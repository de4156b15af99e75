"""A webhook as a provider is about to send it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from caseweave.cli.outside.http import Reply, call

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where it goes below `/intake/`, and what it brings, signed."""

    path: str
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)

    def post_to(self, api_url: str) -> Reply:
        """Raises LocalStackError when nothing listens there."""
        query = f"?{urlencode(self.query)}" if self.query else ""
        headers = {"Content-Type": self.content_type, **self.headers}
        return call("POST", f"{api_url}/intake/{self.path}{query}", self.body, headers)
