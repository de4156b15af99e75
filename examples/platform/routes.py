"""What the platform answers; no sockets in here."""

import hmac
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from examples.platform.customers import Customers, User
from examples.platform.keys import KeyRing
from examples.platform.tokens import describe_customer, describe_issuer

PAGE = Path(__file__).with_name("support.html")


@dataclass(frozen=True, slots=True)
class Platform:
    issuer: str
    customers: Customers
    keys: KeyRing


class RefusedError(Exception):
    """The request cannot be answered; becomes an error response."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


def answer(platform: Platform, method: str, path: str, body: bytes) -> tuple[int, object]:
    try:
        return 200, _answer(platform, method, path, body)
    except RefusedError as refused:
        return refused.status, {"error": str(refused)}


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
    given = _text(fields, "password") if "password" in fields else platform.customers.password
    if not hmac.compare_digest(given.encode(), platform.customers.password.encode()):
        raise RefusedError(401, "the password is wrong")
    claims = describe_customer(user, issuer=platform.issuer, now=datetime.now(UTC))
    return {
        "token": platform.keys.newest().sign(claims),
        "expires_at": datetime.fromtimestamp(claims["exp"], UTC).isoformat(),
        "user": asdict(user),
    }


def _find_affected(platform: Platform, body: bytes) -> object:
    product = _text(_read_object(body), "product")
    known = platform.customers.products
    if product not in known:  # a slip of the pen must not look like an outage without victims
        raise RefusedError(404, f"no product {product!r}; there are {', '.join(known)}")
    return {"users": platform.customers.affected_by(product)}


def _find_user(platform: Platform, user_id: str) -> User:
    user = platform.customers.users.get(user_id)
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
    ("GET", "/support"): lambda platform, body: PAGE.read_bytes(),
    ("GET", "/users"): lambda platform, body: {
        "users": [asdict(user) for user in platform.customers.users.values()]
    },
    ("GET", "/.well-known/jwks.json"): lambda platform, body: platform.keys.jwks(),
    ("GET", "/.well-known/openid-configuration"): lambda platform, body: describe_issuer(
        platform.issuer
    ),
    ("POST", "/login"): _log_in,
    ("POST", "/affected"): _find_affected,
    ("POST", "/_keys/rotate"): lambda platform, body: {"kid": platform.keys.rotate().kid},
}
