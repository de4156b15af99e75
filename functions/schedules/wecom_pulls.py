"""Every few minutes: accounts of 微信客服 are pulled even if no hint came."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.aws.queues import queue_message
from caseweave.domain.times import from_rfc3339
from caseweave.logs import start_logging
from caseweave.wecom_pull import wish_for_all
from caseweave.wiring import start

logger = start_logging()
settings = start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, int]:
    now = datetime.now(UTC)
    if settings.is_local and "now" in event:
        # The tests do not wait for minutes to pass.
        now = from_rfc3339(event["now"])
    wished = wish_for_all(partial(queue_message, settings.pull_queue_url), now)
    logger.info("pulls wished for", extra={"accounts": wished})
    return {"accounts": wished}
