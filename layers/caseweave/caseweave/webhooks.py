"""The door for providers and forms: known, verified, parsed, kept; in that order (P1, P5)."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from typing import Any, TypeVar

from caseweave.channels import web_form
from caseweave.channels.credentials import Credentials
from caseweave.channels.registry import Greeter, Provider, answer_challenge, verify_time
from caseweave.channels.request import WebhookRequest
from caseweave.domain.message import InboundMessage
from caseweave.domain.tokens import issue_session_token, read_session_token
from caseweave.errors import CaseweaveError, NotFoundError, UnparseableError
from caseweave.http import Answer
from caseweave.intake import Door, Landed, quarantine, receive_message, take_in
from caseweave.storage.ledger import RawInput

logger = logging.getLogger(__name__)
T = TypeVar("T")

# How long a customer's page may read the answers to what it sent.
SESSION_LIFETIME = timedelta(days=30)
# Which headers are kept with the raw body: what was verified, never what authenticates.
_KEPT_HEADERS = (
    "content-type",
    "user-agent",
    "i-twilio-idempotency-token",
    "x-bot-appid",
    "x-hub-signature-256",
    "x-line-signature",
    "x-twilio-signature",
)


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
    challenge = answer_challenge(name, request, credentials)
    if challenge is not None:
        return Answer(HTTPStatus.OK, challenge)
    verify_time(name, request, now)
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


def receive_form(
    form: str,
    request: WebhookRequest,
    verify_token: Callable[[str], Mapping[str, Any]],
    door: Door,
    retention: timedelta,
    now: datetime,
) -> Answer:
    """A web form's submission: the case reference, and a session to read the answers with."""
    if not web_form.FORM_NAME.fullmatch(form):
        raise NotFoundError("There is no such form.")
    token = web_form.bearer_token(request)
    claims = verify_token(token) if token else {}
    submission = name_submission(request, door)
    raw = keep_raw(request, web_form.PROVIDER, form, now, retention)
    parse = partial(web_form.parse, request, form, claims, submission)
    return _receive_from_page(parse, raw, door, now)


def receive_chat(
    session: str, request: WebhookRequest, door: Door, retention: timedelta, now: datetime
) -> Answer:
    """The next message from the customer's page, into the case of its session; if that is closed
    by now, into the customer's open one or a new one, whose session the answer gives.

    Raises NotFoundError for a session that is forged or over.
    """
    case_id = read_session_token(session, door.signing_keys, now)
    if case_id is None:
        raise NotFoundError("There is no such session.")
    raw = keep_raw(request, web_form.CHAT, "", now, retention)
    submission = name_submission(request, door)
    parse = partial(web_form.parse_chat, request, case_id, submission)
    return _receive_from_page(parse, raw, door, now)


def name_submission(request: WebhookRequest, door: Door) -> str:
    """The same for a retry with the same Idempotency-Key, and for nothing else."""
    key = request.headers.get("idempotency-key") or door.entropy(16).hex()
    return sha256(key.encode() + b"\0" + request.body).hexdigest()[:32]


def _receive_from_page(
    parse: Callable[[], InboundMessage], raw: RawInput, door: Door, now: datetime
) -> Answer:
    try:
        inbound = parse_events(parse)
    except UnparseableError as error:
        quarantine(raw, str(error))
        return Answer(HTTPStatus.ACCEPTED, {"state": "quarantined", "reference": None})
    return _describe_landing(receive_message(inbound, raw, door), door, now)


def _describe_landing(landed: Landed, door: Door, now: datetime) -> Answer:
    """What the customer's page needs: the reference, and a session to read the answers with."""
    session = issue_session_token(landed.case_id, now + SESSION_LIFETIME, door.signing_keys)
    return Answer(
        HTTPStatus.CREATED if landed.is_new else HTTPStatus.OK,
        {
            "state": "received",
            "reference": landed.ref,
            "message_id": landed.message_id,
            "session": session,
            "messages": f"/intake/web/chat/{session}/messages",
        },
    )


def find_provider(name: str, providers: Mapping[str, Provider]) -> Provider:
    if name not in providers:
        raise NotFoundError("There is no such provider.")
    return providers[name]


def keep_raw(
    request: WebhookRequest, provider: str, account: str, now: datetime, retention: timedelta
) -> RawInput:
    """What the ledger keeps of a verified request."""
    headers = {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}
    return RawInput(provider, account, now, retention, request.body, headers=headers)


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
