"""POST /intake/web/forms/{form}, POST and GET /intake/web/chat/{session}/messages: the page."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from caseweave.aws.files import sign_links
from caseweave.http import Answer, read_request, respond
from caseweave.web_answers import list_web_messages
from caseweave.webhooks import receive_chat, receive_form
from caseweave.wiring import make_door, sign_in_check, start

logger = Logger()
settings = start()
check_sign_in = sign_in_check(settings)


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    logger.info("web form")
    return respond(partial(_answer, event))


def _answer(event: dict[str, Any]) -> Answer:
    path, now = event["pathParameters"], datetime.now(UTC)
    request, door = read_request(event), make_door(settings)
    if event["httpMethod"] == "GET":
        after = dict(request.query).get("after", "")
        sign = partial(sign_links, settings.files_bucket)
        return list_web_messages(path["session"], after, door.signing_keys, sign, now)
    if "session" in path:
        return receive_chat(path["session"], request, door, settings.retention, now)
    return receive_form(path["form"], request, check_sign_in, door, settings.retention, now)
