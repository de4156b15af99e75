"""From the evidence queue: files of a disputed case are locked, the platform's word is taken."""

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
from caseweave.evidence_keeping import keep_evidence, pause_after
from caseweave.logs import start_logging
from caseweave.wiring import evidence_vault, platform_connector, start

logger = start_logging()
settings = start()
connector = platform_connector(settings)
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, _keep, processor, context)


def _keep(record: SQSRecord) -> None:
    tries = int(record.attributes.approximate_receive_count)
    vault = evidence_vault(settings, connector)
    with retry_after(settings.evidence_queue_url, record.receipt_handle, pause_after(tries)):
        taken = keep_evidence(record.body, vault, partial(datetime.now, UTC))
    logger.info("evidence taken", extra={"taken": taken, "tries": tries})
