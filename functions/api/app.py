"""The agents' API, `/v1`: each route decodes, calls one use case, encodes.

The gateway's Cognito authorizer lets nobody in without a valid token; the roles in it are checked
by the use cases.
"""

import secrets
from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from chalice.app import Chalice, Response

from caseweave.agents import (
    cases,
    contacts,
    incidents,
    presence,
    quarantine,
    relations,
    reveal,
    uploads,
)
from caseweave.agents.caller import Caller, Moment
from caseweave.agents.fields import read_version
from caseweave.api_edge import answer_problem, read_body, read_caller, speak_http, tag_version
from caseweave.aws.files import sign_links
from caseweave.aws.uploads import keep_upload, sign_upload_url
from caseweave.config.desk import deployed_desk
from caseweave.config.threading import deployed_threading
from caseweave.domain.desk import Desk
from caseweave.intake import Door
from caseweave.logs import start_logging
from caseweave.wiring import start

logger = start_logging()
settings = start()
app = Chalice("api", configure_logs=False)


@app.route("/v1/cases", methods=["GET"])
@speak_http
def list_cases() -> Any:
    query = dict(_request().query_params or {})
    return cases.list_cases(query, _caller(), deployed_desk())


@app.route("/v1/cases/{name}", methods=["GET"])
@speak_http
def read_case(name: str) -> Any:
    sign = partial(sign_links, settings.files_bucket)
    return tag_version(cases.read_case(name, _caller(), sign, datetime.now(UTC)))


@app.route("/v1/cases/{name}/messages", methods=["POST"])
@speak_http
def reply(name: str) -> Any:
    keep = partial(keep_upload, settings.files_bucket)
    return tag_version(cases.reply(name, *_asked(), keep), 201)


@app.route("/v1/cases/{name}/messages/{message}/reveal", methods=["POST"])
@speak_http
def reveal_message(name: str, message: str) -> Any:
    sign = partial(sign_links, settings.files_bucket)
    return reveal.reveal_message(name, message, _said(), _caller(), _moment(), sign)


@app.route("/v1/cases/{name}/uploads", methods=["POST"])
@speak_http
def ask_upload(name: str) -> Any:
    sign = partial(sign_upload_url, settings.files_bucket)
    answer = uploads.ask_upload(name, _said(), _version(), _caller(), sign)
    return Response(answer, status_code=201)


@app.route("/v1/cases/{name}/notes", methods=["POST"])
@speak_http
def note(name: str) -> Any:
    return tag_version(cases.note(name, *_asked()), 201)


@app.route("/v1/cases/{name}/assign", methods=["POST"])
@speak_http
def assign(name: str) -> Any:
    return tag_version(cases.assign(name, *_asked()))


@app.route("/v1/cases/{name}/state", methods=["POST"])
@speak_http
def change_state(name: str) -> Any:
    return tag_version(cases.change_state(name, *_asked()))


@app.route("/v1/cases/{name}/merge", methods=["POST"])
@speak_http
def merge(name: str) -> Any:
    return tag_version(relations.merge(name, *_asked()))


@app.route("/v1/cases/{name}/unmerge", methods=["POST"])
@speak_http
def unmerge(name: str) -> Any:
    answer = relations.unmerge(name, _said(), _version(), _caller(), _moment())
    return tag_version(answer)


@app.route("/v1/cases/{name}/split", methods=["POST"])
@speak_http
def split(name: str) -> Any:
    return tag_version(relations.split(name, *_asked()), 201)


@app.route("/v1/cases/{name}/links", methods=["GET"])
@speak_http
def read_links(name: str) -> Any:
    return tag_version(relations.read_links(name, _caller()))


@app.route("/v1/cases/{name}/links", methods=["POST"])
@speak_http
def link(name: str) -> Any:
    return tag_version(relations.link(name, _said(), _version(), _caller(), _moment()))


@app.route("/v1/cases/{name}/presence", methods=["PUT"])
@speak_http
def be_present(name: str) -> Any:
    return presence.be_present(name, _said(), _caller(), _moment())


@app.route("/v1/incidents", methods=["POST"])
@speak_http
def declare_incident() -> Any:
    answer = incidents.declare_incident(_said(), _caller(), _moment())
    return Response(answer, status_code=201)


@app.route("/v1/incidents", methods=["GET"])
@speak_http
def list_incidents() -> Any:
    return incidents.list_incidents(_caller())


@app.route("/v1/incidents/{name}/state", methods=["POST"])
@speak_http
def change_incident(name: str) -> Any:
    return incidents.change_state(name, _said(), _caller(), _moment())


@app.route("/v1/contacts", methods=["POST"])
@speak_http
def enter_contact() -> Any:
    moment = _moment()
    submission = _request().headers.get("idempotency-key") or moment.new_id()
    door = Door(settings.default_team, (), moment.entropy, threading=deployed_threading())
    answer = contacts.enter_contact(
        _said(), submission, _caller(), door, settings.retention, moment
    )
    return Response(answer, status_code=201)


@app.route("/v1/quarantine", methods=["GET"])
@speak_http
def list_quarantine() -> Any:
    return quarantine.list_quarantine(_caller())


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    logger.info("api", extra={"path": event.get("path"), "method": event.get("httpMethod")})
    return answer_problem(app(event, context))


def _request() -> Any:
    """The request at hand; Chalice types it as perhaps absent, which it is not inside a route."""
    return app.current_request


def _caller() -> Caller:
    return read_caller(_request().context)


def _said() -> dict[str, Any]:
    return read_body(_request().raw_body)


def _asked() -> tuple[dict[str, Any], int | None, Caller, Desk, Moment]:
    """What every write to a case is made of."""
    return _said(), _version(), _caller(), deployed_desk(), _moment()


def _version() -> int | None:
    return read_version(_request().headers.get("if-match"))


def _moment() -> Moment:
    return Moment(datetime.now(UTC), secrets.token_bytes)
