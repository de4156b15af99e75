"""Every minute: cases that are due for it are warned about, breached, escalated."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.config.desk import deployed_desk
from caseweave.domain.times import from_rfc3339
from caseweave.logs import start_logging
from caseweave.sla import sweep_due_cases
from caseweave.wiring import start

logger = start_logging()
settings = start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, int]:
    now = datetime.now(UTC)
    if settings.is_local and "now" in event:
        # The demo and the tests do not wait for real deadlines.
        now = from_rfc3339(event["now"])
    changed = sweep_due_cases(deployed_desk(), now)
    logger.info("sla swept", extra={"changed": changed})
    return {"changed": changed}
