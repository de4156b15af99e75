"""POST and GET /intake/messenger/{provider}: messengers, and their question whether we are us."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.channels.messenger_registry import GREETERS, MESSENGERS
from caseweave.http import Answer, read_request, respond
from caseweave.logs import start_logging
from caseweave.webhooks import answer_greeting, receive_webhook
from caseweave.wiring import credentials_of, make_door, start

logger = start_logging()
settings = start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    logger.info("messenger webhook")
    return respond(partial(_answer, event))


def _answer(event: dict[str, Any]) -> Answer:
    name, request = event["pathParameters"]["provider"], read_request(event)
    read_credentials = partial(credentials_of, settings)
    if event["httpMethod"] == "GET":
        return answer_greeting(name, GREETERS, request, read_credentials)
    door, now = partial(make_door, settings), datetime.now(UTC)
    return receive_webhook(
        name, MESSENGERS, request, read_credentials, door, settings.retention, now
    )
