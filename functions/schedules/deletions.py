"""Every few minutes: what was asked to be deleted is, step by step; once a day what is overdue."""

import secrets
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.config.privacy import deployed_privacy
from caseweave.domain.times import from_rfc3339
from caseweave.logs import start_logging
from caseweave.retention import apply_retention
from caseweave.wiring import make_shredder, start

logger = start_logging()
settings = start()
# What a step may take: one page of the table, or the contents of some hundred cases.
_STEP_MS = 60_000


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    now = datetime.now(UTC)
    if settings.is_local and "now" in event:
        now = from_rfc3339(event["now"])
    if event.get("task") == "retention":
        due = apply_retention(deployed_privacy(), now, secrets.token_bytes)
        logger.info("retention", extra={"due": due})
        return {"due": due}
    has_time = lambda: context.get_remaining_time_in_millis() > _STEP_MS  # noqa: E731
    done = make_shredder(settings, deployed_privacy(), has_time).work_off()
    logger.info("deletions", extra={"done": done})
    return {"done": done}
