"""Twilio's forms in, its API out."""

from urllib.parse import parse_qsl, urlencode

import pytest

from caseweave.channels import twilio, twilio_sending
from caseweave.channels.request import ProviderAnswer, Refusal, Refused, Sent, WebhookRequest
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import (
    Attachment,
    Channel,
    DeliveryState,
    IgnoredEvent,
    InboundMessage,
    Receipt,
)
from caseweave.errors import MissingSecretError, UnparseableError
from tests.channels.samples import (
    OUTBOX_KEY,
    WEBHOOK_URL,
    outbound,
    outgoing,
    sms,
    twilio_account,
)

# The fields of https://www.twilio.com/docs/messaging/guides/webhook-request
SMS = (
    b"ToCountry=US&SmsMessageSid=SM5d0c1&NumMedia=0&SmsSid=SM5d0c1&SmsStatus=received"
    b"&Body=%E8%AE%A2%E5%8D%95+A-17+%E8%BF%98%E6%B2%A1%E5%88%B0%F0%9F%98%A1"
    b"&To=%2B15550001111&NumSegments=1&MessageSid=SM5d0c1&AccountSid=AC7f3d2b"
    b"&From=%2B8613800138000&ApiVersion=2010-04-01"
)


def parse(body, query=()):
    return twilio.parse(WebhookRequest(body=body, query=query), twilio_account())


def parse_fields(query=(), **fields):
    return parse(urlencode(fields).encode(), query)


def test_an_sms_becomes_a_message_of_a_proven_number():
    assert parse(SMS) == [
        InboundMessage(
            channel=Channel.SMS,
            provider="twilio",
            account="AC7f3d2b",
            event_id="SM5d0c1",
            provider_id="SM5d0c1",
            sender=Sender(
                proven=(
                    ProvenAddress(Address(AddressKind.PHONE, "+8613800138000"), Proof.PROVIDER),
                )
            ),
            body="订单 A-17 还没到😡",
            context={"to": "+15550001111"},
        )
    ]


def test_pictures_are_kept_as_pending_attachments():
    (message,) = parse_fields(
        MessageSid="MM1",
        From="+15551112222",
        NumMedia="2",
        MediaUrl0="https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1",
        MediaContentType0="image/jpeg",
        MediaUrl1="https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME2",
    )

    assert message.body == ""
    assert message.attachments == (
        Attachment(
            name="media-0",
            media_type="image/jpeg",
            state="pending",
            provider_ref="https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1",
        ),
        Attachment(
            name="media-1",
            media_type="application/octet-stream",
            state="pending",
            provider_ref="https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME2",
        ),
    )


def test_no_more_media_are_taken_than_twilio_sends():
    media = {f"MediaUrl{number}": f"https://m/{number}" for number in range(20)}

    (message,) = parse_fields(MessageSid="MM1", From="+15551112222", NumMedia="9" * 5000, **media)

    assert [file.name for file in message.attachments] == [f"media-{n}" for n in range(10)]


def test_a_message_without_any_text_is_still_a_message():
    (message,) = parse_fields(SmsSid="SM2", From="+15551112222", SmsStatus="received")

    assert (message.event_id, message.body) == ("SM2", "")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("queued", None),
        ("accepted", None),
        ("sending", None),
        ("scheduled", None),
        ("sent", DeliveryState.ACCEPTED),
        ("delivered", DeliveryState.DELIVERED),
        ("read", DeliveryState.READ),
        ("undelivered", DeliveryState.FAILED),
        ("failed", DeliveryState.FAILED),
        ("canceled", DeliveryState.FAILED),
        ("a status of next year", None),
    ],
)
def test_a_status_becomes_a_receipt_of_the_message_that_the_url_names(status, state):
    receipts = parse_fields(
        query=(("message", OUTBOX_KEY),),
        SmsSid="SM9",
        SmsStatus=status,
        MessageStatus=status,
        To="+8613800138000",
        MessageSid="SM9",
        AccountSid="AC7f3d2b",
        From="+15550001111",
        ApiVersion="2010-04-01",
    )

    assert receipts == [
        Receipt(
            provider="twilio",
            account="AC7f3d2b",
            event_id=f"SM9.{status}",
            provider_id="SM9",
            outbox_key=OUTBOX_KEY,
            state=state,
        )
    ]


def test_a_read_event_of_whatsapp_is_a_read_receipt():
    (receipt,) = parse_fields(
        query=(("message", OUTBOX_KEY),), SmsSid="SM9", EventType="READ", From="whatsapp:+1555"
    )

    assert (receipt.event_id, receipt.state) == ("SM9.read", DeliveryState.READ)


@pytest.mark.parametrize(("code", "kind"), [("63016", "window_closed"), ("21610", "opted_out")])
def test_a_failure_that_an_agent_can_do_something_about_says_which(code, kind):
    (receipt,) = parse_fields(MessageSid="SM9", MessageStatus="undelivered", ErrorCode=code)

    assert (receipt.state, receipt.error, receipt.refusal) == (DeliveryState.FAILED, code, kind)


