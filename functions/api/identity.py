"""Who a customer is, `/v1/customers/…`: links, suggestions, merging, un-merging, codes.

Apart from the rest of the API, since codes need the desk's keys.
"""

import secrets
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from chalice.app import Chalice, Response

from caseweave.agents import identities
from caseweave.agents.caller import Caller, Moment
from caseweave.api_edge import answer_problem, read_body, read_caller, speak_http
from caseweave.config.desk import deployed_desk
from caseweave.logs import start_logging
from caseweave.wiring import make_codes, start

logger = start_logging()
settings = start()
app = Chalice("identity", configure_logs=False)


@app.route("/v1/customers/{customer_id}/links", methods=["GET"])
@speak_http
def show_links(customer_id: str) -> Any:
    return identities.show_links(customer_id, _caller())


@app.route("/v1/customers/{customer_id}/links", methods=["POST"])
@speak_http
def add_link(customer_id: str) -> Any:
    answer = identities.add_link(customer_id, _said(), _caller(), _moment())
    return Response(answer, status_code=201)


@app.route("/v1/customers/{customer_id}/links/remove", methods=["POST"])
@speak_http
def remove_link(customer_id: str) -> Any:
    return identities.remove_link(customer_id, _said(), _caller(), _moment())


@app.route("/v1/customers/{customer_id}/suggestions", methods=["GET"])
@speak_http
def show_suggestions(customer_id: str) -> Any:
    return identities.show_suggestions(customer_id, _caller())


@app.route("/v1/customers/{customer_id}/suggestions/{suggestion}", methods=["POST"])
@speak_http
def decide_suggestion(customer_id: str, suggestion: str) -> Any:
    return identities.decide_suggestion(customer_id, suggestion, _said(), _caller(), _moment())


@app.route("/v1/customers/{customer_id}/merge", methods=["POST"])
@speak_http
def merge(customer_id: str) -> Any:
    return identities.merge(customer_id, _said(), _caller(), _moment())


@app.route("/v1/customers/{customer_id}/unmerge/{member}", methods=["GET"])
@speak_http
def show_unmerge(customer_id: str, member: str) -> Any:
    return identities.show_unmerge(customer_id, member, _caller())


@app.route("/v1/customers/{customer_id}/unmerge", methods=["POST"])
@speak_http
def unmerge(customer_id: str) -> Any:
    return identities.part(customer_id, _said(), _caller(), deployed_desk(), _moment())


@app.route("/v1/customers/{customer_id}/verifications", methods=["POST"])
@speak_http
def verify_address(customer_id: str) -> Any:
    answer = identities.verify_address(customer_id, _said(), _caller(), make_codes())
    return Response(answer, status_code=202)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    logger.info("identity", extra={"resource": event.get("resource")})
    return answer_problem(app(event, context))


def _caller() -> Caller:
    return read_caller(_request().context)


def _said() -> dict[str, Any]:
    return read_body(_request().raw_body)


def _moment() -> Moment:
    return Moment(datetime.now(UTC), secrets.token_bytes)


def _request() -> Any:
    """The request at hand; Chalice types it as perhaps absent, which it is not inside a route."""
    return app.current_request
