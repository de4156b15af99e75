"""POST /intake/mail/{provider}: mail that a hosted provider received for us."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.channels.mail_registry import MAIL
from caseweave.hosted_mail_intake import receive_hosted_mail
from caseweave.http import read_request, respond
from caseweave.logs import start_logging
from caseweave.wiring import credentials_of, make_door, start

# What the gateway lets through to a function, a third of it lost to base64.
LONGEST_MAIL = 4_500_000

logger = start_logging()
settings = start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    logger.info("hosted mail")
    return respond(
        lambda: receive_hosted_mail(
            event["pathParameters"]["provider"],
            MAIL,
            read_request(event, LONGEST_MAIL),
            settings.files_bucket,
            partial(credentials_of, settings),
            partial(make_door, settings),
            settings.retention,
            datetime.now(UTC),
        )
    )
