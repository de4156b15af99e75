"""Mail that Mailgun's routes forward."""

import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseweave.channels import mailgun
from caseweave.channels.credentials import Credentials
from caseweave.channels.html_page import make_page
from caseweave.channels.mail_reading import MailPart
from caseweave.channels.request import WebhookRequest
from caseweave.domain.identity import Address, AddressKind, Proof, Sender
from caseweave.domain.message import Attachment, Channel, InboundMessage
from caseweave.errors import InvalidSignatureError, MissingSecretError, UnparseableError
from tests.vectors import VECTORS, needs_vectors, read_json

FORM = {"content-type": "application/x-www-form-urlencoded"}
TIME, TOKEN = "1795411473", "f00d" * 12 + "aa"
HEADERS = [
    ["Received", "from mx.example.org by mxa.mailgun.org; Mon, 23 Nov 2026 05:24:34 +0000"],
    ["X-Mailgun-Spf", "Pass"],
    ["X-Mailgun-Dkim-Check-Result", "Pass"],
    ["From", "琳 Wang <Lin@Example.com>"],
    ["To", "support@desk.example.com"],
    ["Subject", "订单 17"],
    ["Date", "Mon, 23 Nov 2026 13:24:33 +0800"],
    ["Message-Id", "<m2@example.com>"],
    ["In-Reply-To", "<m1@example.com>"],
    ["References", "<m0@example.com> <m1@example.com>"],
]
FIELDS = {
    "recipient": "support+x@desk.example.com",
    "sender": "lin@example.com",
    "from": "琳 Wang <Lin@Example.com>",
    "subject": "订单 17",
    "body-plain": "还没到账\r\n\r\n> quoted",
    "body-html": "<p>还没到账</p>",
    "stripped-text": "还没到账",
    "message-headers": json.dumps(HEADERS),
    "timestamp": TIME,
    "token": TOKEN,
}

PAGE = MailPart("message.html", "text/html", make_page("<p>还没到账</p>"))


def account(**values):
    return Credentials("mailgun", {"signing_key": "key-1"} | values)


def signature(key="key-1", timestamp=TIME, token=TOKEN):
    return hmac.new(key.encode(), (timestamp + token).encode(), sha256).hexdigest()


def form(**changes):
    fields = (
        FIELDS | {"signature": signature()} | {n.replace("_", "-"): v for n, v in changes.items()}
    )
    return WebhookRequest(body=urlencode(fields).encode(), headers=FORM)


def multipart(*parts):
    body = b"".join(
        b"--b\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + content + b"\r\n"
        for head, content in parts
    )
    kind = "multipart/form-data; boundary=b"
    return WebhookRequest(body=body + b"--b--\r\n", headers={"content-type": kind})


def is_accepted(request, **values):
    try:
        mailgun.verify(request, account(**values))
    except InvalidSignatureError:
        return False
    return True


def unproven(message):
    (proven,) = message.sender.proven
    assert (proven.address.kind, proven.proof) == (AddressKind.UNPROVEN, Proof.NONE)
    assert proven.address.value.startswith("mail.")
    return proven


def test_a_mail_in_fields_becomes_a_message_of_an_unproven_sender():
    (event,) = mailgun.parse(form(), account())

    assert event.event_id.startswith("<m2@example.com> ")
    assert event == InboundMessage(
        channel=Channel.EMAIL,
        provider="mailgun",
        account="",
        event_id=event.event_id,
        provider_id="<m2@example.com>",
        sender=Sender(
            proven=(unproven(event),),
            claims=(Address(AddressKind.EMAIL, "lin@example.com"),),
            name="琳 Wang",
        ),
        body="还没到账",
        quoted="\n\n> quoted",
        page_digest=PAGE.digest,
        occurred_at=datetime(2026, 11, 23, 5, 24, 33, tzinfo=UTC),
        subject="订单 17",
        context={
            "address": "lin@example.com",
            "message_id": "<m2@example.com>",
            "references": "<m0@example.com> <m1@example.com> <m2@example.com>",
            "subject": "订单 17",
        },
        references=("<m0@example.com>", "<m1@example.com>"),
    )


