"""Mailgun routes: mail that `forward()` posts to us. Inbound only; answers leave through SES.

https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/receive-http
https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/spam-filter
https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
"""

import hmac
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from caseweave.channels.credentials import Credentials
from caseweave.channels.hosted_mail import (
    Envelope,
    assemble,
    bare_addresses,
    file_part,
    read_envelope_address,
    reads_as_spam,
    understand,
    write_head,
)
from caseweave.channels.mail_reading import Mail, MailPart, read_mail
from caseweave.channels.multipart import Form, read_parts
from caseweave.channels.request import WebhookRequest
from caseweave.domain.message import InboundEvent
from caseweave.errors import InvalidSignatureError, UnparseableError

PROVIDER = "mailgun"
ACKNOWLEDGED = ("application/json", "{}")
API_URL = "https://api.mailgun.net"
# How far the signed time may be from ours. Every delivery, a repeated one too, is signed anew.
LONGEST_AGE = timedelta(minutes=15)

# What stands in for `message-headers` when it is not there: Mailgun posts headers as fields too.
_HEADERS = ("from", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references")


def verify(request: WebhookRequest, credentials: Credentials) -> None:
    """Check `signature` over `timestamp` and `token`; Mailgun signs nothing else of the form.

    A header of the mail may have the name of a field, and comes before it: the last one counts.
    Whether the time is near is for `is_fresh`. Raises InvalidSignatureError.
    """
    keys = credentials.live("signing_key")
    try:
        form = read_parts(request)
    except UnparseableError as error:
        raise InvalidSignatureError(PROVIDER) from error
    timestamp, token = form.last("timestamp"), form.last("token")
    given = form.last("signature").encode()
    macs = [hmac.new(key.encode(), f"{timestamp}{token}".encode(), sha256) for key in keys]
    # All are compared, so that the time does not tell which one was near.
    matches = [hmac.compare_digest(mac.hexdigest().encode(), given) for mac in macs]
    if not any(matches) or not timestamp or not token:
        raise InvalidSignatureError(PROVIDER)


def is_fresh(request: WebhookRequest, now: datetime) -> bool:
    """Was what `verify` checked signed within LONGEST_AGE of *now*?

    Raises UnparseableError for what has no signed time at all.
    """
    timestamp = read_parts(request).last("timestamp")
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 11):
        return False
    return abs(now - datetime.fromtimestamp(int(timestamp), UTC)) <= LONGEST_AGE


def parse(request: WebhookRequest, credentials: Credentials) -> list[InboundEvent]:
    """The one mail of a request. Raises UnparseableError."""
    return parse_mail(request, credentials)[0]


def parse_mail(
    request: WebhookRequest,
    credentials: Credentials,  # noqa: ARG001 - nothing of the account is needed to read a mail
) -> tuple[list[InboundEvent], tuple[MailPart, ...]]:
    """The one event, and the files that came with it. Raises UnparseableError.

    The sender stays unproven: `X-Mailgun-Spf` and `X-Mailgun-Dkim-Check-Result` are headers of
    the mail, are only added where its filter is on, and name no domain. Anybody can write them.
    """
    form = read_parts(request)
    mail = _read(form)
    sender = form.find("sender")
    envelope = Envelope(
        recipients=bare_addresses(form.first("recipient")),
        sender=None if sender is None else read_envelope_address(sender.text),
        verdicts={"spam": "fail"} if reads_as_spam(mail, "x-mailgun-sflag") else {},
    )
    return understand(PROVIDER, mail, envelope)


def _read(form: Form) -> Mail:
    raw = form.find("body-mime")
    if raw is not None and raw.content.strip():
        return read_mail(raw.content)
    plain, html = form.find("body-plain"), form.find("body-html")
    if plain is None and html is None:
        raise UnparseableError("neither body-mime nor body-plain nor body-html")
    return assemble(
        write_head(_headers(form)),
        plain.content if plain else b"",
        html.content if html else b"",
        _files(form),
    )


def _headers(form: Form) -> list[tuple[str, str]]:
    """The headers in their order; without that list, those fields that are headers."""
    try:
        told: Any = json.loads(form.last("message-headers"))
    except (ValueError, RecursionError):
        told = None
    if isinstance(told, list):
        pairs = [pair for pair in told if isinstance(pair, list) and len(pair) == 2]
        return [(str(name), str(value)) for name, value in pairs]
    fields: dict[str, str] = {}
    for part in form.parts:
        if part.file_name is None and part.name.lower() in _HEADERS:
            fields.setdefault(part.name.lower(), part.text)
    return list(fields.items())


def _files(form: Form) -> list[MailPart]:
    parts = [p for p in form.parts if p.file_name is not None and p.name.startswith("attachment")]
    return [
        file_part(number, part.file_name or "", part.media_type, part.content)
        for number, part in enumerate(parts, 1)
    ]
