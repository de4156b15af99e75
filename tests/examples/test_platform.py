"""The sample platform as the desk and the web form meet it: a real process, over HTTP."""

import base64
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from Crypto.Hash import SHA256
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15

ROOT = Path(__file__).parents[2]


class Platform:
    def __init__(self, port: int) -> None:
        self.port = port
        self.issuer = f"http://127.0.0.1:{port}"

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        content = body if isinstance(body, str) else json.dumps(body)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, content.encode())
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def log_in(self, user_id: str) -> str:
        _, session = self.ask("POST", "/login", {"user_id": user_id})
        token: str = session["token"]
        return token


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    yield from _run("examples/platform/server.py")


def _run(*command: str) -> Iterator[Platform]:
    with subprocess.Popen(
        [sys.executable, *command, "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout
        yield Platform(int(server.stdout.readline().rpartition(":")[2]))
        server.terminate()


def verify(token: str, jwks: dict[str, Any]) -> dict[str, Any]:
    """Check the signature against the published key, then let PyJWT read the claims."""
    header = jwt.get_unverified_header(token)
    [jwk] = [key for key in jwks["keys"] if key["kid"] == header["kid"]]
    key = RSA.construct((_number(jwk["n"]), _number(jwk["e"])))
    text, _, signature = token.rpartition(".")
    pkcs1_15.new(key).verify(SHA256.new(text.encode()), _decode(signature))
    assert (header["alg"], jwk["alg"], jwk["use"], jwk["kty"]) == ("RS256", "RS256", "sig", "RSA")
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def _number(text: str) -> int:
    return int.from_bytes(_decode(text))


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_vouches_for_a_customer_for_a_quarter_of_an_hour(platform: Platform) -> None:
    _, jwks = platform.ask("GET", "/.well-known/jwks.json")

    claims = verify(platform.log_in("u-1001"), jwks)

    assert claims == {
        "iss": platform.issuer,
        "sub": "u-1001",
        "aud": "caseweave",
        "iat": claims["iat"],
        "exp": claims["iat"] + 900,
        "name": "林小雨",
        "locale": "zh-CN",
        "email": "xiaoyu.lin@example.com",
        "email_verified": True,
        "phone_number": "+8613800138000",
        "phone_number_verified": True,
        "tier": "vip",
        "role": "consumer",
    }
    assert abs(claims["iat"] - time.time()) < 10


def test_leaves_out_a_phone_number_it_does_not_know(platform: Platform) -> None:
    _, jwks = platform.ask("GET", "/.well-known/jwks.json")

    claims = verify(platform.log_in("u-1005"), jwks)

    assert "phone_number" not in claims
    assert (claims["email_verified"], claims["phone_number_verified"]) == (False, False)


def test_a_changed_token_does_not_verify(platform: Platform) -> None:
    _, jwks = platform.ask("GET", "/.well-known/jwks.json")
    header, claims, signature = platform.log_in("u-1002").split(".")
    forged = json.dumps(json.loads(_decode(claims)) | {"sub": "u-1001"}).encode()

    with pytest.raises(ValueError, match="Invalid signature"):
        verify(f"{header}.{base64.urlsafe_b64encode(forged).decode()}.{signature}", jwks)


def test_publishes_public_numbers_only(platform: Platform) -> None:
    _, jwks = platform.ask("GET", "/.well-known/jwks.json")

    assert [sorted(key) for key in jwks["keys"]] == [["alg", "e", "kid", "kty", "n", "use"]]


def test_login_shows_the_user_and_when_the_token_ends(platform: Platform) -> None:
    status, session = platform.ask("POST", "/login", {"user_id": "u-1002"})

    assert (status, sorted(session)) == (200, ["expires_at", "token", "user"])
    assert session["user"] == platform.ask("GET", "/users/u-1002")[1]
    assert session["expires_at"].endswith("+00:00")


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"user_id": "u-9999"}, 404, "no user 'u-9999'"),
        ({"user_id": ["u-1001"]}, 400, "user_id must be a text"),
        ({}, 400, "user_id must be a text"),
        ({"user_id": "u-1001", "password": "wrong"}, 401, "the password is wrong"),
        ("[]", 400, "the body is JSON, but not an object"),
    ],
)
def test_login_says_what_is_wrong(
    platform: Platform, body: object, status: int, error: str
) -> None:
    assert platform.ask("POST", "/login", body) == (status, {"error": error})