RAW = (
    b"From: Lin <lin@example.com>\r\nTo: support@desk.example.com\r\nSubject: hi\r\n"
    b"Message-ID: <m3@example.com>\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\nContent-Type: text/plain; charset=gb2312\r\n\r\n\xc4\xe3\xba\xc3\r\n"
    b"--x\r\nContent-Disposition: attachment; filename=a.bin\r\n"
    b"Content-Type: application/x-a\r\nContent-Transfer-Encoding: base64\r\n\r\nAAH/\r\n--x--\r\n"
)


def test_a_raw_mail_is_read_from_its_bytes_and_the_fields_beside_it_are_not():
    request = multipart((b'name="body-mime"', RAW), (b'name="body-plain"', b"other"))

    (message,), files = mailgun.parse_mail(request, account())

    content = b"\0\x01\xff"
    assert (message.body, message.subject) == ("你好", "hi")
    assert files == (MailPart("a.bin", "application/x-a", content),)
    assert message.attachments == (
        Attachment("a.bin", "application/x-a", 3, sha256(content).hexdigest(), "stored"),
    )


def test_files_beside_the_fields_keep_every_byte():
    kind = b"\r\nContent-Type: message/rfc822"
    request = multipart(
        (b'name="from"', b"lin@example.com"),
        (b'name="Message-Id"', b"<m4@example.com>"),
        (b'name="body-plain"', b""),
        (b'name="body-html"', "<p>看图</p>".encode()),
        (b'name="attachment-1"; filename="../\xe5\x9b\xbe.png"', b"\r\n\0\xff\r\n"),
        (b'name="attachment-2"; filename=""' + kind, b"Subject: x\r\n\r\ny"),
    )

    (message,), files = mailgun.parse_mail(request, account())

    assert (message.body, message.provider_id) == ("看图", "<m4@example.com>")
    assert files == (
        MailPart(".._图.png", "application/octet-stream", b"\r\n\0\xff\r\n"),
        MailPart("part-2", "message/rfc822", b"Subject: x\r\n\r\ny"),
        MailPart("message.html", "text/html", make_page("<p>看图</p>")),
    )


def test_our_token_in_the_envelope_is_found():
    token = "a2" * 21
    request = form(recipient=f"support+{token}@desk.example.com")

    assert mailgun.parse(request, account())[0].reply_tokens == (token,)


def test_a_mail_without_an_envelope_sender_is_automatic():
    is_automatic = [
        mailgun.parse(form(sender=sender), account())[0].is_automatic
        for sender in ("lin@example.com", "", "<>")
    ]

    assert is_automatic == [False, True, True]


def test_a_repeated_delivery_has_the_same_ids_and_another_mail_has_not():
    no_id = json.dumps([pair for pair in HEADERS if pair[0] != "Message-Id"])
    later = json.dumps([["Received", "later"], *HEADERS[1:7]])
    (first,) = mailgun.parse(form(message_headers=no_id), account())
    (again,) = mailgun.parse(form(message_headers=no_id, timestamp="1", token="2"), account())
    (other,) = mailgun.parse(form(message_headers=later), account())
    (changed,) = mailgun.parse(form(body_plain="x"), account())
    (known,) = mailgun.parse(form(), account())

    assert first == again
    assert len({first.event_id, other.event_id, changed.event_id, known.event_id}) == 4
    assert len({unproven(one).address for one in (first, other, changed, known)}) == 4


def test_a_genuine_request_is_accepted_in_both_kinds_of_form():
    fields = [(f'name="{name}"'.encode(), value.encode()) for name, value in FIELDS.items()]

    assert is_accepted(form())
    assert is_accepted(multipart(*fields, (b'name="signature"', signature().encode())))


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": ""},
        {"signature": signature()[:-1]},
        {"signature": signature() + "0"},
        {"signature": signature().upper()},
        {"signature": "签名"},
        {"signature": signature("key-2")},
        {"timestamp": "1795411474"},
        {"token": TOKEN[:-1] + "b"},
        {"timestamp": TIME + TOKEN[:1], "token": TOKEN[1:] + "x"},
        {"timestamp": "", "token": TIME + TOKEN},
        {"timestamp": TIME + TOKEN, "token": ""},
    ],
)
def test_a_changed_proof_is_refused(changes):
    assert not is_accepted(form(**changes))


