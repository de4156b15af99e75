"""Mail intake from hosted providers, which receive mail for us and post it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus

from caseweave.aws.mailbox import keep_attachment, keep_raw
from caseweave.channels.credentials import Credentials
from caseweave.channels.kept_request import keep_headers
from caseweave.channels.mail_registry import MailProvider
from caseweave.channels.protocols import verify_time
from caseweave.channels.request import WebhookRequest
from caseweave.errors import NotFoundError, UnparseableError
from caseweave.http import LONGEST_BODY, Answer
from caseweave.intake import Door, quarantine, take_in
from caseweave.storage.ledger import RawInput
from caseweave.webhooks import parse_events


def receive_hosted_mail(
    name: str,
    providers: Mapping[str, MailProvider],
    request: WebhookRequest,
    files_bucket: str,
    read_credentials: Callable[[str], Credentials],
    make_door: Callable[[], Door],
    retention: timedelta,
    now: datetime,
) -> Answer:
    """A mail that a hosted provider posts. The same order as at every door.

    Raises NotFoundError, InvalidSignatureError (also for a genuine signature that is too old),
    MissingSecretError, ContentionError, UnavailableError.
    """
    if name not in providers:
        raise NotFoundError("There is no such provider.")
    provider, credentials = providers[name], read_credentials(name)
    provider.verify(request, credentials)
    verify_time(provider, request, now)
    raw = _keep_request(name, request, files_bucket, retention, now)
    try:
        events, files = parse_events(lambda: provider.parse_mail(request, credentials))
    except UnparseableError as error:
        quarantine(raw, str(error))
    else:
        for file in files:
            keep_attachment(files_bucket, file.digest, file.media_type, file.content)
        take_in(events, raw, make_door())
    content_type, body = provider.ACKNOWLEDGED
    return Answer(HTTPStatus.OK, body, content_type)


def _keep_request(
    name: str, request: WebhookRequest, files_bucket: str, retention: timedelta, now: datetime
) -> RawInput:
    """A small body goes into the ledger itself, a large one beside the files."""
    raw = RawInput(name, "", now, retention, headers=keep_headers(request))
    if len(request.body) <= LONGEST_BODY:
        return replace(raw, body=request.body)
    return replace(raw, body_ref=keep_raw(files_bucket, request.body), hold_in=files_bucket)
