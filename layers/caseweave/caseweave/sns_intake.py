"""The door for what comes by SNS: its certificate is fetched, and its subscription confirmed."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import urllib3

from caseweave.channels import aws_sms, sns
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest
from caseweave.channels.sms_registry import SMS
from caseweave.errors import InvalidSignatureError, UnavailableError, UnparseableError
from caseweave.http import Answer
from caseweave.intake import Door
from caseweave.webhooks import receive_webhook

logger = logging.getLogger(__name__)

# SNS waits 15 seconds for the answer.
_POOL = urllib3.PoolManager(timeout=urllib3.Timeout(connect=2, read=4), retries=False, maxsize=2)
_LONGEST_CERTIFICATE = 16 * 1024
_MOST_CERTIFICATES = 8
_certificates: dict[str, str] = {}

# An address of SNS → what is there. Raises UnavailableError, InvalidSignatureError.
Visit = Callable[[str], bytes]


def receive_sns(
    request: WebhookRequest,
    read_credentials: Callable[[str], Credentials],
    make_door: Callable[[], Door],
    visit: Visit,
    retention: timedelta,
    now: datetime,
) -> Answer:
    """A message of our SMS topic, verified, fresh, kept; then its subscription is confirmed.

    Raises InvalidSignatureError, MissingSecretError, ContentionError, UnavailableError.
    """
    name = aws_sms.PROVIDER
    credentials = read_credentials(name)
    url = sns.certificate_url(name, request, credentials)
    credentials = credentials.having(sns.CERTIFICATE, _find_certificate(url, visit))
    sns.check_time(name, request, credentials, now)
    answer = receive_webhook(name, SMS, request, lambda _: credentials, make_door, retention, now)
    _mind_subscription(request, visit)
    return answer


def _mind_subscription(request: WebhookRequest, visit: Visit) -> None:
    """Confirm what was offered; say loudly that it ended. Doing it again does no harm, and if it
    fails, SNS offers it again.
    """
    try:
        envelope = sns.read_envelope(request.body)
        url = sns.find_subscription(envelope)
    except UnparseableError:
        logger.exception("a subscription cannot be confirmed")
        return
    if url:
        visit(url)
        logger.info("confirmed the subscription to %s", envelope.topic)
    elif envelope.kind == "UnsubscribeConfirmation":
        logger.error("the subscription to %s has ended: SMS do not arrive any more", envelope.topic)


def _find_certificate(url: str, visit: Visit) -> str:
    """A certificate never changes under its address; few are kept, the oldest goes first."""
    if url not in _certificates:
        found = visit(url).decode("ascii", "replace")
        while len(_certificates) >= _MOST_CERTIFICATES:
            del _certificates[next(iter(_certificates))]
        _certificates[url] = found
    return _certificates[url]


def visit_sns(url: str, provider_api_url: str) -> bytes:
    """Get *url*, or the same path of what stands in for SNS on the local cloud.

    No redirect is followed. Raises UnavailableError when SNS has to be asked again, and
    InvalidSignatureError for what it does not have.
    """
    if provider_api_url:
        url = f"{provider_api_url}/aws/{url.split('/', 3)[3]}"
    try:
        answer = _POOL.request("GET", url, redirect=False, preload_content=False)
        try:
            content: bytes = answer.read(_LONGEST_CERTIFICATE + 1)
        finally:
            answer.release_conn()
    except urllib3.exceptions.HTTPError as error:
        raise UnavailableError(f"SNS cannot be asked: {type(error).__name__}") from error
    if 400 <= answer.status < 500:
        raise InvalidSignatureError(aws_sms.PROVIDER)
    if answer.status != 200 or len(content) > _LONGEST_CERTIFICATE:
        raise UnavailableError(f"SNS answers {answer.status}")
    return content
