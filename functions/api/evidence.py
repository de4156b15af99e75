"""Evidence: GET /v1/cases/{name}/evidence. Apart from the rest of the API, since it signs."""

import secrets
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.agents.caller import Moment
from caseweave.agents.evidence import export_evidence
from caseweave.api_edge import read_caller
from caseweave.http import Answer, respond
from caseweave.logs import start_logging
from caseweave.wiring import archive, start

logger = start_logging()
settings = start()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    logger.info("evidence", extra={"case": event["pathParameters"]["name"]})
    return respond(lambda: Answer(HTTPStatus.OK, _export(event)))


def _export(event: dict[str, Any]) -> dict[str, Any]:
    caller = read_caller(event["requestContext"])
    moment = Moment(datetime.now(UTC), secrets.token_bytes)
    return export_evidence(event["pathParameters"]["name"], caller, archive(settings), moment)
