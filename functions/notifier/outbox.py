"""From one channel's queue: messages are sent. Each channel runs this as its own function."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.notifier import MOST_RECEIVES, notify
from caseweave.wiring import sender, start

logger = Logger()
settings = start()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, _notify, processor, context)


def _notify(record: SQSRecord) -> None:
    is_last_try = int(record.attributes.approximate_receive_count) >= MOST_RECEIVES
    now = partial(datetime.now, UTC)
    state = notify(record.body, sender(settings), now, is_last_try=is_last_try)
    logger.info("notified", extra={"state": state})
