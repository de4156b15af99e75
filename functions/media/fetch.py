"""From the media queue: a customer's file is fetched, looked at and kept."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

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
from caseweave.media import pause_after, settle_attachment
from caseweave.wiring import media_shelf, start

logger = start_logging()
settings = start()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, _fetch, processor, context)


def _fetch(record: SQSRecord) -> None:
    tries, shelf = int(record.attributes.approximate_receive_count), media_shelf(settings)
    with retry_after(settings.media_queue_url, record.receipt_handle, pause_after(tries)):
        state = settle_attachment(record.body, tries, shelf, partial(datetime.now, UTC))
    logger.info("fetched", extra={"state": state, "tries": tries})
