"""Meta's signature and its greeting, which Messenger, Instagram and WhatsApp share."""

import hmac
import json
from hashlib import sha1, sha256

import pytest

from caseweave.channels import meta, whatsapp
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest
from caseweave.errors import InvalidSignatureError, MissingSecretError

BODY = '{"object":"page","entry":[{"id":"1","messaging":[]}],"x":"还没到账"}'.encode()

providers = pytest.mark.parametrize("provider", [meta, whatsapp], ids=lambda one: one.PROVIDER)


def proof(secret="s3cret", body=BODY):
    return "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()


def verify(provider, header, *, body=BODY, **secrets):
    headers = {} if header is None else {"x-hub-signature-256": header}
    account = Credentials(provider.PROVIDER, {"app_secret": "s3cret"} | secrets)
    provider.verify(WebhookRequest(body=body, headers=headers), account)


def is_accepted(provider, header, **given):
    try:
        verify(provider, header, **given)
    except InvalidSignatureError:
        return False
    return True


@providers
def test_a_genuine_request_is_accepted(provider):
    assert is_accepted(provider, proof())


@providers
def test_a_signature_made_by_openssl_is_accepted(provider):
    # Made once by `printf '{"object":"page"}' | openssl dgst -sha256 -hmac b2c0ffee`.
    header = "sha256=4d79ca7f6efbf4fc789b68490a5197641a60378b05aeeb2fcc4064272e8ce389"

    assert is_accepted(provider, header, body=b'{"object":"page"}', app_secret="b2c0ffee")


@providers
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(BODY + b" ", id="a space more"),
        pytest.param(BODY[:-1], id="a byte less"),
        pytest.param(json.dumps(json.loads(BODY)).encode(), id="the same, written differently"),
        pytest.param(BODY.replace(b"1", b"2"), id="another value"),
        pytest.param(b"\xff\xfe", id="no UTF-8"),
    ],
)
def test_a_changed_body_is_refused(provider, body):
    assert not is_accepted(provider, proof(), body=body)


@providers
@pytest.mark.parametrize(
    "header",
    [
        pytest.param(None, id="missing"),
        pytest.param("", id="empty"),
        pytest.param(" ", id="blank"),
        pytest.param("sha256=", id="no digest"),
        pytest.param(proof()[:-1], id="truncated"),
        pytest.param(proof() + "0", id="longer"),
        pytest.param(proof()[7:], id="without the algorithm"),
        pytest.param(proof().upper(), id="other case"),
        pytest.param(proof() + ",sha256=" + "0" * 64, id="two, joined by the gateway"),
        pytest.param("sha256=" + "0" * 64, id="zeros"),
        pytest.param(proof() + "签名", id="not ASCII"),
        pytest.param(proof() + "\ud800", id="half a surrogate pair"),
        pytest.param(proof() + "\0", id="NUL"),
        pytest.param(proof() * 10_000, id="giant"),
        pytest.param(proof("other"), id="another secret"),
        pytest.param(proof(""), id="the empty secret"),
        pytest.param("sha1=" + hmac.new(b"s3cret", BODY, sha1).hexdigest(), id="SHA-1"),
    ],
)
def test_any_other_proof_is_refused_and_nobody_learns_why(provider, header):
    with pytest.raises(InvalidSignatureError) as refusal:
        verify(provider, header)

    assert refusal.value.args == (provider.PROVIDER,)


@providers
def test_the_older_header_proves_nothing(provider):
    legacy = {"x-hub-signature": "sha1=" + hmac.new(b"s3cret", BODY, sha1).hexdigest()}

    with pytest.raises(InvalidSignatureError):
        provider.verify(
            WebhookRequest(body=BODY, headers=legacy),
            Credentials(provider.PROVIDER, {"app_secret": "s3cret"}),
        )


@providers
@pytest.mark.parametrize(("secret", "accepted"), [("new", 1), ("old", 1), ("older", 0)])
def test_while_a_secret_is_rotated_both_are_good_and_no_third(provider, secret, accepted):
    assert is_accepted(provider, proof(secret), app_secret=["new", "old"]) == accepted


@providers
@pytest.mark.parametrize("nothing", [None, "", [], [""], [None], 0, False])
@pytest.mark.parametrize("header", [None, "", proof("")])
def test_without_a_secret_nobody_gets_in(provider, nothing, header):
    with pytest.raises(MissingSecretError, match=f"{provider.PROVIDER} has no app_secret"):
        verify(provider, header, app_secret=nothing)


# The greeting

HELLO = (("hub.mode", "subscribe"), ("hub.challenge", "1158201444"), ("hub.verify_token", "t0ken"))


def greet(provider, query, **secrets):
    account = Credentials(provider.PROVIDER, {"verify_token": "t0ken"} | secrets)
    return provider.greet(WebhookRequest(body=b"", query=tuple(query)), account)


@providers
def test_the_greeting_is_answered_with_its_challenge(provider):
    assert greet(provider, HELLO) == "1158201444"


@providers
@pytest.mark.parametrize("live", [["t0ken", "old"], ["new", "t0ken"]])
def test_two_tokens_can_be_live(provider, live):
    assert greet(provider, HELLO, verify_token=live) == "1158201444"


@providers
@pytest.mark.parametrize(
    "query",
    [
        pytest.param([], id="nothing"),
        *(pytest.param([p for p in HELLO if p[0] != name], id=f"no {name}") for name, _ in HELLO),
        *(
            pytest.param([*(p for p in HELLO if p[0] != name), (name, "")], id=f"empty {name}")
            for name, _ in HELLO
        ),
        *(
            pytest.param([*HELLO, ("hub.verify_token", other)], id=f"a second token {other}")
            for other in ("t0ken", "guess")
        ),
        pytest.param([("hub.mode", "unsubscribe"), *HELLO[1:]], id="another mode"),
        pytest.param([*HELLO[:2], ("hub.verify_token", "T0KEN")], id="other case"),
        pytest.param([*HELLO[:2], ("hub.verify_token", "t0ke")], id="truncated"),
        pytest.param([*HELLO[:2], ("hub.verify_token", "口令\ud800")], id="not ASCII"),
        pytest.param([*HELLO, ("hub.challenge", "2")], id="two challenges"),
    ],
)
def test_any_other_greeting_is_refused(provider, query):
    with pytest.raises(InvalidSignatureError) as refusal:
        greet(provider, query)

    assert refusal.value.args == (provider.PROVIDER,)


@providers
@pytest.mark.parametrize("nothing", [None, "", [], [""]])
def test_without_a_token_no_greeting_is_answered(provider, nothing):
    with pytest.raises(MissingSecretError, match=f"{provider.PROVIDER} has no verify_token"):
        greet(provider, [*HELLO[:2], ("hub.verify_token", "")], verify_token=nothing)
