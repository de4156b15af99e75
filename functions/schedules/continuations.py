"""Every minute: answers that the customer's page did not fetch go on by mail or SMS."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.config.web import deployed_web_rules
from caseweave.continuations import sweep_unread
from caseweave.domain.times import from_rfc3339
from caseweave.logs import start_logging
from caseweave.wiring import start

logger = start_logging()
settings = start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, int]:
    now = datetime.now(UTC)
    if settings.is_local and "now" in event:
        # The tests do not wait for real delays.
        now = from_rfc3339(event["now"])
    continued = sweep_unread(deployed_web_rules().continuing, now)
    logger.info("unread answers swept", extra={"continued": continued})
    return {"continued": continued}
