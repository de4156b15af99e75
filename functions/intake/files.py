"""GET /intake/files/{token}/{name}: the file behind a link in a message of ours."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.http import Answer, respond
from caseweave.logs import start_logging
from caseweave.outgoing_files import answer_file_link
from caseweave.wiring import signing_keys, start

logger = start_logging()
settings = start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    logger.info("file")
    return respond(partial(_answer, event["pathParameters"]))


def _answer(path: dict[str, str]) -> Answer:
    keys, now = signing_keys(settings), datetime.now(UTC)
    return answer_file_link(path["token"], path["name"], settings.files_bucket, keys, now)
