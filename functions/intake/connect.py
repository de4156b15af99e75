"""Amazon Connect, by EventBridge: its contact events, and transcripts put into its bucket."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.aws.contact_center import describe_caller
from caseweave.connect_intake import receive_contact_event, receive_transcript
from caseweave.logs import start_logging
from caseweave.wiring import make_door, start

logger = start_logging()
settings = start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    logger.info("connect", extra={"kind": event.get("detail-type")})
    door, now = partial(make_door, settings), datetime.now(UTC)
    if event.get("source") == "aws.s3":
        bucket, key = event["detail"]["bucket"]["name"], event["detail"]["object"]["key"]
        files_bucket = settings.files_bucket
        receive_transcript(bucket, key, files_bucket, door, settings.retention, now)
    else:
        receive_contact_event(event, describe_caller, door, settings.retention, now)
