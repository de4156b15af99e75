"""The agents' API for what customers may ask of us, `/v1`: export, erasure, and the log of it.

It only asks for deletions: the function that does them answers nobody (functions/schedules).
"""

import secrets
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from chalice.app import Chalice, Response

from caseweave.agents import privacy
from caseweave.agents.caller import DECLARERS, Caller, Moment
from caseweave.api_edge import answer_problem, read_body, read_caller, speak_http
from caseweave.config.privacy import deployed_privacy
from caseweave.export import export_customer
from caseweave.logs import start_logging
from caseweave.retention import preview_retention
from caseweave.wiring import start

logger = start_logging()
settings = start()
app = Chalice("privacy", configure_logs=False)


@app.route("/v1/customers/{customer_id}/export", methods=["GET"])
@speak_http
def export(customer_id: str) -> Any:
    return export_customer(customer_id, _caller(), _moment(), settings.files_bucket)


@app.route("/v1/customers/{customer_id}/erasure", methods=["GET"])
@speak_http
def preview_erasure(customer_id: str) -> Any:
    return privacy.preview_erasure(customer_id, _caller(), deployed_privacy(), datetime.now(UTC))


@app.route("/v1/customers/{customer_id}/erasure", methods=["POST"])
@speak_http
def ask_erasure(customer_id: str) -> Any:
    said = read_body(_request().raw_body)
    asked = privacy.ask_erasure(customer_id, said, _caller(), deployed_privacy(), _moment())
    return Response(asked, status_code=202)


@app.route("/v1/deletions", methods=["GET"])
@speak_http
def list_deletions() -> Any:
    return privacy.list_log(dict(_request().query_params or {}), _caller())


@app.route("/v1/deletions/{deletion}", methods=["GET"])
@speak_http
def read_deletion(deletion: str) -> Any:
    return privacy.read_deletion(deletion, _caller())


@app.route("/v1/retention", methods=["GET"])
@speak_http
def show_retention() -> Any:
    _caller().require(*DECLARERS)
    return preview_retention(deployed_privacy(), datetime.now(UTC))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    logger.info("privacy", extra={"method": event.get("httpMethod")})
    return answer_problem(app(event, context))


def _request() -> Any:
    return app.current_request


def _caller() -> Caller:
    return read_caller(_request().context)


def _moment() -> Moment:
    return Moment(datetime.now(UTC), secrets.token_bytes)
