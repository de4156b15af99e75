"""Our intake bound to the bench stack's table, and a recorder of what it asks of the store."""

import hmac
import os
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pynamodb.connection import Connection

from caseweave.channels.credentials import Credentials
from caseweave.channels.registry import SMS
from caseweave.channels.request import WebhookRequest
from caseweave.config.threading import load_threading
from caseweave.intake import Door
from caseweave.storage.table import use_table
from caseweave.webhooks import receive_webhook

TOKEN, URL = "bench-token", "https://desk.example/intake/sms/twilio"
CREDENTIALS = Credentials("twilio", {"auth_token": [TOKEN], "webhook_url": URL})
DOOR = Door("frontline", [b"k" * 32], os.urandom, threading=load_threading(Path("config")))


def bind(outputs: dict[str, str]) -> None:
    """Point PynamoDB at the bench stack."""
    os.environ.update(
        AWS_ENDPOINT_URL=outputs["EndpointUrl"],
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_DEFAULT_REGION=outputs["Region"],
        NO_PROXY="127.0.0.1,localhost",
    )
    use_table(outputs["TableName"])


def make_request(phone: str, sid: str) -> WebhookRequest:
    """A signed Twilio webhook, as the gateway hands it over."""
    form = {
        "MessageSid": sid,
        "AccountSid": "AC1",
        "From": phone,
        "To": "+15005550006",
        "Body": "订单 T20261123-7731 充值半小时还没到账,麻烦看一下",
        "NumMedia": "0",
    }
    signed = URL + "".join(name + form[name] for name in sorted(form))
    signature = b64encode(hmac.digest(TOKEN.encode(), signed.encode(), sha1)).decode()
    return WebhookRequest(
        urlencode(form).encode(),
        {"x-twilio-signature": signature, "content-type": "application/x-www-form-urlencoded"},
    )


def take_in(request: WebhookRequest) -> None:
    """The whole intake call: verify, parse, read twice, decide, write."""
    receive_webhook(
        "twilio",
        SMS,
        request,
        lambda _: CREDENTIALS,
        lambda: DOOR,
        timedelta(days=400),
        datetime.now(UTC),
    )


@contextmanager
def recorded_calls() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """What goes to the store meanwhile: (operation, arguments)."""
    calls: list[tuple[str, dict[str, Any]]] = []
    original = Connection._make_api_call

    def record(self: Connection, operation: str, arguments: dict[str, Any]) -> Any:
        calls.append((operation, arguments))
        return original(self, operation, arguments)

    Connection._make_api_call = record  # type: ignore[method-assign]
    try:
        yield calls
    finally:
        Connection._make_api_call = original  # type: ignore[method-assign]
