"""Real tokens, checked against keys that a real server publishes."""

import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from Crypto.Hash import SHA256
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15

from caseweave.errors import InvalidSignatureError, UnavailableError
from caseweave.platform.sign_in import KeySet, verify_sign_in

ISSUER = "https://shop.example.com"
AUDIENCE = "caseweave"
KEY = RSA.generate(2048)
OTHER_KEY = RSA.generate(2048)


def encode(content):
    return urlsafe_b64encode(content).decode().rstrip("=")


def decode(text):
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(value):
    return encode(value.to_bytes((value.bit_length() + 7) // 8))


def published(key_id, key=KEY):
    return {"kty": "RSA", "kid": key_id, "alg": "RS256", "n": number(key.n), "e": number(key.e)}


def claims(**changes):
    """The usual claims; a timedelta is that far from now, None leaves a claim out."""
    now = int(time.time())
    usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": "u-1001", "iat": now, "exp": now + 600}
    said = {name: value for name, value in (usual | changes).items() if value is not None}
    return {
        name: now + value.total_seconds() if isinstance(value, timedelta) else value
        for name, value in said.items()
    }


def join(header, payload):
    return ".".join(encode(json.dumps(part).encode()) for part in (header, payload))


def make_token(key=KEY, header=None, **changes):
    signed = join({"alg": "RS256", "kid": "k1", **(header or {})}, claims(**changes))
    return f"{signed}.{encode(pkcs1_15.new(key).sign(SHA256.new(signed.encode())))}"


class Platform:
    """A server that publishes `answer` and counts who asked."""

    def __init__(self):
        self.answer = {"keys": [published("k1")]}
        self.status = 200
        self.asked = 0
        platform = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                platform.asked += 1
                content = platform.answer
                body = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(platform.status)
                # More is announced than comes where a connection breaks off.
                self.send_header("Content-Length", str(len(body) + 10 * (platform.status == 206)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.keys = KeySet(f"http://127.0.0.1:{self.server.server_port}/jwks.json")
        Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def verify(self, token):
        return verify_sign_in(token, self.keys, ISSUER, AUDIENCE)

    def refuses(self, token):
        with pytest.raises(InvalidSignatureError) as refusal:
            self.verify(token)
        return refusal.value.args == ("the platform's JWT",)

    def let_time_pass(self, seconds):
        self.keys.fetched_at -= seconds

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def platform():
    server = Platform()
    yield server
    server.stop()


def test_a_genuine_token_says_who_it_is(platform):
    said = platform.verify(make_token(name="林", tier="gold"))

    assert said == claims(name="林", tier="gold", iat=said["iat"], exp=said["exp"])


def test_the_keys_are_fetched_once(platform):
    for _ in range(3):
        platform.verify(make_token())

    assert platform.asked == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [AUDIENCE, "another"]},
        {"exp": timedelta(seconds=-10)},
        {"nbf": timedelta(seconds=10)},
        {"iat": None},
        {"exp": timedelta(seconds=60.5)},
    ],
)
def test_small_differences_of_clocks_and_forms_are_accepted(platform, changes):
    assert platform.verify(make_token(**changes))["sub"] == "u-1001"


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": timedelta(seconds=-60)},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": []},
        {"exp": float("nan")},
        {"nbf": timedelta(seconds=600)},
        {"iat": timedelta(seconds=600)},
        {"aud": "another"},
        {"aud": None},
        {"aud": []},
        {"aud": 7},
        {"aud": ""},
        {"iss": "https://evil.example"},
        {"iss": ISSUER + "/"},
        {"iss": None},
        {"iss": [ISSUER]},
        {"sub": None},
    ],
)
def test_a_token_that_is_not_for_us_or_not_for_now_is_refused(platform, changes):
    assert platform.refuses(make_token(**changes))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "None"},
        {"alg": "RS512"},
        {"alg": "PS256"},
        {"alg": "HS256"},
        {"alg": None},
        {"alg": ["RS256"]},
        {"kid": "k2"},
        {"kid": None},
        {"kid": 1},
        {"kid": ["k1"]},
    ],
)
def test_a_token_that_names_another_algorithm_or_key_is_refused(platform, header):
    assert platform.refuses(make_token(header=header))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "RS256", "HS256", ""])
