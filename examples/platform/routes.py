"""What the platform answers; no sockets in here."""

import hmac
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from examples.platform.customers import User
from examples.platform.desk import Desk
from examples.platform.exchange import Request, Response, json_response
from examples.platform.faults import Fault, InvalidFaultError
from examples.platform.keys import KeyRing
from examples.platform.shop import Shop
from examples.platform.tokens import describe_customer, describe_issuer

PAGE = Path(__file__).with_name("support.html")


@dataclass(frozen=True, slots=True)
class Platform:
    issuer: str
    shop: Shop
    keys: KeyRing
    desk: Desk


class RefusedError(Exception):
    """The request cannot be answered; becomes an error response."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


def answer(platform: Platform, request: Request) -> Response | None:
    """None is to hang up without a word."""
    if platform.desk.is_asked(request):
        return platform.desk.answer(request)
    path = unquote(request.target.partition("?")[0])
    if (request.method, path) == ("GET", "/support"):
        return Response(200, PAGE.read_bytes(), "text/html; charset=utf-8")
    try:
        return json_response(200, _answer(platform, request.method, path, request.body))
    except RefusedError as refused:
        return json_response(refused.status, {"error": str(refused)})


def _answer(platform: Platform, method: str, path: str, body: bytes) -> object:
    if method == "GET" and path.startswith("/users/"):
        return asdict(_find_user(platform, path.removeprefix("/users/")))
    route = _ROUTES.get((method, path))
    if route is None:
        raise RefusedError(404, f"nothing answers {method} {path}")
    return route(platform, body)


def _log_in(platform: Platform, body: bytes) -> object:
    fields = _read_object(body)
    user = _find_user(platform, _text(fields, "user_id"))
    # Without a password the sample lets anybody in; a given one must be right.
    given = _text(fields, "password") if "password" in fields else platform.shop.password
    if not hmac.compare_digest(given.encode(), platform.shop.password.encode()):
        raise RefusedError(401, "the password is wrong")
    claims = describe_customer(user, issuer=platform.issuer, now=datetime.now(UTC))
    return {
        "token": platform.keys.newest().sign(claims),
        "expires_at": datetime.fromtimestamp(claims["exp"], UTC).isoformat(),
        "user": asdict(user),
    }


def _find_affected(platform: Platform, body: bytes) -> object:
    product = _text(_read_object(body), "product")
    known = platform.shop.products
    if product not in known:  # a slip of the pen must not look like an outage without victims
        raise RefusedError(404, f"no product {product!r}; there are {', '.join(known)}")
    return {"users": platform.shop.find_affected(product)}


def _add_fault(platform: Platform, body: bytes) -> object:
    try:
        fault = Fault.from_json(_read_object(body))
    except InvalidFaultError as error:
        raise RefusedError(400, str(error)) from error
    platform.desk.faults.add(fault)
    return {"fault": asdict(fault)}


def _clear_faults(platform: Platform, _body: bytes) -> object:
    platform.desk.faults.clear()
    return {"fault": None}


def _find_user(platform: Platform, user_id: str) -> User:
    user = platform.shop.find_user(user_id)
    if user is None:
        raise RefusedError(404, f"no user {user_id!r}")
    return user


def _read_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise RefusedError(400, "the body is JSON, but not an object")
    return value


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise RefusedError(400, f"{name} must be a text")
    return value


_ROUTES: dict[tuple[str, str], Callable[[Platform, bytes], object]] = {
    ("GET", "/health"): lambda platform, body: {"ok": True},
    ("GET", "/users"): lambda platform, body: {
        "users": [asdict(user) for user in platform.shop.list_users()]
    },
    ("GET", "/.well-known/jwks.json"): lambda platform, body: platform.keys.jwks(),
    ("GET", "/.well-known/openid-configuration"): lambda platform, body: describe_issuer(
        platform.issuer
    ),
    ("POST", "/login"): _log_in,
    ("POST", "/affected"): _find_affected,
    ("POST", "/_keys/rotate"): lambda platform, body: {"kid": platform.keys.rotate().kid},
    ("POST", "/_faults"): _add_fault,
    ("DELETE", "/_faults"): _clear_faults,
}
