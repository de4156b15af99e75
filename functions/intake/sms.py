"""POST /intake/sms/{provider}: short messages and their delivery receipts."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.channels.registry import SMS
from caseweave.http import read_request, respond
from caseweave.webhooks import receive_webhook
from caseweave.wiring import credentials_of, make_door, start

logger = Logger()
settings = start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    logger.info("sms webhook")
    return respond(
        lambda: receive_webhook(
            event["pathParameters"]["provider"],
            SMS,
            read_request(event),
            partial(credentials_of, settings),
            partial(make_door, settings),
            settings.retention,
            datetime.now(UTC),
        )
    )
