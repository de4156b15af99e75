"""What `caseweave send` plays is what the adapters let in: two writings of each document agree."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from caseweave.channels import connect, qq
from caseweave.channels.connect import Caller
from caseweave.channels.credentials import Credentials
from caseweave.channels.mail_registry import MAIL
from caseweave.channels.registry import MESSENGERS, SMS, VOICE
from caseweave.channels.request import WebhookRequest
from caseweave.channels.sns import CERTIFICATE
from caseweave.cli.local_stack.provider_secrets import ensure_secrets, record_webhook_urls
from caseweave.cli.outside.connect import contact_event
from caseweave.cli.outside.customers import write_mail
from caseweave.cli.outside.hosted_mail import mailgun_mail, postmark_mail, sendgrid_mail
from caseweave.cli.outside.line import line_message
from caseweave.cli.outside.mainland_sms import aliyun_sms, tencent_sms
from caseweave.cli.outside.meta import INSTAGRAM, messenger_message, whatsapp_message
from caseweave.cli.outside.qq import qq_message
from caseweave.cli.outside.sns import sms_by_sns
from caseweave.cli.outside.telegram import telegram_message
from caseweave.cli.outside.twilio import twilio_call, twilio_sms
from caseweave.cli.outside.vonage import vonage_sms
from caseweave.cli.outside.wechat import wechat_message, wecom_app_message
from caseweave.cli.send import COMMANDS
from caseweave.domain.identity import AddressKind
from caseweave.domain.message import InboundMessage
from caseweave.errors import InvalidSignatureError

TEXT = "还没到账 & <why> = ?"
MAINLAND, PHONE = "13800138000", "+8613800138000"
API_URL = "https://desk.example.com/prod"


def letter():
    return write_mail("Kim <kim@example.net>", "hi", TEXT)


# By provider: its parts of the secrets and how a customer's text comes by it.
DELIVERIES = {
    "aliyun": lambda account: aliyun_sms(account, MAINLAND, TEXT),
    "aws": lambda account: sms_by_sns(account, PHONE, TEXT),
    "line": lambda account: line_message(account, "U1", TEXT),
    "mailgun": lambda account: mailgun_mail(account, letter()),
    "meta": lambda account: messenger_message(account, "7001", TEXT),
    "postmark": lambda account: postmark_mail(account, letter()),
    "qq": lambda account: qq_message(account, "E4F4", TEXT),
    "sendgrid": lambda account: sendgrid_mail(account, letter()),
    "telegram": lambda account: telegram_message(account, {"id": 5550001}, TEXT),
    "tencent": lambda account: tencent_sms(account, MAINLAND, TEXT),
    "twilio": lambda account: twilio_sms(account, PHONE, TEXT),
    "vonage": lambda account: vonage_sms(account, PHONE[1:], TEXT),
    "wechat": lambda account: wechat_message(account, "oLin_1", TEXT),
    "wecom": lambda account: wecom_app_message(account, "li.na", TEXT),
    "whatsapp": lambda account: whatsapp_message(account, PHONE[1:], TEXT, "Lin"),
}
PROVIDERS = {**SMS, **MESSENGERS, **MAIL}
by_phone = pytest.mark.parametrize(
    "name", ["aliyun", "aws", "tencent", "twilio", "vonage", "whatsapp"]
)


@pytest.fixture(scope="session")
def secrets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("state")
    ensure_secrets(folder)
    return record_webhook_urls(folder, API_URL)


def account_of(secrets, name):
    return secrets["aws_sms" if name == "aws" else name]


def credentials_for(secrets, name):
    account = account_of(secrets, name)
    # SNS publishes the certificate; the desk fetches it before it asks the adapter.
    return Credentials(name, {**account, CERTIFICATE: account.get("certificate", "")})


def request_of(delivery):
    headers = {"content-type": delivery.content_type}
    headers |= {name.lower(): value for name, value in delivery.headers.items()}
    return WebhookRequest(delivery.body, headers, tuple(delivery.query.items()))


def understand(secrets, name, delivery):
    request, credentials = request_of(delivery), credentials_for(secrets, name)
    PROVIDERS[name].verify(request, credentials)
    (event,) = PROVIDERS[name].parse(request, credentials)
    return event


def test_there_is_a_delivery_and_a_command_for_every_provider():
    assert set(DELIVERIES) == set(PROVIDERS)
    assert set(PROVIDERS) | {"ses", "form", "chat", "call", "connect"} <= set(COMMANDS)


@pytest.mark.parametrize("name", DELIVERIES)
def test_what_a_provider_sends_is_let_in_and_understood(secrets, name):
    delivery = DELIVERIES[name](account_of(secrets, name))

    event = understand(secrets, name, delivery)

    assert isinstance(event, InboundMessage)
    assert (event.provider, event.body.strip()) == (name, TEXT)


@pytest.mark.parametrize("name", DELIVERIES)
def test_the_same_text_twice_is_two_messages(secrets, name):
    """But for Tencent, whose replies have no id: there the second decides."""
    account = account_of(secrets, name)
    first, again = (understand(secrets, name, DELIVERIES[name](account)) for _ in range(2))

    assert (first.event_id == again.event_id) <= (name == "tencent")


@pytest.mark.parametrize(
    "name", sorted({*DELIVERIES} - {"telegram", "aliyun", "tencent", "mailgun"})
)
def test_a_body_that_was_tampered_with_is_refused(secrets, name):
    delivery = DELIVERIES[name](account_of(secrets, name))
    if name in ("postmark", "sendgrid"):
        delivery = replace(delivery, headers={"Authorization": "Basic eDp5"})
    else:
        delivery = replace(delivery, body=delivery.body.replace(b"1", b"2"))

    with pytest.raises(InvalidSignatureError):
        PROVIDERS[name].verify(request_of(delivery), credentials_for(secrets, name))


@by_phone
def test_a_number_is_proven_whatever_its_provider(secrets, name):
    event = understand(secrets, name, DELIVERIES[name](account_of(secrets, name)))

    (phone,) = {
        one.address.value for one in event.sender.proven if one.address.kind is AddressKind.PHONE
    }
    assert phone == PHONE


def test_a_bot_of_qq_signs_the_time_of_now(secrets):
    request = request_of(qq_message(secrets["qq"], "E4F4", TEXT))

    assert qq.is_fresh(request, datetime.now(UTC))


def test_an_instagram_message_is_one_of_instagram(secrets):
    delivery = messenger_message(
        secrets["meta"], "7001", TEXT, INSTAGRAM, picture="https://x.fbcdn.net/p"
    )

    event = understand(secrets, "meta", delivery)

    assert event.sender.proven[0].address.kind is AddressKind.INSTAGRAM
    assert [file.state for file in event.attachments] == ["pending"]


@pytest.mark.parametrize("name", ["line", "qq"])
def test_a_group_has_a_case_of_its_own(secrets, name):
    write = {"line": line_message, "qq": qq_message}[name]

    event = understand(secrets, name, write(secrets[name], "u1", TEXT, "g1"))

    assert event.sender.proven[0].address.kind is AddressKind.GROUP


def test_wechats_plain_mode_is_let_in_only_without_a_key(secrets):
    delivery = wechat_message(secrets["wechat"], "oLin_1", TEXT, is_plain=True)
    credentials = credentials_for(secrets, "wechat")
    open_values = {k: v for k, v in credentials.values.items() if k != "encoding_aes_key"}

    MESSENGERS["wechat"].verify(request_of(delivery), Credentials("wechat", open_values))
    with pytest.raises(InvalidSignatureError):
        MESSENGERS["wechat"].verify(request_of(delivery), credentials)


def test_a_call_by_twilio_is_let_in_by_its_own_door(secrets):
    request = request_of(twilio_call(secrets["twilio"], PHONE))

    VOICE["twilio"].verify(request, credentials_for(secrets, "twilio"))
    (event,) = VOICE["twilio"].parse(request, credentials_for(secrets, "twilio"))

    assert isinstance(event, InboundMessage)


def test_a_contact_of_connect_begins_and_ends():
    begun = connect.parse(contact_event("c-1"), Caller("TELEPHONE_NUMBER", PHONE))
    ended = connect.parse(contact_event("c-1", happened="DISCONNECTED"), Caller())

    assert isinstance(begun, InboundMessage)
    assert ended.about == begun.provider_id
