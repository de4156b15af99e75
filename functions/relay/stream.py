"""From the table's stream: messages, files and pulls to their queues, events to the bus."""

from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.aws.bus import publish_event
from caseweave.aws.queues import queue_message
from caseweave.logs import start_logging
from caseweave.relay import relay_record
from caseweave.settings import Settings
from caseweave.stream import work_through

logger = start_logging()
settings = Settings.from_env()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    logger.info("relaying", extra={"records": len(event["Records"])})
    return work_through(event, _relay)


def _relay(record: dict[str, Any]) -> None:
    relay_record(
        record["NewImage"],
        lambda channel, body: queue_message(settings.queue_urls[channel], body),
        partial(queue_message, settings.media_queue_url),
        partial(publish_event, settings.bus_name),
        partial(queue_message, settings.pull_queue_url),
        partial(queue_message, settings.evidence_queue_url),
        partial(queue_message, settings.index_queue_url),
    )
