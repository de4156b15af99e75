"""The door for providers: known, verified, parsed, kept; in that order (P1, P5)."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TypeVar

from caseweave.channels.credentials import Credentials
from caseweave.channels.kept_request import keep_headers
from caseweave.channels.protocols import (
    Greeter,
    Provider,
    answer_challenge,
    attribute,
    verify_time,
)
from caseweave.channels.request import WebhookRequest
from caseweave.errors import CaseweaveError, NotFoundError, UnparseableError
from caseweave.http import Answer
from caseweave.intake import Door, quarantine, take_in
from caseweave.storage.ledger import RawInput

logger = logging.getLogger(__name__)
T = TypeVar("T")


def receive_webhook(
    name: str,
    providers: Mapping[str, Provider],
    request: WebhookRequest,
    read_credentials: Callable[[str], Credentials],
    make_door: Callable[[], Door],
    retention: timedelta,
    now: datetime,
) -> Answer:
    """A provider's webhook. An unknown provider is refused before any secret is read.

    Raises NotFoundError, InvalidSignatureError (also for a genuine signature that is too old),
    MissingSecretError, ContentionError, UnavailableError.
    """
    provider = find_provider(name, providers)
    credentials = read_credentials(name)
    provider.verify(request, credentials)
    challenge = answer_challenge(provider, request, credentials)
    if challenge is not None:
        return Answer(HTTPStatus.OK, challenge)
    verify_time(provider, request, now)
    request = attribute(provider, request, credentials)
    raw = keep_raw(request, name, "", now, retention)
    try:
        events = parse_events(lambda: provider.parse(request, credentials))
    except UnparseableError as error:
        quarantine(raw, str(error))
    else:
        take_in(events, raw, make_door())
    content_type, body = provider.ACKNOWLEDGED
    return Answer(HTTPStatus.OK, body, content_type)


def answer_greeting(
    name: str,
    greeters: Mapping[str, Greeter],
    request: WebhookRequest,
    read_credentials: Callable[[str], Credentials],
) -> Answer:
    """A provider asks whether the webhook is ours before it sends anything.

    Raises NotFoundError, InvalidSignatureError, MissingSecretError.
    """
    if name not in greeters:
        raise NotFoundError("There is no such provider.")
    return Answer(
        HTTPStatus.OK, greeters[name].greet(request, read_credentials(name)), "text/plain"
    )


def find_provider(name: str, providers: Mapping[str, Provider]) -> Provider:
    if name not in providers:
        raise NotFoundError("There is no such provider.")
    return providers[name]


def keep_raw(
    request: WebhookRequest, provider: str, account: str, now: datetime, retention: timedelta
) -> RawInput:
    """What the ledger keeps of a verified request."""
    kept = keep_headers(request)
    return RawInput(provider, account, now, retention, request.body, headers=kept)


def parse_events(parse: Callable[[], T]) -> T:
    """What *parse* makes of a body; UnparseableError whatever goes wrong in it.

    The process boundary for content: a verified body that trips a bug of ours is kept for people
    and for a replay after the fix, and the provider is not asked to send it again for days.
    """
    try:
        return parse()
    except CaseweaveError:
        raise
    except Exception as error:
        logger.exception("a parser failed on a verified body")
        raise UnparseableError(f"the parser failed: {type(error).__name__}") from error
