"""A new object in the mail bucket (by EventBridge): one delivered mail."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.logs import start_logging
from caseweave.mail_intake import receive_mail
from caseweave.wiring import make_door, start

logger = start_logging()
settings = start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    bucket, key = event["detail"]["bucket"]["name"], event["detail"]["object"]["key"]
    logger.info("mail", extra={"object": key})
    receive_mail(
        bucket,
        key,
        settings.files_bucket,
        partial(make_door, settings),
        settings.retention,
        datetime.now(UTC),
    )
