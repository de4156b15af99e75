"""The connector as the functions get it: the address from the settings, the secret from SSM."""

import json
from datetime import timedelta

import boto3
import pytest
from aws_lambda_powertools.utilities.parameters import clear_caches
from moto import mock_aws

from caseweave.platform.answer import State, Trouble
from caseweave.settings import Settings
from caseweave.wiring import platform_connector

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def ssm():
    clear_caches()
    with mock_aws():
        yield boto3.client("ssm")
    clear_caches()


def ask(url):
    settings = {"TABLE_NAME": "t", "PARAMETER_PREFIX": "/caseweave/desk", "PLATFORM_URL": url}
    connector = platform_connector(Settings.from_env(settings))
    return connector.account("u-1001", connector.deadline(timedelta(seconds=3)))


def put(ssm, value):
    ssm.put_parameter(Name="/caseweave/desk/platform", Value=value, Type="SecureString")


def test_without_an_address_there_is_no_platform():
    assert (ask("").state, ask("").trouble) == (State.NOT_CONFIGURED, Trouble.NO_ADDRESS)


def test_without_a_secret_it_cannot_be_asked():
    assert (ask(NOWHERE).state, ask(NOWHERE).trouble) == (State.NOT_CONFIGURED, Trouble.NO_SECRET)


@pytest.mark.parametrize("value", ["[]", "{}", "not JSON", '{"secret": ""}', '{"secret": "12345"}'])
def test_a_secret_of_another_form_is_none(ssm, value):
    put(ssm, value)

    assert ask(NOWHERE).trouble is Trouble.NO_SECRET


@pytest.mark.parametrize("secret", [SECRET, [SECRET, SECRET]])
def test_with_both_it_is_asked(ssm, secret):
    put(ssm, json.dumps({"secret": secret}))

    answer = ask(NOWHERE + "/")

    assert (answer.state, answer.trouble) == (State.UNAVAILABLE, Trouble.UNREACHABLE)
