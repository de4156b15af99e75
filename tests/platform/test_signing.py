"""Standard Webhooks signatures, against the example that the specification's site publishes."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.errors import MissingSecretError
from caseweave.platform.signing import read_secret, sign, signed_content

# Published with the reference libraries of https://www.standardwebhooks.com
PUBLISHED = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT = datetime.fromtimestamp(1614265330, UTC)
# Ours: 32 bytes 0, 1, 2, …; checked with `openssl dgst -sha256 -mac hmac`.
COUNTED = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def sign_with(*secrets, at=AT, content=b'{"test": 2432232314}'):
    keys = [read_secret(secret) for secret in secrets]
    return sign(keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, content)


def test_the_published_example_is_signed_as_published():
    assert sign_with(PUBLISHED) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_question_is_signed_over_its_method_and_its_target():
    content = signed_content("GET", "/accounts/u-1001/orders?limit=5")

    assert content == b"GET /accounts/u-1001/orders?limit=5"
    assert sign_with(COUNTED, content=content)["webhook-signature"] == (
        "v1,k/5auxxmlArTw4bS+XJ1FdevFtOgyXpjYOKH2D6qQNs="
    )


def test_what_has_a_body_is_signed_over_its_body():
    assert signed_content("POST", "/orders", b"{}") == b"{}"


def test_while_a_secret_is_rotated_both_sign_the_newer_first():
    old, new = sign_with(PUBLISHED), sign_with(COUNTED)

    assert sign_with(COUNTED, PUBLISHED)["webhook-signature"] == (
        f"{new['webhook-signature']} {old['webhook-signature']}"
    )


def test_the_time_is_in_seconds_wherever_we_are():
    there = AT.astimezone(timezone(timedelta(hours=8))) + timedelta(milliseconds=999)

    assert sign_with(PUBLISHED, at=there) == sign_with(PUBLISHED)


@given(st.binary(min_size=24, max_size=64))
def test_a_secret_is_its_bytes_in_base64(key):
    assert read_secret(f"whsec_{b64encode(key).decode()}") == key


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_c2hvcnQ=",
        PUBLISHED.removeprefix("whsec_"),
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa~~",
        "whsec_密钥密钥密钥密钥密钥密钥密钥密钥",
        f"whsec_{b64encode(bytes(65)).decode()}",
        "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ],
)
def test_another_form_of_secret_is_none_at_all(secret):
    with pytest.raises(MissingSecretError, match="not whsec_ and 24 to 64 bytes in base64"):
        read_secret(secret)
