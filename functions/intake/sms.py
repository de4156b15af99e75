"""POST /intake/sms/{provider}: short messages and their delivery receipts."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.channels.sms_registry import SMS
from caseweave.http import read_request, respond
from caseweave.sns_intake import receive_sns, visit_sns
from caseweave.webhooks import receive_webhook
from caseweave.wiring import credentials_of, make_door, start

logger = Logger()
settings = start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    provider = event["pathParameters"]["provider"]
    logger.info("sms webhook", extra={"provider": provider})
    credentials, door = partial(credentials_of, settings), partial(make_door, settings)
    now, keep = datetime.now(UTC), settings.retention
    if provider == "aws":
        visit = partial(visit_sns, provider_api_url=settings.provider_api_url)
        return respond(
            lambda: receive_sns(read_request(event), credentials, door, visit, keep, now)
        )
    return respond(
        lambda: receive_webhook(provider, SMS, read_request(event), credentials, door, keep, now)
    )
