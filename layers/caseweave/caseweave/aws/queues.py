"""The outbound queues, one a channel."""

from botocore.exceptions import BotoCoreError, ClientError

from caseweave.aws.clients import client
from caseweave.errors import UnavailableError


def queue_message(queue_url: str, body: str) -> None:
    """Raises UnavailableError."""
    try:
        client("sqs").send_message(QueueUrl=queue_url, MessageBody=body)
    except (ClientError, BotoCoreError) as error:
        raise UnavailableError(f"the queue cannot be written: {error}") from error
