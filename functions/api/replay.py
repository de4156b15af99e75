"""The ledger: GET /v1/ledger, POST /v1/replay and /v1/quarantine/replay. Apart from the rest of the
API, since it reads every provider and may touch more.
"""

from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.agents.replay_routes import answer_replay
from caseweave.http import respond
from caseweave.logs import start_logging
from caseweave.wiring import replayer, start

logger = start_logging()
settings = start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    logger.info("replay", extra={"resource": event["resource"]})
    return respond(partial(answer_replay, event, partial(replayer, settings)))