def test_a_failure_tells_twilios_error_code():
    (receipt,) = parse_fields(MessageSid="SM9", MessageStatus="failed", ErrorCode="30005")

    assert receipt == Receipt(
        provider="twilio",
        account="",
        event_id="SM9.failed",
        provider_id="SM9",
        outbox_key="",
        state=DeliveryState.FAILED,
        error="30005",
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "no MessageSid"),
        ({"From": "+15551112222", "Body": "hi"}, "no MessageSid"),
        ({"MessageSid": "SM1", "From": ""}, "From is neither"),
        ({"MessageSid": "SM1", "From": "whatsapp:"}, "From is neither"),
        ({"MessageSid": "SM1", "From": "whatsapp:CN.1342"}, "From is neither"),
        ({"MessageSid": "SM1", "From": "a name of more than eleven"}, "From is neither"),
        # Other alphabets have digits as well.
        ({"MessageSid": "SM1", "From": "+１３８００１３８０００"}, "From is neither"),
        ({"MessageSid": "SM1", "From": "+15551112222\n"}, "From is neither"),
    ],
)
def test_what_has_no_id_or_no_sender_is_unparseable(fields, reason):
    with pytest.raises(UnparseableError, match=reason):
        parse_fields(**fields)


def test_whatsapp_by_twilio_is_a_messenger_message_of_a_proven_number():
    messages = parse_fields(
        MessageSid="SM7",
        AccountSid="AC7f3d2b",
        From="whatsapp:+8613800138000",
        To="whatsapp:+15550001111",
        WaId="8613800138000",
        ProfileName="小雨 🌧",
        Body="还没到账",
        OriginalRepliedMessageSid="SM6",
        OriginalRepliedMessageSender="whatsapp:+15550001111",
        Forwarded="true",
        NumMedia="0",
    )

    phone = Address(AddressKind.PHONE, "+8613800138000")
    assert messages == [
        InboundMessage(
            channel=Channel.MESSENGER,
            provider="twilio",
            account="AC7f3d2b",
            event_id="SM7",
            provider_id="SM7",
            sender=Sender(proven=(ProvenAddress(phone, Proof.PROVIDER),), name="小雨 🌧"),
            body="还没到账",
            context={"to": "whatsapp:+15550001111", "reply_to": "SM6"},
            fields={"forwarded": "true"},
        )
    ]


@pytest.mark.parametrize(
    ("said", "body", "fields"),
    [
        (
            {"ButtonText": "Yes, refund", "ButtonPayload": "refund:17"},
            "Yes, refund",
            {"button": "refund:17"},
        ),
        (
            {"Body": "Yes", "ButtonText": "Yes", "ButtonPayload": "y"},
            "Yes",
            {"button": "y"},
        ),
        (
            {"Latitude": "31.23", "Longitude": "121.47", "Label": "Shop", "Address": "1 Road"},
            "Shop\n1 Road\n31.23, 121.47",
            {},
        ),
        ({"Address": "no place"}, "", {}),
        (
            {
                "Body": "hi",
                "ReferralBody": "Top up now",
                "ReferralHeadline": "Credits",
                "ReferralSourceUrl": "https://fb.me/1",
            },
            "hi",
            {"referral": "Credits\nTop up now\nhttps://fb.me/1"},
        ),
        ({"Body": "ARRET", "OptOutType": "STOP"}, "ARRET", {"opt_out_type": "STOP"}),
    ],
)
def test_buttons_places_advertisements_and_opt_outs_are_read(said, body, fields):
    (message,) = parse_fields(MessageSid="SM7", From="whatsapp:+8613800138000", **said)

    assert (message.body, message.fields) == (body, fields)


def test_who_hides_the_number_in_whatsapp_is_known_by_the_id_there():
    (message,) = parse_fields(MessageSid="SM7", From="whatsapp:CN.1342", WaId="8613800138000")

    assert message.sender.proven[0].address == Address(AddressKind.PHONE, "+8613800138000")


def test_a_short_code_stays_a_row_of_digits():
    (message,) = parse_fields(MessageSid="SM7", From="12345")

    assert message.sender.proven[0].address == Address(AddressKind.PHONE, "12345")


@pytest.mark.parametrize("name", ["BANK", "My Bank 24", "4YOU", "A&B-C.d_+e"])
def test_a_name_in_place_of_a_number_proves_nothing_and_is_a_machines(name):
    (message,) = parse_fields(MessageSid="SM7", From=name, Body="Your code is 1")

    nobody = ProvenAddress(Address(AddressKind.UNPROVEN, "sms.SM7"), Proof.NONE)
    assert message.sender == Sender(proven=(nobody,), name=name)
    assert (message.is_automatic, message.channel) == (True, Channel.SMS)


@pytest.mark.parametrize("sender", ["rcs:+15551112222", "messenger:4711", "RCS:+1555"])
def test_other_channels_of_twilio_are_known_and_ignored(sender):
    channel = sender.partition(":")[0].lower()

    assert parse_fields(MessageSid="SM7", AccountSid="AC1", From=sender, Body="hi") == [
        IgnoredEvent(
            "twilio", "AC1", "SM7", f"a message by {channel}, which is not taken in from Twilio"
        )
    ]


