"""/intake/web/…: forms, chat and uploads of the customers' own pages (see web_page.py)."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.http import Answer, read_request, respond
from caseweave.logs import start_logging
from caseweave.web_page import allow_origin, answer_page
from caseweave.wiring import sign_in_check, start, web_desk

logger = start_logging()
settings = start()
check_sign_in = sign_in_check(settings)


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    logger.info("web page")
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    response = respond(partial(_answer, event))
    return allow_origin(response, headers.get("origin", ""), settings.web_origins)


def _answer(event: dict[str, Any]) -> Answer:
    path, request = event.get("pathParameters") or {}, read_request(event)
    make_desk = partial(web_desk, settings, check_sign_in)
    now = datetime.now(UTC)
    return answer_page(event["httpMethod"], event["resource"], path, request, make_desk, now)
