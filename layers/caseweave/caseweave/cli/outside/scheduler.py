"""The scheduler's call of a scheduled function, without waiting for the minute to be over."""

import json
from collections.abc import Mapping
from typing import Any

from caseweave.cli.local_stack import local_client
from caseweave.cli.local_stack.errors import LocalStackError


def run_schedule(
    outputs: Mapping[str, str], name: str, event: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Invoke the deployed function whose logical name is *name* and wait for its answer.

    Raises LocalStackError when it is not there, or fails.
    """
    functions = local_client("lambda", outputs["EndpointUrl"])
    prefix = f"{outputs['StackName']}-{name}"
    found = [
        function["FunctionName"]
        for page in functions.get_paginator("list_functions").paginate()
        for function in page["Functions"]
        if function["FunctionName"].startswith(prefix)
    ]
    if not found:
        raise LocalStackError(f"No function {prefix} is deployed. Deploy again: caseweave up")
    answer = functions.invoke(FunctionName=found[0], Payload=json.dumps(dict(event or {})).encode())
    said = json.loads(answer["Payload"].read() or b"null")
    if answer.get("FunctionError"):
        raise LocalStackError(
            f"{found[0]} failed: {said}. The logs folder beside outputs.json tells more."
        )
    return said if isinstance(said, dict) else {}
