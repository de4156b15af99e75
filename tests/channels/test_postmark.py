"""Mail that Postmark received."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseweave.channels import postmark
from caseweave.channels.credentials import Credentials
from caseweave.channels.html_page import make_page
from caseweave.channels.mail_reading import MailPart
from caseweave.channels.request import WebhookRequest
from caseweave.domain.identity import Address, AddressKind, Proof, Sender
from caseweave.domain.message import Attachment, Channel, InboundMessage
from caseweave.errors import InvalidSignatureError, MissingSecretError, UnparseableError

ID = "73e6d360-66eb-11e1-8e72-a8904824019b"
TOKEN = "b3" * 21
# https://postmarkapp.com/developer/webhooks/inbound-webhook
MAIL = {
    "FromName": "Wang, Lin",
    "MessageStream": "inbound",
    "From": "Lin@Example.com",
    "FromFull": {"Email": "Lin@Example.com", "Name": "Wang, Lin", "MailboxHash": ""},
    "To": '"Support" <support@desk.example.com>',
    "ToFull": [{"Email": "support@desk.example.com", "Name": "Support", "MailboxHash": ""}],
    "Cc": "",
    "CcFull": [],
    "BccFull": [],
    "OriginalRecipient": f"support+{TOKEN}@desk.example.com",
    "MailboxHash": TOKEN,
    "ReplyTo": "",
    "Subject": "订单 17",
    "MessageID": ID,
    "Date": "Mon, 23 Nov 2026 13:24:33 +0800",
    "TextBody": "还没到账\r\n",
    "HtmlBody": "<p>还没到账</p>",
    "StrippedTextReply": "",
    "Headers": [
        {"Name": "Return-Path", "Value": "<lin@example.com>"},
        {"Name": "Received-SPF", "Value": "Pass (sender SPF authorized) envelope-from=lin"},
        {"Name": "X-Spam-Tests", "Value": "DKIM_SIGNED,DKIM_VALID,DKIM_VALID_AU,SPF_PASS"},
        {"Name": "Message-ID", "Value": "<m2@example.com>"},
        {"Name": "In-Reply-To", "Value": "<m1@example.com>"},
    ],
    "Attachments": [
        {
            "Name": "发票/1.bin",
            "Content": "AAH/",
            "ContentType": "application/x-a; name=x",
            "ContentLength": 3,
            "ContentID": "",
        }
    ],
}

PAGE = MailPart("message.html", "text/html", make_page("<p>还没到账</p>"))


def account(**values):
    return Credentials("postmark", {"user": "hook", "password": "pass-1"} | values)


def request(mail=None, **changes):
    return WebhookRequest(json.dumps((MAIL if mail is None else mail) | changes).encode())


def parse(**changes):
    (message,), files = postmark.parse_mail(request(**changes), account())
    return message, files


def test_a_mail_becomes_a_message_of_an_unproven_sender():
    message, files = parse()

    (proven,) = message.sender.proven
    assert (proven.address.kind, proven.proof) == (AddressKind.UNPROVEN, Proof.NONE)
    assert proven.address.value.startswith("mail.")
    assert message == InboundMessage(
        channel=Channel.EMAIL,
        provider="postmark",
        account="",
        event_id=message.event_id,
        provider_id="<m2@example.com>",
        sender=Sender(
            proven=(proven,),
            claims=(Address(AddressKind.EMAIL, "lin@example.com"),),
            name="Wang, Lin",
        ),
        body="还没到账\n",
        occurred_at=datetime(2026, 11, 23, 5, 24, 33, tzinfo=UTC),
        subject="订单 17",
        attachments=(
            Attachment(
                name="发票_1.bin",
                media_type="application/x-a",
                size=3,
                digest=sha256(b"\0\x01\xff").hexdigest(),
                state="stored",
            ),
        ),
        context={
            "address": "lin@example.com",
            "message_id": "<m2@example.com>",
            "references": "<m1@example.com> <m2@example.com>",
            "subject": "订单 17",
        },
        reply_tokens=(TOKEN,),
        page_digest=PAGE.digest,
        references=("<m1@example.com>",),
    )
    assert message.event_id.startswith("<m2@example.com> ")
    assert files == (MailPart("发票_1.bin", "application/x-a", b"\0\x01\xff"), PAGE)
    assert postmark.parse(request(), account()) == [message]


def test_a_raw_mail_is_preferred_unless_its_bytes_were_lost():
    raw = "From: Bo <bo@example.com>\r\nSubject: raw\r\nMessage-ID: <m9@example.com>\r\n\r\n你好"

    whole, _ = parse(RawEmail=raw)
    lost, _ = parse(RawEmail=raw + "\ufffd")

    assert (whole.body, whole.subject, whole.provider_id) == ("你好", "raw", "<m9@example.com>")
    assert whole.sender.claims == (Address(AddressKind.EMAIL, "bo@example.com"),)
    assert (lost.body, lost.subject) == ("还没到账\n", "订单 17")


def test_a_bounce_is_automatic():
    bounce, _ = parse(Headers=[{"Name": "Return-Path", "Value": "<>"}])

    assert bounce.is_automatic
    assert not parse()[0].is_automatic


def test_two_mails_are_two_unproven_identities_and_a_redelivery_is_none():
    first, again, other = parse()[0], parse()[0], parse(TextBody="something else")[0]

    assert first == again
    assert first.sender.proven != other.sender.proven


def test_a_mail_to_two_of_our_addresses_is_one_message_though_postmark_delivers_it_twice():
    one, two = parse()[0], parse(MessageID="other", OriginalRecipient="help@desk.example")[0]

    assert one.event_id == two.event_id


def test_a_mail_without_an_id_is_known_by_the_delivery():
    raw = "From: Bo <bo@example.com>\r\nSubject: raw\r\n\r\nhi"

    assert parse(RawEmail=raw)[0].event_id == ID


def test_the_html_is_read_where_there_is_no_text():
    assert parse(TextBody="", HtmlBody="<p>a</p><p>b</p>")[0].body.split() == ["a", "b"]


def test_a_file_that_is_no_base64_is_kept_as_it_came():
    _, files = parse(Attachments=[{"Name": "a", "Content": "%"}, None, {"Content": "QQ=\r\n="}])

    assert files == (
        MailPart("a", "application/octet-stream", b"%"),
        MailPart("part-3", "application/octet-stream", b"A"),
        PAGE,
    )


def basic(pair, scheme="Basic "):
    return {"authorization": scheme + b64encode(pair.encode()).decode()}


def is_accepted(headers, **values):
    try:
        postmark.verify(WebhookRequest(b"{}", headers), account(**values))
    except InvalidSignatureError:
        return False
    return True


def test_the_user_and_password_of_the_url_are_accepted():
    assert is_accepted(basic("hook:pass-1"))


GOOD = basic("hook:pass-1")["authorization"]


@pytest.mark.parametrize(
    "header",
    [
        *("", " ", "Basic", "Basic ", GOOD[:-1], GOOD + "=", GOOD + " ", GOOD.swapcase()),
        *("x" + GOOD[1:], GOOD + "签名", GOOD + "\ud800", GOOD + "\0", GOOD * 10_000),
        *(basic(pair)["authorization"] for pair in ("hook:pass-2", "hok:pass-1", "hook:", ":")),
        *("hook:pass-1", basic("hook:pass-1", "Bearer ")["authorization"]),
    ],
)
def test_any_other_proof_is_refused(header):
    assert not is_accepted({"authorization": header})
    assert not is_accepted({})


@pytest.mark.parametrize(("word", "accepted"), [("new", True), ("old", True), ("older", False)])
def test_while_a_password_is_rotated_both_are_good(word, accepted):
    assert is_accepted(basic(f"hook:{word}"), password=["new", "old"]) is accepted


@pytest.mark.parametrize("nothing", [None, "", [], [""], 0])
@pytest.mark.parametrize("name", ["user", "password"])
def test_without_both_nobody_gets_in(name, nothing):
    for pair in ("hook:", ":pass-1", ":"):
        with pytest.raises(MissingSecretError, match=f"postmark has no {name}"):
            postmark.verify(WebhookRequest(b"", basic(pair)), account(**{name: nothing}))


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"x", b"[]", b"{}", b"\xff", b'{"MessageID": "a"}', b'{"TextBody": "a"}'),
        b'{"MessageID": 5, "TextBody": "a"}',
        json.dumps(MAIL | {"MessageID": "x" * 201}).encode(),
    ],
)
def test_what_is_no_mail_is_unparseable(body):
    with pytest.raises(UnparseableError):
        postmark.parse(WebhookRequest(body), account())


def outcome(body):
    try:
        (message,), files = postmark.parse_mail(WebhookRequest(body), account())
    except UnparseableError as error:
        return str(error).encode()
    for text in (message.body, message.subject, message.event_id, message.sender.name):
        text.encode()
    assert len(json.dumps(dict(message.context), ensure_ascii=False).encode()) < 20_000
    return [(file.name.encode(), file.media_type.encode()) for file in files]


def paths(value, path=()):
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from paths(value[key], (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


ODD = [
    *(None, True, 0, -1, 1.5, 10**400, float("nan"), "", "x", "\0", "\ud800", "a@b\r\nX: y"),
    *("x" * 50_000, "a@" * 9_000, [], {}, [[]], [None], [{}], {"Email": {}}, {"": ""}),
]


@pytest.mark.parametrize("path", list(paths(MAIL | {"RawEmail": ""})), ids=str)
def test_any_node_may_be_anything(path):
    for value in ODD:
        outcome(json.dumps(replaced(MAIL | {"RawEmail": ""}, path, value)).encode())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.text(max_size=200))
def test_any_bytes_are_a_mail_or_unparseable(body, raw):
    outcome(body)
    outcome(json.dumps(MAIL | {"RawEmail": raw, "Subject": raw, "Date": raw}).encode())
