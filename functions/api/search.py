"""Customers' timelines and search: /v1/customers/{id}/timeline and /v1/search."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from chalice.app import Chalice

from caseweave.agents import timelines
from caseweave.api_edge import answer_problem, read_caller, speak_http
from caseweave.logs import start_logging
from caseweave.wiring import start

logger = start_logging()
settings = start()
app = Chalice("search", configure_logs=False)


@app.route("/v1/customers/{customer_id}/timeline", methods=["GET"])
@speak_http
def show_timeline(customer_id: str) -> Any:
    request: Any = app.current_request
    query = dict(request.query_params or {})
    return timelines.show_timeline(customer_id, query, read_caller(request.context))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    logger.info("search", extra={"path": event.get("path")})
    return answer_problem(app(event, context))