@pytest.mark.parametrize("signature", ["", "AA", "="])
def test_a_token_without_a_signature_is_refused(platform, algorithm, signature):
    unsigned = join({"alg": algorithm, "kid": "k1"}, claims())

    assert platform.refuses(f"{unsigned}.{signature}")


@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
@pytest.mark.parametrize(
    "secret",
    [
        KEY.public_key().export_key("PEM"),
        KEY.public_key().export_key("DER"),
        number(KEY.n).encode(),
        b"",
    ],
)
def test_our_public_key_is_no_password(platform, algorithm, secret):
    signed = join({"alg": algorithm, "kid": "k1"}, claims())
    mac = hmac.digest(secret, signed.encode(), sha256)

    assert platform.refuses(f"{signed}.{encode(mac)}")


def test_a_key_that_comes_with_the_token_does_not_count(platform):
    header = {"jwk": published("k1", OTHER_KEY), "jku": "http://127.0.0.1:1/", "x5u": "http://x"}

    assert platform.refuses(make_token(OTHER_KEY, header))
    assert platform.verify(make_token(KEY, header))


def test_a_token_signed_by_somebody_else_is_refused(platform):
    assert platform.refuses(make_token(OTHER_KEY))


def test_a_token_of_which_anything_was_changed_is_refused(platform):
    header, payload, signature = make_token().split(".")
    said = json.loads(decode(payload))

    assert platform.refuses(
        f"{header}.{encode(json.dumps(said | {'sub': 'u-1'}).encode())}.{signature}"
    )
    assert platform.refuses(f"{encode(decode(header) + b' ')}.{payload}.{signature}")
    assert platform.refuses(f"{header}.{payload}.{encode(bytes(256))}")
    assert platform.refuses(f"{header}.{payload}.{signature[:-4]}")
    assert platform.refuses(f"{header}.{payload}.{signature[4:]}")


def test_no_single_bit_of_a_signature_can_be_changed(platform):
    signed, _, signature = make_token().rpartition(".")
    content = decode(signature)
    for byte in range(0, len(content), 16):
        changed = bytearray(content)
        changed[byte] ^= 1
        assert platform.refuses(f"{signed}.{encode(bytes(changed))}")


@pytest.mark.parametrize(
    "token",
    [
        *("", ".", "..", "...", "a", "a.b", "a.b.c", "a.b.c.d", "e30.e30.", "e30.e30.e30"),
        *("bnVsbA.bnVsbA.AA", "W10.W10.AA", "\0.\0.\0", "签.名.了", "\ud800.\udfff.x", " . . "),
        pytest.param("." * 100_000, id="dots"),
        pytest.param("a" * 1_000_000, id="giant"),
        pytest.param(f"{'a' * 1_000_000}.{'a' * 1_000_000}.aaaa", id="giant parts"),
        pytest.param(encode(b"[" * 100_000) + ".e30.AA", id="deep header"),
        pytest.param(
            encode(b'{"alg":"RS256","kid":"k1","x":' + b"[" * 7_000) + ".e30.AA", id="deeper header"
        ),
        pytest.param(encode(b'{"alg":' + b"9" * 9_999 + b"}") + ".e30.AA", id="huge number"),
    ],
)
def test_garbage_is_refused(platform, token):
    assert platform.refuses(token)


