"""The routes of the web channel, for pages of other origins too."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any

from caseweave.aws.files import sign_links
from caseweave.channels.request import WebhookRequest
from caseweave.errors import NotFoundError
from caseweave.http import Answer
from caseweave.web_answers import list_web_messages
from caseweave.web_desk import WebDesk
from caseweave.web_forms import list_forms, show_form
from caseweave.web_intake import receive_chat, receive_form, start_chat
from caseweave.web_uploads import start_upload

_PREFIX = "/intake/web/"
_ALLOWED_HEADERS = "Authorization, Content-Type, Human-Check, Idempotency-Key, If-None-Match"
_EXPOSED_HEADERS = "ETag, Retry-After"


@dataclass(frozen=True, slots=True)
class _Visit:
    path: Mapping[str, str]
    request: WebhookRequest
    desk: WebDesk
    now: datetime


def _list_messages(visit: _Visit) -> Answer:
    after = dict(visit.request.query).get("after", "")
    keys = visit.desk.door.signing_keys
    sign = partial(sign_links, visit.desk.files_bucket)
    return list_web_messages(visit.path["session"], after, keys, sign, visit.now)


def _verify(visit: _Visit) -> Answer:
    # Seldom, and it needs much that no message does.
    from caseweave.web_verification import start_page_verification  # noqa: PLC0415

    return start_page_verification(visit.path["session"], visit.request, visit.desk, visit.now)


_ROUTES: dict[tuple[str, str], Callable[[_Visit], Answer]] = {
    ("GET", "forms"): lambda v: list_forms(v.request, v.desk),
    ("GET", "forms/{form}"): lambda v: show_form(v.path["form"], v.request, v.desk),
    ("POST", "forms/{form}"): lambda v: receive_form(v.path["form"], v.request, v.desk, v.now),
    ("POST", "uploads"): lambda v: start_upload(v.request, v.desk, v.now),
    ("POST", "chat"): lambda v: start_chat(v.request, v.desk, v.now),
    ("GET", "chat/{session}/messages"): _list_messages,
    ("POST", "chat/{session}/verifications"): _verify,
    ("POST", "chat/{session}/messages"): lambda v: receive_chat(
        v.path["session"], v.request, v.desk, v.now
    ),
}


def answer_page(
    method: str,
    resource: str,
    path: Mapping[str, str],
    request: WebhookRequest,
    make_desk: Callable[[], WebDesk],
    now: datetime,
) -> Answer:
    """What the route *resource* (`/intake/web/forms/{form}`) answers.

    Raises NotFoundError for any other, and what the use cases raise.
    """
    if method == "OPTIONS":
        return Answer(HTTPStatus.NO_CONTENT, "", "text/plain")
    route = _ROUTES.get((method, resource.removeprefix(_PREFIX)))
    if route is None:
        raise NotFoundError("There is no such route.")
    return route(_Visit(path, request, make_desk(), now))


def allow_origin(response: dict[str, Any], origin: str, origins: Sequence[str]) -> dict[str, Any]:
    """The response with what a browser needs to show it to a page of an allowed origin.

    A sign-in travels in a header that the page sets itself, so credentials are never allowed.
    """
    headers = response["headers"]
    headers["Vary"] = ", ".join(filter(None, [headers.get("Vary", ""), "Origin"]))
    if origin and (origin in origins or "*" in origins):
        headers["Access-Control-Allow-Origin"] = origin if origin in origins else "*"
        headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
        if response["statusCode"] == HTTPStatus.NO_CONTENT:
            headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
            headers["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
            headers["Access-Control-Max-Age"] = "600"
    return response