def test_login_accepts_the_right_password(platform: Platform) -> None:
    body = {"user_id": "u-1001", "password": "caseweave-demo"}

    assert platform.ask("POST", "/login", body)[0] == 200


def test_discovery_names_the_issuer_and_its_keys(platform: Platform) -> None:
    _, configuration = platform.ask("GET", "/.well-known/openid-configuration")

    assert configuration["issuer"] == platform.issuer
    assert configuration["jwks_uri"] == f"{platform.issuer}/.well-known/jwks.json"
    assert configuration["id_token_signing_alg_values_supported"] == ["RS256"]


def test_a_given_issuer_is_used() -> None:
    for elsewhere in _run("-m", "examples.platform", "--issuer", "https://shop.example"):
        _, configuration = elsewhere.ask("GET", "/.well-known/openid-configuration")
        claims = jwt.decode(elsewhere.log_in("u-1001"), options={"verify_signature": False})

    assert (configuration["issuer"], claims["iss"]) == ("https://shop.example",) * 2


def test_old_tokens_survive_a_key_rotation() -> None:
    for rotating in _run("examples/platform/server.py"):
        before = rotating.log_in("u-1001")
        _, rotated = rotating.ask("POST", "/_keys/rotate")
        after = rotating.log_in("u-1001")
        _, jwks = rotating.ask("GET", "/.well-known/jwks.json")

    assert [verify(token, jwks)["sub"] for token in (before, after)] == ["u-1001", "u-1001"]
    assert [key["kid"] for key in jwks["keys"]] == [
        rotated["kid"],
        jwt.get_unverified_header(before)["kid"],
    ]
    assert jwt.get_unverified_header(after)["kid"] == rotated["kid"]


def test_knows_customers_and_their_orders(platform: Platform) -> None:
    _, listed = platform.ask("GET", "/users")
    _, user = platform.ask("GET", "/users/u-1001")

    assert [one["id"] for one in listed["users"]][:2] == ["u-1001", "u-1002"]
    assert listed["users"][0] == user
    assert user["orders"][0] == {
        "number": "T20261123-7731",
        "product": "game-topup",
        "title": "星海远征 6480 星晶",
        "amount": "648.00",
        "currency": "CNY",
        "state": "processing",
    }


def test_sample_customers_can_be_reached_by_nobody_real(platform: Platform) -> None:
    _, listed = platform.ask("GET", "/users")

    emails = [user["email"] for user in listed["users"]]
    assert [email for email in emails if not email.endswith((".example", "@example.com"))] == []


@pytest.mark.parametrize(
    ("product", "users"),
    [
        ("game-topup", ["u-1001", "u-1002", "u-1004"]),
        ("card-secret", ["u-1003", "u-1006"]),
        ("settlement", ["u-2001"]),
        ("gift-card", []),
    ],
)
def test_finds_whose_open_orders_an_outage_touches(
    platform: Platform, product: str, users: list[str]
) -> None:
    assert platform.ask("POST", "/affected", {"product": product}) == (200, {"users": users})


def test_an_unknown_product_is_a_mistake_not_an_empty_list(platform: Platform) -> None:
    status, answer = platform.ask("POST", "/affected", {"product": "game-topups"})

    assert (status, answer) == (
        404,
        {
            "error": "no product 'game-topups'; there are "
            "game-topup, card-secret, gift-card, wallet, settlement"
        },
    )


@pytest.mark.parametrize("path", ["/nowhere", "/users/u-9999"])
def test_answers_unknown_paths_in_json(platform: Platform, path: str) -> None:
    status, answer = platform.ask("GET", path)

    assert (status, list(answer)) == (404, ["error"])


def test_is_healthy(platform: Platform) -> None:
    assert platform.ask("GET", "/health") == (200, {"ok": True})
