"""The forms as a page asks for them: which there are, and the schema of each."""

import json
from datetime import timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from caseweave.channels.request import WebhookRequest
from caseweave.domain.form_schema import describe_form, list_form
from caseweave.http import Answer
from caseweave.web_desk import WebDesk, choose_page_language

# How long a page may use what it has without asking.
_FRESH = timedelta(minutes=5)


def list_forms(request: WebhookRequest, desk: WebDesk) -> Answer:
    language = choose_page_language(request)
    items = [list_form(form, language) for form in desk.read_forms().values()]
    return _answer_cached(request, {"items": items}, language, "application/json")


def show_form(name: str, request: WebhookRequest, desk: WebDesk) -> Answer:
    """Raises NotFoundError, and MissingSecretError where the human check is not set up."""
    language = choose_page_language(request)
    schema = describe_form(desk.form(name), language, desk.human_check.describe())
    return _answer_cached(request, schema, language, "application/schema+json")


def _answer_cached(
    request: WebhookRequest, value: dict[str, Any], language: str, content_type: str
) -> Answer:
    """The value, or 304 for a page that has just this one."""
    body = json.dumps(value, ensure_ascii=False)
    tag = f'"{sha256(body.encode()).hexdigest()[:32]}"'
    headers = {
        "ETag": tag,
        "Cache-Control": f"public, max-age={int(_FRESH.total_seconds())}",
        "Content-Language": language,
        "Vary": "Accept-Language",
    }
    known = [one.strip() for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known or f"W/{tag}" in known or "*" in known:
        return Answer(HTTPStatus.NOT_MODIFIED, "", content_type, headers)
    return Answer(HTTPStatus.OK, body, content_type, headers)
