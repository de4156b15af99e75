"""POST /intake/voice/{provider}: phone calls, their recordings and transcripts."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.config.desk import deployed_desk
from caseweave.http import read_request, respond
from caseweave.logs import start_logging
from caseweave.voice_intake import receive_call
from caseweave.wiring import credentials_of, make_door, start

logger = start_logging()
settings = start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    logger.info("voice webhook")
    return respond(
        lambda: receive_call(
            event["pathParameters"]["provider"],
            read_request(event),
            deployed_desk(),
            partial(credentials_of, settings),
            partial(make_door, settings),
            settings.retention,
            datetime.now(UTC),
        )
    )
