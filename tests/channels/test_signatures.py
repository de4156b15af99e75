"""One contract for every webhook provider: who does not hold the secret does not get in."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from caseweave.channels import telegram, twilio, twilio_sending
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest
from caseweave.errors import InvalidSignatureError, MissingSecretError
from tests.channels.samples import (
    OUTBOX_KEY,
    WEBHOOK_URL,
    outgoing,
    sms,
    telegram_account,
    twilio_account,
    twilio_request,
    twilio_signature,
)

FORM = [("MessageSid", "SM1"), ("From", "+8613800138000"), ("Body", "还没到账")]


@dataclass(frozen=True)
class Case:
    """How one provider proves where a request comes from."""

    provider: ModuleType
    header: str
    secret: str
    account: Callable[..., Credentials]
    sign: Callable[[str], WebhookRequest]


def telegram_request(token):
    return WebhookRequest(
        body=b'{"update_id": 1}', headers={"x-telegram-bot-api-secret-token": token}
    )


CASES = [
    Case(
        twilio,
        "x-twilio-signature",
        "auth_token",
        twilio_account,
        lambda token: twilio_request(FORM, token=token),
    ),
    Case(
        telegram,
        "x-telegram-bot-api-secret-token",
        "secret_token",
        telegram_account,
        telegram_request,
    ),
]
providers = pytest.mark.parametrize("case", CASES, ids=lambda case: case.provider.PROVIDER)


def is_accepted(case, request, **secrets):
    try:
        case.provider.verify(request, case.account(**secrets))
    except InvalidSignatureError:
        return False
    return True


@providers
def test_a_genuine_request_is_accepted(case):
    assert is_accepted(case, case.sign("s3cret"), **{case.secret: "s3cret"})


@providers
def test_a_request_made_with_another_secret_is_refused(case):
    assert not is_accepted(case, case.sign("other"), **{case.secret: "s3cret"})


@providers
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda proof: "", id="empty"),
        pytest.param(lambda proof: " ", id="blank"),
        pytest.param(lambda proof: proof[:-1], id="truncated"),
        pytest.param(lambda proof: proof + "=", id="longer"),
        pytest.param(lambda proof: proof.swapcase(), id="other case"),
        pytest.param(lambda proof: "x" + proof[1:], id="first character"),
        pytest.param(lambda proof: proof + "签名", id="not ASCII"),
        pytest.param(lambda proof: proof + "\ud800", id="half a surrogate pair"),
        pytest.param(lambda proof: proof + "\0", id="NUL"),
        pytest.param(lambda proof: proof * 10_000, id="giant"),
    ],
)
def test_a_changed_proof_is_refused(case, change):
    genuine = case.sign("s3cret")
    forged = replace(genuine, headers={case.header: change(genuine.headers[case.header])})

    assert not is_accepted(case, forged, **{case.secret: "s3cret"})


@providers
def test_a_request_without_proof_is_refused(case):
    assert not is_accepted(
        case, replace(case.sign("s3cret"), headers={}), **{case.secret: "s3cret"}
    )


@providers
@pytest.mark.parametrize(("signed_with", "accepted"), [("new", 1), ("old", 1), ("older", 0)])
def test_while_a_secret_is_rotated_both_are_good_and_no_third(case, signed_with, accepted):
    assert is_accepted(case, case.sign(signed_with), **{case.secret: ["new", "old"]}) == accepted


@providers
@pytest.mark.parametrize("nothing", [None, "", [], [""], [None], 0, False])
@pytest.mark.parametrize("proof", ["", "genuine"])
def test_without_a_secret_nobody_gets_in(case, nothing, proof):
    # What somebody would send who hopes that the empty secret is the secret.
    request = case.sign("") if proof == "genuine" else replace(case.sign("x"), headers={})

    with pytest.raises(MissingSecretError, match=rf"{case.provider.PROVIDER} has no {case.secret}"):
        case.provider.verify(request, case.account(**{case.secret: nothing}))


@providers
def test_a_secret_that_ops_never_set_is_missing(case):
    with pytest.raises(MissingSecretError):
        case.provider.verify(case.sign("x"), Credentials(case.provider.PROVIDER, {}))


@providers
def test_a_refusal_does_not_say_why(case):
    with pytest.raises(InvalidSignatureError) as refusal:
        case.provider.verify(case.sign("other"), case.account(**{case.secret: "s3cret"}))

    assert refusal.value.args == (case.provider.PROVIDER,)


def test_credentials_do_not_print_their_secrets():
    assert repr(twilio_account()) == "Credentials(provider='twilio')"


def test_the_newest_of_several_secrets_is_the_current_one():
    assert twilio_account(auth_token=["", "new", "old"]).current("auth_token") == "new"


# Telegram signs no body: only Twilio's can be tampered with.


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"MessageSid=SM1&From=%2B8613800138000&Body=x", id="another value"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"%00%ff\xff&&&===", id="garbage"),
        pytest.param(urlencode([*FORM, ("NumMedia", "1")]).encode(), id="a field more"),
        pytest.param(urlencode(FORM[1:]).encode(), id="a field less"),
        pytest.param(b"&".join([b"a=b"] * 1001), id="more fields than any form has"),
    ],
)
def test_a_changed_twilio_form_is_refused(body):
    forged = replace(twilio_request(FORM), body=body)

    assert not is_accepted(CASES[0], forged)


def test_a_signature_made_by_openssl_is_accepted():
    # Made once by `openssl dgst -sha1 -hmac b2c0ffee -binary | base64` of the URL and the fields.
    request = WebhookRequest(
        body=b"MessageSid=SM1&From=%2B8613800138000&Body=%E8%BF%98%E6%B2%A1%E5%88%B0%E8%B4%A6",
        headers={"x-twilio-signature": "bRJDIL2PClxUpwZxXND8XttwTtc="},
    )

    twilio.verify(request, twilio_account())


def test_twilio_fields_may_come_in_any_order():
    genuine = twilio_request(FORM)

    twilio.verify(replace(genuine, body=urlencode(FORM[::-1]).encode()), twilio_account())


def test_a_name_that_repeats_is_signed_with_its_values_sorted_and_each_once():
    body = urlencode([("Media", "b"), ("Media", "a"), ("Media", "b"), ("A", "")]).encode()
    signature = twilio_signature(
        "b2c0ffee", WEBHOOK_URL, [("A", ""), ("Media", "a"), ("Media", "b")]
    )

    twilio.verify(
        WebhookRequest(body=body, headers={"x-twilio-signature": signature}), twilio_account()
    )


def test_names_are_sorted_before_values_are_appended():
    pairs = [("FromCity", "上海"), ("From", "+8613800138000")]
    signature = twilio_signature("b2c0ffee", WEBHOOK_URL, [pairs[1], pairs[0]])

    twilio.verify(
        WebhookRequest(body=urlencode(pairs).encode(), headers={"x-twilio-signature": signature}),
        twilio_account(),
    )


def test_a_get_without_fields_is_signed_by_its_url_alone():
    twilio.verify(twilio_request([]), twilio_account())


@pytest.mark.parametrize("value", ["表情😀", "a&b=c+d%20e", "line\r\nbreak", "\0", "'\"<>"])
def test_any_text_can_be_signed(value):
    twilio.verify(twilio_request([("Body", value)]), twilio_account())


@pytest.mark.parametrize("key", [OUTBOX_KEY, "a b", "中/文?&=#'", "100%+"])
def test_a_status_callback_is_accepted_at_the_very_url_that_we_gave_twilio(key):
    sent = twilio_sending.build_send(
        outgoing(sms(), key), "https://api.twilio.com", twilio_account()
    )
    (callback,) = parse_qs(sent.body.decode())["StatusCallback"]
    receipt = [("MessageSid", "SM1"), ("MessageStatus", "delivered")]

    decoded = tuple(parse_qsl(urlsplit(callback).query))
    assert decoded == (("message", key),)
    twilio.verify(twilio_request(receipt, url=callback, query=decoded), twilio_account())


def test_a_status_callback_for_another_message_is_refused():
    url = f"{WEBHOOK_URL}?message=one"
    request = twilio_request(FORM, url=url, query=(("message", "another"),))

    assert not is_accepted(CASES[0], request)
