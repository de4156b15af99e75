"""SNS's signature: Amazon's certificate, our topic, now; and nothing else."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from Crypto.PublicKey import RSA

from caseweave.channels import aws_sms, sns
from caseweave.channels.credentials import Credentials
from caseweave.channels.request import WebhookRequest
from caseweave.cli.outside.sns import CERTIFICATE_URL, TOPIC, make_certificate, seal
from caseweave.errors import InvalidSignatureError, MissingSecretError, UnparseableError

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NOW = "2026-11-23T12:00:00.000Z"
SUBSCRIBE = (
    f"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t"
)
YEAR = timedelta(days=365)


@cache
def key(_name="own"):
    return RSA.generate(2048)


@cache
def certificate(owner="own", name="sns.amazonaws.com", begins=NOON - YEAR, ends=NOON + YEAR):
    return make_certificate(key(owner), begins, ends, name)


def account(pem=None, **values):
    known = {"topic_arns": [TOPIC], "from": "+15005550010", "certificate": pem or certificate()}
    return Credentials("aws", known | values)


def sealed(message="{}", *, owner="own", **more):
    return WebhookRequest(seal(key(owner), message, **{"Timestamp": NOW, **more}))


def changed(request, **fields):
    said = json.loads(request.body)
    for name, value in fields.items():
        if value is None:
            said.pop(name, None)
        else:
            said[name] = value
    return replace(request, body=json.dumps(said).encode())


def is_accepted(request, credentials=None, now=NOON):
    credentials = credentials or account()
    try:
        sns.certificate_url("aws", request, credentials)
        sns.check_time("aws", request, credentials, now)
        aws_sms.verify(request, credentials)
    except InvalidSignatureError:
        return False
    return True


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"Subject": "hello"},
        {"Type": "SubscriptionConfirmation", "SubscribeURL": SUBSCRIBE, "Token": "t"},
        {"Type": "UnsubscribeConfirmation", "SubscribeURL": SUBSCRIBE, "Token": "t"},
    ],
)
def test_a_genuine_message_is_accepted(more):
    assert is_accepted(sealed("还没到账\nline two", **more))


def test_a_subject_that_is_null_is_not_signed():
    assert is_accepted(changed(sealed(), Subject=json.loads("null") or ""), account()) is False
    body = json.dumps({**json.loads(sealed().body), "Subject": None}).encode()
    assert is_accepted(WebhookRequest(body))


@pytest.mark.parametrize(
    "fields",
    [
        {"Message": "other"},
        {"MessageId": "other"},
        {"Timestamp": "2026-11-23T12:00:01.000Z"},
        {"Subject": "added"},
        {"Type": "SubscriptionConfirmation"},
        {"Type": "Another"},
        {"Type": None},
        {"Signature": ""},
        {"Signature": None},
        {"Signature": "!"},
        {"Signature": b64encode(b"\0" * 256).decode()},
        {"Signature": b64encode(b"short").decode()},
        {"Signature": 7},
        {"Message": 7},
        {"Message": None},
        {"SignatureVersion": "1"},
        {"SignatureVersion": "3"},
        {"SignatureVersion": None},
        {"Timestamp": None},
        {"Timestamp": "soon"},
    ],
)
def test_a_message_that_was_tampered_with_is_refused(fields):
    assert not is_accepted(changed(sealed(), **fields))


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b"[" * 100_000, b"\xff\xfe", b'{"a":1}']
)
def test_what_is_no_message_at_all_is_refused(body):
    assert not is_accepted(WebhookRequest(body))


def test_a_message_signed_by_somebody_else_is_refused():
    assert not is_accepted(sealed(owner="stranger"))


def test_sha1_is_accepted_only_where_ops_say_so():
    old = sealed(version="1")

    assert not is_accepted(old)
    assert is_accepted(old, account(signature_versions=["2", "1"]))
    assert not is_accepted(sealed(), account(signature_versions=["1"]))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com.evil.example/x.pem",
        "https://evil.example/sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com@evil.example/x.pem",
        "https://user@sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com:444/x.pem",
        "https://sns.eu-west-1.amazonaws.com/x.pem",
        "https://s3.us-east-1.amazonaws.com/bucket/x.pem",
        "https://sns.us-east-1.amazonaws.com/x.txt",
        "https://sns.us-east-1.amazonaws.com/x?.pem",
        "https://sns.us-east-1.amazonaws.com\\.evil.example/x.pem",
        "https://SNS.us-east-1.amazonaws.com/x.pem",
        "https://[sns/x.pem",
        "//sns.us-east-1.amazonaws.com/x.pem",
    ],
)
def test_a_certificate_is_taken_from_amazons_own_host_only(url):
    request = WebhookRequest(seal(key(), "{}", Timestamp=NOW, SigningCertURL=url))

    with pytest.raises(InvalidSignatureError):
        sns.certificate_url("aws", request, account())


def test_the_address_of_the_certificate_is_told():
    assert sns.certificate_url("aws", sealed(), account()) == CERTIFICATE_URL


def test_another_topic_is_refused_before_anything_is_fetched():
    other = sealed(TopicArn="arn:aws:sns:us-east-1:999999999999:caseweave-sms")

    with pytest.raises(InvalidSignatureError):
        sns.certificate_url("aws", other, account())
    assert not is_accepted(other)


@pytest.mark.parametrize("nothing", [None, [], "", [""]])
def test_without_a_list_of_topics_nobody_gets_in(nothing):
    with pytest.raises(MissingSecretError, match="aws has no topic_arns"):
        aws_sms.verify(sealed(), account(topic_arns=nothing))


@pytest.mark.parametrize(
    ("age", "accepted"),
    [
        (timedelta(0), True),
        (timedelta(minutes=75), True),
        (timedelta(minutes=76), False),
        (timedelta(minutes=-5), True),
        (timedelta(minutes=-6), False),
    ],
)
def test_a_message_is_good_for_as_long_as_sns_repeats_it(age, accepted):
    assert is_accepted(sealed(), now=NOON + age) is accepted


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("sns.amazonaws.com", True),
        ("sns-signing.ap-east-1.amazonaws.com", True),
        ("sns-us-gov-west-1.amazonaws.com", True),
        ("sns-cn-north-1.amazonaws.com.cn", True),
        ("s3.amazonaws.com", False),
        ("sns.amazonaws.com.evil.example", False),
        ("evil.example", False),
        ("", False),
    ],
)
def test_the_certificate_has_to_be_sns_own(name, accepted):
    assert is_accepted(sealed(), account(certificate(name=name))) is accepted


@pytest.mark.parametrize(
    ("begins", "ends"), [(NOON - YEAR, NOON - timedelta(1)), (NOON + timedelta(1), NOON + YEAR)]
)
def test_a_certificate_holds_between_its_dates(begins, ends):
    assert not is_accepted(sealed(), account(certificate(begins=begins, ends=ends)))


@pytest.mark.parametrize(
    "pem",
    [
        "no certificate",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\n"
        + b64encode(b"\x30\x80" * 500).decode()
        + "\n-----END CERTIFICATE-----",
        key().public_key().export_key().decode(),
    ],
)
def test_what_is_no_certificate_proves_nothing(pem):
    assert not is_accepted(sealed(), account(pem))


# ---------------------------------------------------------------- the subscription


def envelope(**more):
    offer = {"Type": "SubscriptionConfirmation", "SubscribeURL": SUBSCRIBE, "Token": "t"}
    return sns.read_envelope(sealed("You have chosen …", **{**offer, **more}).body)


def test_the_address_that_confirms_is_found():
    assert sns.find_subscription(envelope()) == SUBSCRIBE


def test_only_an_offer_is_confirmed():
    assert sns.find_subscription(sns.read_envelope(sealed().body)) == ""
    assert sns.find_subscription(envelope(Type="UnsubscribeConfirmation")) == ""


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/?Action=ConfirmSubscription",
        SUBSCRIBE.replace("ConfirmSubscription", "Unsubscribe"),
        SUBSCRIBE.replace("caseweave-sms", "another"),
        SUBSCRIBE.replace("https", "http"),
        SUBSCRIBE + "&Action=DeleteTopic",
    ],
)
def test_no_other_address_is_visited(url):
    with pytest.raises(UnparseableError):
        sns.find_subscription(envelope(SubscribeURL=url))