@pytest.mark.parametrize(
    "payload", [b"[]", b"null", b"7", b"\xff", b"", b"[" * 7_000, b'{"exp":1e999,"sub":"u"}']
)
def test_a_signed_token_without_readable_claims_is_refused(platform, payload):
    signed = f"{encode(json.dumps({'alg': 'RS256', 'kid': 'k1'}).encode())}.{encode(payload)}"
    signature = pkcs1_15.new(KEY).sign(SHA256.new(signed.encode()))

    assert platform.refuses(f"{signed}.{encode(signature)}")


# Keys come and go


def test_an_unknown_key_is_looked_for_once_in_a_while(platform):
    platform.verify(make_token())
    for number_of_tries in range(5):
        assert platform.refuses(make_token(header={"kid": f"unknown-{number_of_tries}"}))
    assert platform.asked == 1

    platform.let_time_pass(11)
    for number_of_tries in range(5):
        assert platform.refuses(make_token(header={"kid": f"unknown-{number_of_tries}"}))
    assert platform.asked == 2


def test_a_new_key_is_found_and_the_old_one_goes(platform):
    platform.verify(make_token())
    platform.answer = {"keys": [published("k2", OTHER_KEY)]}
    platform.let_time_pass(11)

    assert platform.verify(make_token(OTHER_KEY, {"kid": "k2"}))["sub"] == "u-1001"
    assert platform.refuses(make_token())


def test_a_key_that_was_withdrawn_is_good_for_five_minutes_at_most(platform):
    platform.verify(make_token())
    platform.answer = {"keys": [published("k2", OTHER_KEY)]}

    platform.let_time_pass(299)
    assert platform.verify(make_token())
    platform.let_time_pass(2)
    assert platform.refuses(make_token())


def test_a_single_key_needs_no_id(platform):
    key = published("")
    del key["kid"]
    platform.answer = {"keys": [key]}

    assert platform.verify(make_token(header={"kid": ""}))["sub"] == "u-1001"


def test_keys_of_other_kinds_are_passed_over(platform):
    platform.answer = {"keys": [{"kty": "EC", "kid": "e1"}, {"kty": "oct"}, published("k1")]}

    assert platform.verify(make_token())["sub"] == "u-1001"


def test_a_platform_without_keys_is_not_asked_for_every_token(platform):
    platform.answer = {"keys": []}
    for _ in range(3):
        assert platform.refuses(make_token())

    assert platform.asked == 1


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (500, b""),
        (404, {"keys": [published("k1")]}),
        (206, {"keys": [published("k1")]}),
        (200, b""),
        (200, b"\xff"),
        (200, b"<html>"),
        (200, b"[]"),
        (200, {}),
        (200, {"keys": None}),
        (200, {"keys": "k1"}),
        (200, {"keys": ["k1"]}),
        (200, {"keys": [{"kty": "RSA", "kid": "k1"}]}),
        (200, {"keys": [{"kty": "RSA", "kid": "k1", "n": 1, "e": 1}]}),
        (200, {"keys": [{"kty": "RSA", "kid": "k1", "n": "", "e": "AQAB"}]}),
        (200, {"keys": [{"kty": "RSA", "kid": "k1", "n": "!", "e": "签"}]}),
        (200, b"[" * 100_000),
    ],
)
def test_keys_that_cannot_be_read_mean_later_and_not_no(platform, status, answer):
    platform.status, platform.answer = status, answer

    with pytest.raises(UnavailableError, match="the platform's keys cannot be read"):
        platform.verify(make_token())

    platform.status, platform.answer = 200, {"keys": [published("k1")]}
    assert platform.verify(make_token())["sub"] == "u-1001"


def test_a_platform_that_is_down_means_later_and_not_no(platform):
    platform.stop()

    with pytest.raises(UnavailableError):
        platform.verify(make_token())


def test_while_the_platform_is_down_its_known_keys_are_good_for_a_while(platform):
    platform.verify(make_token())
    platform.stop()

    platform.let_time_pass(200)
    assert platform.verify(make_token())
    platform.let_time_pass(200)
    with pytest.raises(UnavailableError):
        platform.verify(make_token())
