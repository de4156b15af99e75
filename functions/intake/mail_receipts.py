"""From EventBridge: what became of the mails that left through SES."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.logs import start_logging
from caseweave.mail_receipts import receive_receipt
from caseweave.wiring import make_door, start

logger = start_logging()
settings = start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    logger.info("mail receipt", extra={"detail_type": event.get("detail-type")})
    receive_receipt(event, partial(make_door, settings), settings.retention, datetime.now(UTC))
