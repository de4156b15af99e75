"""What customers received: the provider sink's record of every message that left the desk."""

from typing import Any
from urllib.parse import urlencode

from caseweave.cli.outside.http import call


def list_received(sink_url: str, to: str = "", after: int = 0) -> list[dict[str, Any]]:
    """The messages behind number *after* (their `n`), oldest first; *to* one recipient if given."""
    query = urlencode({"to": to, "after": after})
    received: list[dict[str, Any]] = call("GET", f"{sink_url}/_sink/messages?{query}").json()
    return received


def count_received(sink_url: str) -> int:
    """The number of the newest message, 0 before the first."""
    return max((int(message["n"]) for message in list_received(sink_url)), default=0)
