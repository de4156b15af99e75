"""From the pull queue: an account of 微信客服 has news, or may have; its messages are pulled."""

from typing import Any
from uuid import uuid4

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.aws.queues import retry_after
from caseweave.logs import start_logging
from caseweave.wecom_pull import pause_after, pull_messages
from caseweave.wiring import start, wecom_source

logger = start_logging()
settings = start()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, _pull, processor, context)


def _pull(record: SQSRecord) -> None:
    tries = int(record.attributes.approximate_receive_count)
    with retry_after(settings.pull_queue_url, record.receipt_handle, pause_after(tries)):
        pages = pull_messages(record.body, wecom_source(settings), uuid4().hex, tries)
    logger.info("pulled", extra={"pages": pages})
