"""How Meta's Graph API refuses: https://developers.facebook.com/docs/graph-api/guides/error-handling"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from examples.provider_sink.accounts import Accounts
from examples.provider_sink.exchange import (
    MalformedBodyError,
    Response,
    is_authorized,
    json_response,
    read_object,
)
from examples.provider_sink.faults import Mode
from examples.provider_sink.received import Call, Outcome, Received


@dataclass(frozen=True, slots=True)
class GraphError:
    status: int
    code: int
    message: str
    subcode: int | None = None


UNAUTHORIZED = GraphError(401, 190, "Invalid OAuth access token - Cannot parse access token")


# What a window closed for Messenger and for Instagram is called, below the code 10.
_SUBCODES = (2018278, 2534022)


def required(name: str) -> GraphError:
    return GraphError(400, 100, f"(#100) The parameter {name} is required.")


def read(call: Call, accounts: Accounts, provider: str) -> dict[str, Any] | GraphError:
    """The body of a call that brings the token, or what is wrong with it."""
    if not is_authorized(call.request, "Bearer", accounts.tokens.get(provider)):
        return UNAUTHORIZED
    try:
        return read_object(call.request.body)
    except MalformedBodyError:
        return GraphError(400, 100, "(#100) Invalid parameter")


def fault_of(call: Call, errors: Mapping[Mode, GraphError]) -> GraphError | None:
    """The error that was asked for; one with a number of its own is that error."""
    error = errors.get(call.fault.mode) if call.fault else None
    code = call.fault.code if call.fault else None
    if not error or not code or code == error.code or error.status != 400:
        return error
    if code in _SUBCODES:
        return GraphError(400, 10, "(#10) The message was refused", subcode=code)
    return GraphError(400, code, f"(#{code}) The message was refused")


def refuse(call: Call, received: Received, error: GraphError) -> Outcome:
    response = tell(error, f"A{call.unique[:22]}")
    return Outcome(response, replace(received, error=f"{error.code} {error.message}"))


def tell(error: GraphError, trace: str = "A0") -> Response:
    said: dict[str, Any] = {
        "message": error.message,
        "type": "OAuthException",
        "code": error.code,
        "fbtrace_id": trace,
    }
    if error.subcode:
        said["error_subcode"] = error.subcode
    return json_response(error.status, {"error": said})
