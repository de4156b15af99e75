"""Customers' timelines and search: /v1/customers/{id}/timeline and /v1/search."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from chalice.app import Chalice

from caseweave.agents import search, timelines
from caseweave.agents.caller import Caller
from caseweave.api_edge import answer_problem, read_caller, speak_http
from caseweave.logs import start_logging
from caseweave.wiring import searching, start

logger = start_logging()
settings = start()
app = Chalice("search", configure_logs=False)


@app.route("/v1/customers/{customer_id}/timeline", methods=["GET"])
@speak_http
def show_timeline(customer_id: str) -> Any:
    return timelines.show_timeline(customer_id, *_asked())


@app.route("/v1/search", methods=["GET"])
@speak_http
def find_cases() -> Any:
    return search.search(*_asked(), searching(settings))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    logger.info("search", extra={"path": event.get("path")})
    return answer_problem(app(event, context))


def _asked() -> tuple[dict[str, str], Caller]:
    request: Any = app.current_request
    return dict(request.query_params or {}), read_caller(request.context)
