"""POST /intake/sms/{provider}: short messages and their delivery receipts."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.http import read_request, respond
from caseweave.logs import start_logging
from caseweave.sms_intake import receive_sms
from caseweave.sns_intake import visit_sns
from caseweave.wiring import credentials_of, make_door, start

logger = start_logging()
settings = start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    logger.info("sms webhook")
    return respond(
        lambda: receive_sms(
            event["pathParameters"]["provider"],
            read_request(event),
            partial(credentials_of, settings),
            partial(make_door, settings),
            partial(visit_sns, provider_api_url=settings.provider_api_url),
            settings.retention,
            datetime.now(UTC),
        )
    )
