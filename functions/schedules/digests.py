"""Every night: the ends of the chains that changed are signed and anchored."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.daily_digests import anchor_days
from caseweave.logs import start_logging
from caseweave.wiring import notary, start

logger = start_logging()
settings = start()


@logger.inject_lambda_context
def handler(_event: dict[str, Any], _context: LambdaContext) -> dict[str, list[str]]:
    days = [day.isoformat() for day in anchor_days(notary(settings), datetime.now(UTC))]
    logger.info("digests anchored", extra={"days": days})
    return {"days": days}
