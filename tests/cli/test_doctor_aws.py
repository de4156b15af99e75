"""What the doctor asks of AWS, against an AWS in memory."""

import boto3
import pytest
from moto import mock_aws

from caseweave.cli.doctor.aws_account import ask_ses, ask_sns
from caseweave.cli.place import UnreadableStackError, find_deployed
from tests.cli.stacks import deploy

REGION = "us-east-1"
BUCKET = "desk-mail"
API_URL = "https://desk.example.com/prod"


@pytest.fixture
def aws(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


def find(**settings):
    deploy("desk", {"ApiUrl": API_URL, "MailBucket": BUCKET}, **settings)
    return find_deployed("desk", REGION, "")


def test_a_deployed_desk_is_found_by_its_stack(aws):
    place = find(SupportAddress="support@desk.example")

    assert (place.api_url, place.mail_bucket, place.prefix) == (API_URL, BUCKET, "/caseweave/desk")
    assert place.settings == {"SupportAddress": "support@desk.example"}
    assert not place.is_local


def test_a_domain_of_ones_own_is_what_providers_call(aws):
    place = find(PublicUrl="https://own.example/")

    assert place.api_url == "https://own.example"
    assert find_deployed("desk", REGION, "https://other.example").api_url == "https://other.example"


def test_a_stack_that_is_not_there_or_not_ours_is_explained(aws):
    with pytest.raises(UnreadableStackError, match="Set AWS_PROFILE"):
        find_deployed("desk", REGION, "")
    deploy("desk", {"Another": "x"})
    with pytest.raises(UnreadableStackError, match="not one of Caseweave"):
        find_deployed("desk", REGION, "")


def test_parameters_are_read_decrypted_and_may_be_missing(aws):
    place = find()
    boto3.client("ssm", region_name=REGION).put_parameter(
        Name="/caseweave/desk/providers/line", Value='{"a": 1}', Type="SecureString"
    )

    assert place.read_parameter("providers/line") == '{"a": 1}'
    assert place.read_parameter("providers/telegram") is None


def test_a_topic_without_a_subscription_and_with_the_older_signature_has_two_problems(aws):
    place = find()
    arn = boto3.client("sns", region_name=REGION).create_topic(Name="sms")["TopicArn"]

    assert [one.level.value for one in ask_sns(place, [arn])] == ["problem", "problem"]


def test_a_subscription_of_ours_is_found(aws):
    """The AWS in memory does not tell how a topic signs: that is read in test_doctor.py."""
    place = find()
    sns = boto3.client("sns", region_name=REGION)
    arn = sns.create_topic(Name="sms")["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="https", Endpoint=f"{API_URL}/intake/sms/aws")

    assert [one.en for one in ask_sns(place, [arn])][1:] == [f"{arn} delivers to us"]


def test_without_a_support_address_mail_cannot_leave(aws):
    (found,) = ask_ses(find())

    assert "SupportAddress is empty" in found.en
