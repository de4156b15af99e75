"""Working through a batch of the table's stream, so that one bad record holds up nobody for long.

Records before the bad one count as done. Where the bad one is the first of several, the whole call
fails, so that Lambda bisects the batch: reported alone, it would be retried, and at last given up,
together with all that come after it.
https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
"""

import logging
from collections.abc import Callable
from typing import Any

logger = logging.getLogger(__name__)


def work_through(event: dict[str, Any], handle: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Call *handle* with each record's `dynamodb` part, in order; the answer Lambda expects."""
    records = event["Records"]
    for position, record in enumerate(records):
        try:
            handle(record["dynamodb"])
        except Exception:
            # The process boundary: Lambda retries, then the record goes to the failure queue.
            logger.exception("a stream record failed: %s", record["dynamodb"].get("Keys"))
            if position == 0 and len(records) > 1:
                raise
            number = record["dynamodb"]["SequenceNumber"]
            return {"batchItemFailures": [{"itemIdentifier": number}]}
    return {"batchItemFailures": []}
