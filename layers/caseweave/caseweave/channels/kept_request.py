"""What the ledger keeps of a request beside its body: all that a second reading needs, and nothing
that would let anybody in.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from caseweave.channels.request import WebhookRequest

# What was verified, never what authenticates.
_HEADERS = (
    "content-type",
    "user-agent",
    "i-twilio-idempotency-token",
    "x-bot-appid",
    "x-hub-signature-256",
    "x-line-signature",
    "x-twilio-signature",
)
# Under names of ours: no header of a request is kept under them.
QUERY = "x-caseweave-query"
_ACCOUNT = "x-caseweave-account"
# What an address that we gave to a provider says: which message, which call, whose.
_PARAMETERS = ("From", "To", "message", "step")
_SECRET_PARAMETERS = ("token",)


def keep_headers(request: WebhookRequest) -> dict[str, str]:
    """The headers of a verified request that are kept, and its query and account among them.

    Of a request without a body, the query is what was said.
    """
    kept = {name: request.headers[name] for name in _HEADERS if name in request.headers}
    pairs = [
        (name, value)
        for name, value in request.query
        if name in _PARAMETERS
        or (not request.body.strip() and name.lower() not in _SECRET_PARAMETERS)
    ]
    if pairs:
        kept[QUERY] = urlencode(pairs, errors="replace")
    if request.account:
        kept[_ACCOUNT] = request.account
    return kept


def restore_request(body: bytes, kept: Mapping[str, str]) -> WebhookRequest:
    """The request as far as it was kept."""
    headers = {name.lower(): value for name, value in kept.items()}
    query = parse_qsl(headers.pop(QUERY, ""), keep_blank_values=True, errors="replace")
    account = headers.pop(_ACCOUNT, "")
    return WebhookRequest(body, headers, tuple(query), account=account)
