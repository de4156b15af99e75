"""Webhooks that nobody signs: a secret token in the address proves where they come from."""

import json
from hashlib import sha256
from typing import Any

from caseweave.channels.constant_time import is_any_of
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest
from caseweave.errors import InvalidSignatureError, UnparseableError


def verify_token(provider: str, request: WebhookRequest, credentials: Credentials) -> None:
    """Compare `?token=` with the live `token`s; exactly one must be given.

    Raises InvalidSignatureError.
    """
    tokens = credentials.live("token")
    given = [value for name, value in request.query if name == "token"]
    if len(given) != 1 or not is_any_of(given[0], tokens):
        raise InvalidSignatureError(provider)


def digest_json(value: Any) -> str:
    """The id of what has none: the same for the same content. Raises UnparseableError."""
    try:
        return f"sha256.{sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()}"
    except RecursionError as error:
        raise UnparseableError("nested too deep") from error