@pytest.mark.parametrize(
    "request_",
    [WebhookRequest(b""), WebhookRequest(b"{}"), multipart(), WebhookRequest(b"&" * 9999)],
)
def test_a_request_without_proof_is_refused(request_):
    assert not is_accepted(request_)


def test_a_header_of_the_mail_does_not_stand_in_for_a_field():
    request = form()
    before = b"timestamp=1&token=2&signature=3&"

    assert is_accepted(replace(request, body=before + request.body))
    assert mailgun.is_fresh(replace(request, body=before + request.body), NOW)


@pytest.mark.parametrize(("key", "accepted"), [("new", True), ("old", True), ("older", False)])
def test_while_a_key_is_rotated_both_are_good(key, accepted):
    request = form(signature=signature(key))

    assert is_accepted(request, signing_key=["new", "old"]) is accepted


@pytest.mark.parametrize("nothing", [None, "", [], [""], 0])
def test_without_a_key_nobody_gets_in(nothing):
    with pytest.raises(MissingSecretError, match="mailgun has no signing_key"):
        mailgun.verify(form(signature=signature("")), account(signing_key=nothing))


NOW = datetime.fromtimestamp(int(TIME), UTC)


@pytest.mark.parametrize(
    ("timestamp", "now", "fresh"),
    [
        (TIME, NOW, True),
        (TIME, NOW + timedelta(minutes=15), True),
        (TIME, NOW + timedelta(minutes=15, seconds=1), False),
        (TIME, NOW - timedelta(minutes=15), True),
        (TIME, NOW - timedelta(minutes=15, seconds=1), False),
        *(
            (odd, NOW, False)
            for odd in ("", "x", "-1", "1795411473.0", "１７９５４１１４７３", "9" * 400)
        ),
        ("99999999999", NOW, False),
        (" " + TIME, NOW, False),
    ],
)
def test_a_time_is_fresh_for_a_quarter_of_an_hour(timestamp, now, fresh):
    assert mailgun.is_fresh(form(timestamp=timestamp), now) is fresh


@pytest.mark.parametrize("body", [b"", b"x", b"from=a%40b.c&subject=x", b"\xff" * 99, b"{}"])
def test_what_is_no_mail_is_unparseable(body):
    with pytest.raises(UnparseableError):
        mailgun.parse(WebhookRequest(body, FORM), account())


def outcome(request):
    try:
        events = mailgun.parse(request, account())
    except UnparseableError as error:
        return str(error).encode()
    for event in events:
        repr(event).encode()
        json.dumps([event.body, event.subject, dict(event.context)], ensure_ascii=False).encode()
    return events


ODD = [
    "",
    "\0",
    "\ud800",
    "x" * 50_000,
    "[]",
    "{}",
    "[[]]",
    '[["\\ud800",{}]]',
    "=?gbk?b?x?=",
    "9" * 5000,
]


@pytest.mark.parametrize("name", [*FIELDS, "body-mime", "attachment-1"])
def test_any_field_may_be_anything(name):
    for value in ODD:
        safe = value.encode("utf-8", "replace").decode()
        outcome(form(**{name: safe}))


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=200),
    st.sampled_from(["", "multipart/form-data; boundary=b", FORM["content-type"]]),
)
def test_any_bytes_are_a_mail_or_unparseable(body, kind):
    for name in (b"", b"body-mime=", b"message-headers=", b"--b\r\n"):
        outcome(WebhookRequest(name + body, {"content-type": kind}))


@needs_vectors
def test_the_fields_of_others_are_read():
    for name in ("route_forward_fields.json", "route_store_fields.json"):
        fields = read_json(VECTORS / "mailgun" / name)
        (event,) = mailgun.parse(WebhookRequest(urlencode(fields).encode(), FORM), account())
        assert event.subject == fields["subject"]
        assert event.body == fields["body-plain"]
        assert event.provider_id == fields["Message-Id"]
