"""From one channel's queue: messages are sent. Each channel runs this as its own function."""

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

from caseweave.aws.queues import delay_message
from caseweave.logs import start_logging
from caseweave.notifier import MOST_RECEIVES, NotSentYetError, notify, pause_before
from caseweave.wiring import outlet, start

logger = start_logging()
settings = start()
(queue_url,) = settings.queue_urls.values()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, _notify, processor, context)


def _notify(record: SQSRecord) -> None:
    receives, out = int(record.attributes.approximate_receive_count), outlet(settings)
    now, is_last_try = partial(datetime.now, UTC), receives >= MOST_RECEIVES
    try:
        state = notify(record.body, out.plan, out.send, now, is_last_try=is_last_try)
    except NotSentYetError as error:
        delay_message(queue_url, record.receipt_handle, pause_before(error, receives))
        raise
    logger.info("notified", extra={"state": state})
