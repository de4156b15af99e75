"""SMS by SNS, from the envelope to the case; its certificate and its subscription."""

import json
from datetime import datetime, timedelta

import pytest

from caseweave import sns_intake
from caseweave.channels.credentials import Credentials
from caseweave.cli.outside.sns import CERTIFICATE_URL, TOPIC
from caseweave.errors import InvalidSignatureError, UnavailableError
from caseweave.sns_intake import receive_sns, visit_sns
from tests.channels.test_aws_sms import SMS
from tests.channels.test_sns import NOON, SUBSCRIBE, certificate, sealed
from tests.usecases.world import YEAR

OFFER = {"Type": "SubscriptionConfirmation", "SubscribeURL": SUBSCRIBE, "Token": "t"}


class Amazon:
    """What is at SNS's addresses, and which were visited."""

    def __init__(self):
        self.visited = []
        self.is_down = False

    def __call__(self, url):
        self.visited.append(url)
        if self.is_down:
            raise UnavailableError("SNS cannot be asked")
        return certificate().encode() if url.endswith(".pem") else b"<ok/>"


@pytest.fixture
def amazon(monkeypatch):
    monkeypatch.setattr(sns_intake, "_certificates", {})
    return Amazon()


def receive(request, amazon, door, now: datetime = NOON):
    account = Credentials("aws", {"topic_arns": [TOPIC], "from": "+15005550010"})
    return receive_sns(request, lambda _: account, lambda: door, amazon, YEAR, now)


def kinds(dump):
    return sorted(item["kind"]["S"] for item in dump())


def test_an_sms_becomes_a_case_and_a_redelivery_changes_nothing(table, door, amazon, dump):
    request = sealed(json.dumps(SMS))
    assert receive(request, amazon, door).status == 200
    before = dump()

    assert receive(request, amazon, door, NOON + timedelta(hours=1)).status == 200

    assert dump() == before
    (message,) = [item for item in before if item["kind"]["S"] == "message"]
    assert message["body"]["S"] == SMS["messageBody"]
    assert amazon.visited == [CERTIFICATE_URL]


def test_what_is_old_or_forged_leaves_no_trace(table, door, amazon, dump):
    for request, now in ((sealed(), NOON + timedelta(hours=2)), (sealed(owner="stranger"), NOON)):
        with pytest.raises(InvalidSignatureError):
            receive(request, amazon, door, now)

    assert dump() == []


def test_a_topic_that_is_not_ours_makes_us_fetch_nothing(table, door, amazon):
    with pytest.raises(InvalidSignatureError):
        receive(sealed(TopicArn="arn:aws:sns:us-east-1:9:x"), amazon, door)

    assert amazon.visited == []


def test_a_certificate_that_cannot_be_had_makes_sns_come_again(table, door, amazon, dump):
    amazon.is_down = True

    with pytest.raises(UnavailableError):
        receive(sealed(), amazon, door)
    assert dump() == []


def test_an_offered_subscription_is_kept_and_then_confirmed(table, door, amazon, dump):
    assert receive(sealed("You have chosen …", **OFFER), amazon, door).status == 200

    assert amazon.visited == [CERTIFICATE_URL, SUBSCRIBE]
    assert kinds(dump) == ["ledger"]


def test_a_confirmation_that_fails_is_made_good_when_sns_offers_it_again(table, door, amazon):
    request = sealed("You have chosen …", **OFFER)
    receive(sealed("{}"), amazon, door)
    amazon.is_down = True
    with pytest.raises(UnavailableError):
        receive(request, amazon, door)
    amazon.is_down = False

    receive(request, amazon, door)

    assert amazon.visited == [CERTIFICATE_URL, SUBSCRIBE, SUBSCRIBE]


def test_the_end_of_a_subscription_is_loud_and_subscribes_to_nothing(table, door, amazon, caplog):
    receive(sealed("gone", **OFFER | {"Type": "UnsubscribeConfirmation"}), amazon, door)

    assert amazon.visited == [CERTIFICATE_URL]
    assert f"the subscription to {TOPIC} has ended" in caplog.text


def test_an_offer_with_another_address_is_not_visited(table, door, amazon, caplog):
    receive(sealed("x", **OFFER | {"SubscribeURL": "https://evil.example/"}), amazon, door)

    assert amazon.visited == [CERTIFICATE_URL]
    assert "cannot be confirmed" in caplog.text


def test_few_certificates_are_kept(table, door, amazon):
    urls = [CERTIFICATE_URL.replace("local", str(number)) for number in range(20)]
    for url in urls:
        receive(sealed(SigningCertURL=url), amazon, door)

    assert len(sns_intake._certificates) == 8
    assert list(sns_intake._certificates) == urls[-8:]


def test_where_sns_cannot_be_reached_it_is_asked_again_later():
    with pytest.raises(UnavailableError):
        visit_sns(CERTIFICATE_URL, "http://127.0.0.1:9")
