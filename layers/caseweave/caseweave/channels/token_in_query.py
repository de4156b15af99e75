"""Webhooks that nobody signs: a secret token in the address proves where they come from."""

from caseweave.channels.constant_time import is_any_of
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest
from caseweave.errors import InvalidSignatureError


def verify_token(provider: str, request: WebhookRequest, credentials: Credentials) -> None:
    """Compare `?token=` with the live `token`s; exactly one must be given.

    Raises InvalidSignatureError.
    """
    tokens = credentials.live("token")
    given = [value for name, value in request.query if name == "token"]
    if len(given) != 1 or not is_any_of(given[0], tokens):
        raise InvalidSignatureError(provider)
