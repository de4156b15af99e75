"""The queues: putting something on, and waiting longer before it comes again."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from botocore.exceptions import BotoCoreError, ClientError

from caseweave.aws.clients import client
from caseweave.errors import CaseweaveError, UnavailableError

logger = logging.getLogger(__name__)


def queue_message(queue_url: str, body: str) -> None:
    """Raises UnavailableError."""
    try:
        client("sqs").send_message(QueueUrl=queue_url, MessageBody=body)
    except (ClientError, BotoCoreError) as error:
        raise UnavailableError(f"the queue cannot be written: {error}") from error


@contextmanager
def retry_after(queue_url: str, receipt_handle: str, pause: timedelta) -> Iterator[None]:
    """If what is done here fails, the queue brings the message again after *pause*."""
    try:
        yield
    except CaseweaveError:
        delay_message(queue_url, receipt_handle, pause)
        raise


def delay_message(queue_url: str, receipt_handle: str, pause: timedelta) -> None:
    """Let the queue bring a message that is being handled again after *pause*, not before.

    Where that cannot be arranged it comes again when it is visible by itself.
    """
    try:
        client("sqs").change_message_visibility(
            QueueUrl=queue_url,
            ReceiptHandle=receipt_handle,
            VisibilityTimeout=int(pause.total_seconds()),
        )
    except (ClientError, BotoCoreError) as error:
        logger.warning("the pause cannot be set: %s", error)
