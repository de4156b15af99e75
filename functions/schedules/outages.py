"""Every minute: customers touched by an active incident are told, each once."""

import secrets
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.config.desk import deployed_desk
from caseweave.logs import start_logging
from caseweave.outages import sweep_incidents
from caseweave.wiring import start

logger = start_logging()
settings = start()


@logger.inject_lambda_context
def handler(_event: dict[str, Any], _context: LambdaContext) -> dict[str, int]:
    told = sweep_incidents(
        deployed_desk(), settings.default_team, datetime.now(UTC), secrets.token_bytes
    )
    logger.info("incidents swept", extra={"told": told})
    return {"told": told}
