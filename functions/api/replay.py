"""POST /v1/quarantine/replay: try again what was not understood. Apart from the rest of the API,
since it reads every provider and may touch more.
"""

from functools import partial
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.agents.replay import replay_quarantine
from caseweave.api_edge import read_caller
from caseweave.http import Answer, respond
from caseweave.wiring import credentials_of, make_door, start

logger = Logger()
settings = start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    logger.info("replay")
    return respond(partial(_answer, event))


def _answer(event: dict[str, Any]) -> Answer:
    read_credentials = partial(credentials_of, settings)
    shown = replay_quarantine(
        read_caller(event["requestContext"]),
        settings.files_bucket,
        read_credentials,
        partial(make_door, settings),
        settings.retention,
    )
    return Answer(200, shown)
