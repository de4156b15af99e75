"""Run ministack with the differences from AWS that matter here corrected.

    .local/emulator/bin/python infra/local/launcher.py     (settings: as for `ministack`)

Written against the private functions of ministack 1.5.33: `requirements/emulator.in` pins that
version, and the tests marked `stack` are there to tell whether another one can be used.
"""

import threading
import time
from typing import Any

import ministack.core.lambda_runtime as runtime
from ministack.app import main
from ministack.services import apigateway_v1 as gateway
from ministack.services import dynamodb, eventbridge, lambda_svc, s3, scheduler
from ministack.services.cloudformation import provisioners

Json = dict[str, Any]

ANY_METHOD = "x-amazon-apigateway-any-method"


# --- Lambda ---------------------------------------------------------------------------------


def answer_silent_handlers_at_once() -> None:
    """Shorten the 50 ms that each call waits for a first log line."""
    runtime.Worker._drain_stderr_bounded.__defaults__ = (0.004, 0.002, 0.250)


# --- Schedules ------------------------------------------------------------------------------


def look_at_schedules_every_second() -> None:
    """Fire schedules on time (ministack looks every 10 s), and survive a bad cron()."""
    scheduler._SCHEDULE_TICK_INTERVAL = 1
    eventbridge._SCHEDULER_TICK_INTERVAL = 1
    next_fire = eventbridge._cron_next_fire

    def next_fire_or_none(*args: Any, **kwargs: Any) -> Any:
        try:
            return next_fire(*args, **kwargs)
        except ValueError:
            return None  # otherwise no schedule after this one is ever looked at

    eventbridge._cron_next_fire = next_fire_or_none


# --- API Gateway ----------------------------------------------------------------------------


def import_all_of_an_openapi_body() -> None:
    """Import what ministack drops: ANY methods, mock answers (CORS), gateway responses."""
    gateway._OPENAPI_HTTP_METHODS = gateway._OPENAPI_HTTP_METHODS | {ANY_METHOD}
    import_operation, import_rest_api = gateway._import_operation, gateway._import_rest_api

    def operation_with_mock_answers(
        api_id: str, resource_id: str, method: str, operation: Json, *args: Any, **kwargs: Any
    ) -> None:
        method = "ANY" if method.lower() == ANY_METHOD else method
        import_operation(api_id, resource_id, method, operation, *args, **kwargs)
        integration = (operation or {}).get("x-amazon-apigateway-integration") or {}
        if str(integration.get("type", "")).lower() == "mock":
            _put_mock(api_id, resource_id, method, integration)

    def rest_api_with_answers(spec: Json, base_data: Json | None = None) -> str:
        api_id: str = import_rest_api(spec, _with_binary_media_types(spec, base_data or {}))
        for kind, answer in (spec.get("x-amazon-apigateway-gateway-responses") or {}).items():
            gateway._put_gateway_response(api_id, kind, answer)
        return api_id

    gateway._import_operation = operation_with_mock_answers
    gateway._import_rest_api = rest_api_with_answers


def _put_mock(api_id: str, resource_id: str, method: str, integration: Json) -> None:
    templates = integration.get("requestTemplates") or {}
    mock = {"type": "MOCK", "requestTemplates": templates}
    gateway._put_integration(api_id, resource_id, method, mock)
    for pattern, answer in (integration.get("responses") or {}).items():
        status = str(answer.get("statusCode", 200))
        response = {
            "selectionPattern": "" if pattern == "default" else pattern,
            "responseParameters": answer.get("responseParameters") or {},
            "responseTemplates": answer.get("responseTemplates") or {},
        }
        gateway._put_method_response(api_id, resource_id, method, status, {})
        gateway._put_integration_response(api_id, resource_id, method, status, response)


def _with_binary_media_types(spec: Json, data: Json) -> Json:
    # SAM writes image~1png, as in a JSON pointer
    types = [
        *(data.get("binaryMediaTypes") or []),
        *(spec.get("x-amazon-apigateway-binary-media-types") or []),
    ]
    return {**data, "binaryMediaTypes": sorted({kind.replace("~1", "/") for kind in types})}


def hide_what_a_failed_function_said() -> None:
    """Answer 502 "Internal server error" to an exception or a malformed answer, as AWS does."""
    shape = gateway._lambda_proxy_response

    def shape_strictly(result: Json) -> tuple[Json | None, str | None]:
        response, error = shape(result)
        malformed = not result.get("throttle") and not _is_proxy_answer(result.get("body"))
        return (None, "Internal server error") if error or malformed else (response, None)

    gateway._lambda_proxy_response = shape_strictly


def _is_proxy_answer(body: Any) -> bool:
    return (
        isinstance(body, dict) and "statusCode" in body and isinstance(body.get("body"), str | None)
    )


def pass_claims_as_a_rest_api_does() -> None:
    """Join list claims with commas and spell times out; ministack does it as an HTTP API does."""
    to_strings = gateway._stringify_claims

    def to_rest_strings(claims: Json | None) -> dict[str, str]:
        passed: dict[str, str] = to_strings(claims)
        for name, value in (claims or {}).items():
            if isinstance(value, list):
                passed[name] = ",".join(str(item) for item in value)
            elif name in {"exp", "iat"}:
                passed[name] = time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(value))
        return passed

    gateway._stringify_claims = to_rest_strings


# --- DynamoDB tables ------------------------------------------------------------------------


