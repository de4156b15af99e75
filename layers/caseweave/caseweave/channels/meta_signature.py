"""How Meta proves that a webhook is its own; the same for Messenger, Instagram and WhatsApp.

https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads
https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests
"""

import hmac
from hashlib import sha256

from caseweave.channels.constant_time import is_any_of
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest
from caseweave.errors import InvalidSignatureError


def verify_signature(request: WebhookRequest, credentials: Credentials) -> None:
    """Check `X-Hub-Signature-256` over the body as it came, with every live `app_secret`.

    Meta escapes non-ASCII characters before it signs and sends the escaped body, so the bytes that
    came are the bytes that were signed. The older SHA-1 header proves nothing. Raises
    InvalidSignatureError.
    """
    given = request.headers.get("x-hub-signature-256", "")
    expected = (
        "sha256=" + hmac.digest(secret.encode(), request.body, sha256).hex()
        for secret in credentials.live("app_secret")
    )
    if not is_any_of(given, expected):
        raise InvalidSignatureError(credentials.provider)


def answer_greeting(request: WebhookRequest, credentials: Credentials) -> str:
    """The challenge of Meta's GET, which it must get back, if it knows a live `verify_token`.

    Raises InvalidSignatureError.
    """
    tokens = credentials.live("verify_token")
    mode = _only(request, "hub.mode")
    challenge = _only(request, "hub.challenge")
    knows = is_any_of(_only(request, "hub.verify_token"), tokens)
    if not knows or mode != "subscribe" or not challenge:
        raise InvalidSignatureError(credentials.provider)
    return challenge


def _only(request: WebhookRequest, name: str) -> str:
    """The value of a query parameter; "" if there is none, or if there are two to choose from."""
    values = [value for key, value in request.query if key == name]
    return values[0] if len(values) == 1 else ""
