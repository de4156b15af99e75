"""From the index queue: the words of messages are made searchable."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.config.desk import deployed_desk
from caseweave.indexing import index_entries
from caseweave.logs import start_logging
from caseweave.storage.postings import note_scope
from caseweave.wiring import start, text_engine

logger = start_logging()
settings = start()
rules = deployed_desk().search
note_scope(rules.scope, datetime.now(UTC))


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    entries = {record["messageId"]: record["body"] for record in event["Records"]}
    failed = index_entries(entries, rules, text_engine(settings))
    logger.info("indexed", extra={"entries": len(entries), "failed": len(failed)})
    return {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}
