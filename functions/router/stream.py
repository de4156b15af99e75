"""From the table's stream: new inbound messages are triaged, assigned and acknowledged."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.config.desk import deployed_desk
from caseweave.logs import start_logging
from caseweave.router import route_case
from caseweave.stream import work_through
from caseweave.wiring import bot_name, signing_keys, start

logger = start_logging()
settings = start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    logger.info("routing", extra={"records": len(event["Records"])})
    return work_through(event, _route)


def _route(record: dict[str, Any]) -> None:
    case_id = record["Keys"]["pk"]["S"].removeprefix("CASE#")
    keys = signing_keys(settings)
    sort_key = record["Keys"]["sk"]["S"]
    route_case(case_id, sort_key, deployed_desk(), bot_name(settings), keys, datetime.now(UTC))