def set_time_to_live_from_templates() -> None:
    """Apply TimeToLiveSpecification, which ministack's CloudFormation ignores."""
    table = provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]
    create = table["create"]

    def create_with_ttl(logical_id: str, props: Json, stack_name: str) -> Any:
        created = create(logical_id, props, stack_name)
        ttl = props.get("TimeToLiveSpecification") or {}
        if ttl.get("AttributeName"):
            enabled = str(ttl.get("Enabled", "")).lower() == "true"
            specification = {**ttl, "Enabled": enabled}
            dynamodb._update_ttl(
                {"TableName": created[0], "TimeToLiveSpecification": specification}
            )
        return created

    table["create"] = create_with_ttl


# --- S3 buckets -----------------------------------------------------------------------------


def lock_buckets_from_templates() -> None:
    """Apply ObjectLockEnabled and ObjectLockConfiguration, which ministack's templates ignore."""
    bucket = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    create = bucket["create"]

    def create_with_lock(logical_id: str, props: Json, stack_name: str) -> Any:
        created = create(logical_id, props, stack_name)
        if str(props.get("ObjectLockEnabled", "")).lower() == "true":
            rule = (props.get("ObjectLockConfiguration") or {}).get("Rule") or {}
            retention = rule.get("DefaultRetention")
            if retention:
                retention = {"Mode": retention["Mode"], "Days": int(retention["Days"])}
            s3._bucket_object_lock[created[0]] = {"enabled": True, "default_retention": retention}
        return created

    bucket["create"] = create_with_lock


# --- DynamoDB streams -----------------------------------------------------------------------


def start_streams_anew_after_a_restart() -> None:
    """Forget stream positions: they are kept over a restart, but the records are not."""
    load = lambda_svc.load_persisted_state

    def load_without_positions(data: Json) -> Any:
        data.pop("dynamodb_stream_positions", None)
        return load(data)

    lambda_svc.load_persisted_state = load_without_positions


def honour_partial_failures_of_streams() -> None:
    """Apply ReportBatchItemFailures, bisect, MaximumRetryAttempts and OnFailure to streams.

    ministack takes a batch of which a part failed as done, so the failed records are lost.
    """
    poll, execute = lambda_svc._poll_dynamodb_streams, lambda_svc._execute_function
    polling = threading.local()

    def poll_and_mark() -> Any:
        polling.now = True
        try:
            return poll()
        finally:
            polling.now = False

    def execute_or_deliver(function: Json, event: Json) -> Json:
        if getattr(polling, "now", False):
            records = event["Records"]
            mapping = _mapping(function, records[0].get("eventSourceARN"))
            if mapping is not None:
                StreamDelivery(execute, function, mapping).deliver(records)
                return {"body": {}, "log": ""}
        result: Json = execute(function, event)
        return result

    lambda_svc._poll_dynamodb_streams = poll_and_mark
    lambda_svc._execute_function = execute_or_deliver


def _mapping(function: Json, stream_arn: str) -> Json | None:
    arn = (function.get("config") or function).get("FunctionArn", "")
    for _account, _region, mapping in lambda_svc._iter_all_esms():
        of_function = str(mapping.get("FunctionArn", "")).startswith(arn)
        if mapping.get("EventSourceArn") == stream_arn and of_function:
            found: Json = mapping
            return found
    return None


class StreamDelivery:
    """Hands stream records to a function until they are done with or given up."""

    def __init__(self, execute: Any, function: Json, mapping: Json) -> None:
        self._execute = execute
        self._function = function
        self._mapping = mapping
        self._retries = int(mapping.get("MaximumRetryAttempts", -1))
        self._partial = "ReportBatchItemFailures" in (mapping.get("FunctionResponseTypes") or [])

    def deliver(self, records: list[Json]) -> None:
        tries = 0
        while records:
            result = self._execute(self._function, {"Records": records})
            if result.get("error"):
                if self._mapping.get("BisectBatchOnFunctionError") and len(records) > 1:
                    half = len(records) // 2
                    self.deliver(records[:half])
                    self.deliver(records[half:])
                    return
            else:
                left = self._from_first_failure(records, result.get("body"))
                tries = 0 if len(left) < len(records) else tries
                records = left
                result = {**result, "error": True, "function_error": "Unhandled"}
            if records and self._is_over(tries := tries + 1):
                # AWS gives up the rest of the batch with the failing record
                self._give_up(records, result)
                return

    def _from_first_failure(self, records: list[Json], body: Any) -> list[Json]:
        if not self._partial or not isinstance(body, dict):
            return []
        failed = {item.get("itemIdentifier") for item in body.get("batchItemFailures") or []}
        for index, record in enumerate(records):
            if record["dynamodb"]["SequenceNumber"] in failed:
                return records[index:]
        return []

    def _is_over(self, tries: int) -> bool:
        if self._retries < 0:
            time.sleep(1)
            return False
        time.sleep(min(0.2 * tries, 1))
        return tries > self._retries

    def _give_up(self, records: list[Json], result: Json) -> None:
        lambda_svc._send_ddb_stream_failure_record(
            self._mapping,
            self._function,
            records,
            self._mapping["EventSourceArn"],
            result,
            "RetryAttemptsExhausted",
        )


CORRECTIONS = (
    answer_silent_handlers_at_once,
    look_at_schedules_every_second,
    import_all_of_an_openapi_body,
    hide_what_a_failed_function_said,
    pass_claims_as_a_rest_api_does,
    set_time_to_live_from_templates,
    lock_buckets_from_templates,
    start_streams_anew_after_a_restart,
    honour_partial_failures_of_streams,
)

if __name__ == "__main__":
    for correct in CORRECTIONS:
        correct()
    main()
