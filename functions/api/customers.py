"""Customers: /v1/customers/{customer_id}."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from chalice.app import Chalice

from caseweave.agents import customer_view
from caseweave.api_edge import answer_problem, read_caller, speak_http
from caseweave.logs import start_logging
from caseweave.wiring import platform_connector, start

logger = start_logging()
settings = start()
connector = platform_connector(settings)
app = Chalice("customers", configure_logs=False)


@app.route("/v1/customers/{customer_id}", methods=["GET"])
@speak_http
def show_customer(customer_id: str) -> Any:
    request: Any = app.current_request
    return customer_view.show_customer(customer_id, read_caller(request.context), connector)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    logger.info("customers", extra={"path": event.get("path"), "method": event.get("httpMethod")})
    return answer_problem(app(event, context))
