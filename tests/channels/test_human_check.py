"""The human check: one question in one form for every verifier, and what its answer means."""

import json
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.channels.credentials import Credentials
from caseweave.channels.human_check import (
    VERIFIERS,
    build_verification,
    describe_verifier,
    read_verification,
)
from caseweave.channels.request import ProviderAnswer
from caseweave.errors import MissingSecretError

ACCOUNT = Credentials(
    "human_check", {"secret": ["new", "old"], "site_key": "site", "url": "https://check.example/v"}
)


def read(said, status=200, account=ACCOUNT):
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return read_verification(ProviderAnswer(status, body), account)


@pytest.mark.parametrize(
    ("verifier", "url"),
    [
        ("turnstile", "https://challenges.cloudflare.com/turnstile/v0/siteverify"),
        ("hcaptcha", "https://api.hcaptcha.com/siteverify"),
        ("recaptcha", "https://www.google.com/recaptcha/api/siteverify"),
        ("http", "https://check.example/v"),
    ],
)
def test_every_verifier_is_asked_with_secret_token_and_address(verifier, url):
    request = build_verification(verifier, "t&k=1", "192.0.2.1", "", ACCOUNT)

    assert (request.method, request.url) == ("POST", url)
    assert parse_qs(request.body.decode()) == {
        "secret": ["new"],
        "response": ["t&k=1"],
        "remoteip": ["192.0.2.1"],
    }


def test_the_verifiers_are_these():
    assert VERIFIERS == ("none", "turnstile", "hcaptcha", "recaptcha", "http")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"success": True}, True),
        ({"success": False, "error-codes": ["timeout-or-duplicate"]}, False),
        ({"success": False, "error-codes": ["invalid-input-secret"]}, None),
        ({"success": "true"}, None),
        ({"success": 1}, None),
        ({}, None),
        ({"success": True, "score": 0.9}, True),
        ({"success": True, "score": 0.1}, False),
        (b"<html>", None),
        (b"", None),
    ],
)
def test_only_true_is_a_person(said, meant):
    assert read(said) is meant


@pytest.mark.parametrize("status", [301, 400, 429, 500])
def test_an_answer_with_another_status_says_nothing(status):
    assert read({"success": True}, status) is None


def test_how_much_of_a_person_it_has_to_be_is_a_setting():
    strict = Credentials("human_check", {"secret": "s", "least_score": 0.95})

    assert read({"success": True, "score": 0.9}, account=strict) is False


@given(body=st.binary(max_size=200))
def test_no_bytes_make_the_reader_fail(body):
    assert read(body) in (True, False, None)


def test_a_page_learns_the_site_key_and_never_the_secret():
    assert describe_verifier("turnstile", ACCOUNT) == {"verifier": "turnstile", "site_key": "site"}
    with pytest.raises(MissingSecretError):
        describe_verifier("turnstile", Credentials("human_check", {}))
