"""Every minute: long SMS whose last parts never came become messages of what is there."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.domain.times import from_rfc3339
from caseweave.logs import start_logging
from caseweave.parts import sweep_parts
from caseweave.wiring import make_door, start

logger = start_logging()
settings = start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, int]:
    now = datetime.now(UTC)
    if settings.is_local and "now" in event:
        # The demo and the tests do not wait for real deadlines.
        now = from_rfc3339(event["now"])
    changed = sweep_parts(make_door(settings), settings.retention, now)
    logger.info("parts swept", extra={"changed": changed})
    return {"changed": changed}