@pytest.mark.parametrize("ours", ["whatsapp:+15559998888", "+15559998888"])
def test_in_whatsapp_both_numbers_have_its_prefix(ours):
    phone = Address(AddressKind.PHONE, "+8613800138000")
    message = outbound(Channel.MESSENGER, "twilio", phone, context={"to": ours})

    request = twilio_sending.build_send(
        outgoing(message, OUTBOX_KEY), "https://api.twilio.com", twilio_account()
    )

    form = dict(parse_qsl(request.body.decode()))
    assert form["To"] == "whatsapp:+8613800138000"
    assert form["From"] == "whatsapp:+15559998888"


def test_bytes_that_are_no_utf8_do_not_lose_the_message():
    (message,) = parse(b"MessageSid=SM1&From=%2B15551112222&Body=caf%E9+\xff")

    assert message.body == "caf\ufffd \ufffd"


def test_a_message_is_sent_with_its_callback():
    request = twilio_sending.build_send(
        outgoing(sms(), OUTBOX_KEY), "https://api.twilio.com", twilio_account()
    )

    assert request.url == "https://api.twilio.com/2010-04-01/Accounts/AC7f3d2b/Messages.json"
    assert request.headers == {
        "Authorization": "Basic QUM3ZjNkMmI6YjJjMGZmZWU=",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    assert parse_qsl(request.body.decode()) == [
        ("To", "+8613800138000"),
        ("From", "+15550001111"),
        ("Body", "您好，已经补发。"),
        (
            "StatusCallback",
            f"{WEBHOOK_URL}?message=01JDCASE~2026-11-23T05%3A24%3A33.120Z~01JDMESSAGE",
        ),
    ]


def test_the_answer_comes_from_the_number_that_the_customer_wrote_to():
    message = sms(context={"to": "+15559998888"})

    request = twilio_sending.build_send(
        outgoing(message, OUTBOX_KEY), "https://api.twilio.com", twilio_account()
    )

    assert dict(parse_qsl(request.body.decode()))["From"] == "+15559998888"


def test_the_newest_token_is_used_to_send():
    account = twilio_account(auth_token=["new", "old"])

    request = twilio_sending.build_send(
        outgoing(sms(), OUTBOX_KEY), "https://api.twilio.com", account
    )

    assert request.headers["Authorization"] == "Basic QUM3ZjNkMmI6bmV3"


@pytest.mark.parametrize("missing", ["account_sid", "auth_token", "webhook_url", "from"])
def test_nothing_is_sent_from_an_account_that_is_not_set_up(missing):
    with pytest.raises(MissingSecretError):
        twilio_sending.build_send(
            outgoing(sms(), OUTBOX_KEY), "https://api.twilio.com", twilio_account(**{missing: ""})
        )


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (201, b'{"sid": "SM1", "status": "queued"}', Sent("SM1")),
        (200, b'{"sid": "SM1"}', Sent("SM1")),
        (201, b"", Refused(Refusal.UNKNOWN, "201")),
        (201, b'{"sid": ""}', Refused(Refusal.UNKNOWN, "201")),
        (201, b'["sid"]', Refused(Refusal.UNKNOWN, "201")),
        (201, b"<html>\xff", Refused(Refusal.UNKNOWN, "201")),
        (201, b"[" * 100_000, Refused(Refusal.UNKNOWN, "201")),
        (
            400,
            b'{"code": 21211, "message": "Invalid To", "status": 400}',
            Refused(Refusal.PERMANENT, "21211 Invalid To"),
        ),
        (
            401,
            b'{"code": 20003, "message": "Authenticate"}',
            Refused(Refusal.TRANSIENT, "20003 Authenticate"),
        ),
        (403, b"null", Refused(Refusal.TRANSIENT, "403")),
        (400, b'{"code": 21610, "message": "x"}', Refused(Refusal.OPTED_OUT, "21610 x")),
        (400, b'{"code": 63016, "message": "x"}', Refused(Refusal.WINDOW_CLOSED, "63016 x")),
        (400, b'{"code": 21611, "message": "x"}', Refused(Refusal.THROTTLED, "21611 x")),
        (400, b'{"code": [], "message": "x"}', Refused(Refusal.PERMANENT, "[] x")),
        (
            429,
            b'{"code": 20429, "message": "Too Many Requests"}',
            Refused(Refusal.THROTTLED, "20429 Too Many Requests"),
        ),
        (429, b"", Refused(Refusal.THROTTLED, "429")),
        (500, b"", Refused(Refusal.UNKNOWN, "500")),
        (503, b"upstream", Refused(Refusal.UNKNOWN, "503")),
        # Whoever answers 5xx may have taken the message before.
        (502, b'{"sid": "SM1"}', Refused(Refusal.UNKNOWN, "502")),
        (302, b"", Refused(Refusal.UNKNOWN, "302")),
        (400, b'{"message": "\\ud800"}', Refused(Refusal.PERMANENT, "400 ?")),
    ],
)
def test_an_answer_tells_what_became_of_the_message(status, body, result):
    assert twilio_sending.read_answer(ProviderAnswer(status, body)) == result
