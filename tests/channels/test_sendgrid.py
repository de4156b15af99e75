"""Mail that SendGrid's Inbound Parse posts."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from Crypto.Hash import SHA256
from Crypto.PublicKey import ECC
from Crypto.Signature import DSS
from hypothesis import given, settings
from hypothesis import strategies as st

from caseweave.channels import sendgrid
from caseweave.channels.credentials import Credentials
from caseweave.channels.html_page import make_page
from caseweave.channels.mail_reading import MailPart
from caseweave.channels.request import WebhookRequest
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import Attachment, Channel, InboundMessage
from caseweave.errors import InvalidSignatureError, MissingSecretError, UnparseableError
from tests.vectors import VECTORS, needs_vectors

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
KEYS = {name: ECC.generate(curve="P-256") for name in ("new", "old", "older")}
TOKEN = "c4" * 21
HEAD = (
    "Received: by mx0047p1mdw1.sendgrid.net with SMTP id x; Mon, 23 Nov 2026 05:24:34 +0000\n"
    "From: =?utf-8?q?=E7=90=B3?= <Lin@Example.com>\nTo: support@desk.example.com\n"
    "Subject: 订单 17\nDate: Mon, 23 Nov 2026 13:24:33 +0800\n"
    "Message-ID: <m2@example.com>\nIn-Reply-To: <m1@example.com>\n"
    'Content-Type: multipart/mixed; boundary="z"\n'
)
FIELDS = {
    "headers": HEAD,
    "dkim": "{@example.com : pass}",
    "text": "还没到账\n".encode("gb18030"),
    "html": "<p>还没到账</p>".encode("gb18030"),
    "envelope": json.dumps({"to": [f"s+{TOKEN}@desk.example.com"], "from": "lin@example.com"}),
    "charsets": '{"text":"gb2312","html":"gb2312","subject":"UTF-8"}',
    "attachments": "1",
    "SPF": "pass",
}
FILE = b'name="attachment1"; filename="\xe5\x9b\xbe.png"\r\nContent-Type: image/png'

PAGE = MailPart("message.html", "text/html", make_page("<p>还没到账</p>"))


def account(**values):
    return Credentials("sendgrid", values)


def multipart(parts, end=b"--xYzZY--\r\n"):
    body = b"".join(
        b"--xYzZY\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + content + b"\r\n"
        for head, content in parts
    )
    return WebhookRequest(body + end, {"content-type": "multipart/form-data; boundary=xYzZY"})


def parts(fields):
    return [
        (f'name="{name}"'.encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in fields.items()
        if value is not None
    ]


def parse(*files, **changes):
    (message,), files = sendgrid.parse_mail(
        multipart([*parts(FIELDS | changes), *files]), account()
    )
    return message, files


LIN = Address(AddressKind.EMAIL, "lin@example.com")
PROVEN = (ProvenAddress(LIN, Proof.DMARC),)


def test_a_mail_in_fields_becomes_a_message_of_a_proven_sender():
    message, files = parse((FILE, b"\r\n\0\xff"))

    assert message.event_id.startswith("<m2@example.com> ")
    assert message == InboundMessage(
        channel=Channel.EMAIL,
        provider="sendgrid",
        account="",
        event_id=message.event_id,
        provider_id="<m2@example.com>",
        sender=Sender(proven=PROVEN, name="琳"),
        body="还没到账\n",
        occurred_at=datetime(2026, 11, 23, 5, 24, 33, tzinfo=UTC),
        subject="订单 17",
        attachments=(
            Attachment("图.png", "image/png", 4, sha256(b"\r\n\0\xff").hexdigest(), "stored"),
        ),
        context={
            "address": "lin@example.com",
            "message_id": "<m2@example.com>",
            "references": "<m1@example.com> <m2@example.com>",
            "subject": "订单 17",
        },
        fields={"spf": "pass", "dkim": "pass"},
        reply_tokens=(TOKEN,),
        page_digest=PAGE.digest,
        references=("<m1@example.com>",),
    )
    assert files == (MailPart("图.png", "image/png", b"\r\n\0\xff"), PAGE)


RAW = (
    b"From: Lin <lin@example.com>\r\nSubject: raw\r\nMessage-ID: <m3@example.com>\r\n"
    b"Content-Type: text/plain; charset=gb2312\r\n\r\n\xc4\xe3\xba\xc3"
)


def test_a_raw_mail_is_read_from_its_bytes():
    message, files = parse(email=RAW)

    assert (message.body, message.subject, files) == ("你好", "raw", ())
    assert message.sender == Sender(proven=PROVEN, name="Lin")


def envelope(sender):
    return json.dumps({"to": ["support@desk.example.com"], "from": sender})


NOT_SPF = {"SPF": "softfail"}


@pytest.mark.parametrize(
    ("changes", "is_proven"),
    [
        ({"dkim": "none"}, True),
        (NOT_SPF, True),
        (NOT_SPF | {"dkim": "{@EXAMPLE.com : pass}"}, True),
        (NOT_SPF | {"dkim": "none"}, False),
        (NOT_SPF | {"dkim": "{@example.com : fail}"}, False),
        (NOT_SPF | {"dkim": "{@mail.example.com : pass}"}, False),
        (NOT_SPF | {"dkim": "{@com : pass}"}, False),
        (NOT_SPF | {"dkim": "{@notexample.com : pass}"}, False),
        (NOT_SPF | {"dkim": "{x@example.com : pass}"}, False),
        (NOT_SPF | {"dkim": "{@evil.org : pass, @example.com : pass}"}, False),
        (NOT_SPF | {"dkim": "{@example.com : pass}@evil.org : pass}"}, False),
        ({"dkim": "none", "envelope": envelope("bounce@mail.example.com")}, False),
        ({"dkim": "none", "envelope": envelope("lin@evil.org")}, False),
        ({"dkim": "none", "envelope": envelope("lin@example.com@evil.org")}, False),
        ({"dkim": "none", "envelope": envelope("")}, False),
        ({"dkim": "none", "envelope": envelope(["lin@example.com"])}, False),
        ({"dkim": "none", "envelope": "x"}, False),
        ({"dkim": None}, False),
        ({"SPF": None}, False),
        ({"envelope": None}, False),
        ({"headers": None, "from": "lin@example.com"}, False),
        ({"headers": "From: lin@example.com, x@example.com"}, False),
        ({"headers": "From: lin@example.com\nFrom: x@example.com"}, False),
        ({"headers": 'From: "lin@example.com" <x@evil.org>'}, False),
        ({"headers": "Subject: x"}, False),
    ],
)
def test_only_a_domain_that_vouches_for_the_mail_proves_its_sender(changes, is_proven):
    message, _ = parse(**changes)

    (proven,) = message.sender.proven
    assert (proven.proof is Proof.DMARC) is is_proven
    if not is_proven:
        assert (proven.address.kind, proven.proof) == (AddressKind.UNPROVEN, Proof.NONE)


FORGED = (
    b"x\r\n--xYzZY\r\nContent-Disposition: form-data; name=%s\r\n\r\n%s\r\n--xYzZY%s\r\n"
    b"Content-Disposition: form-data; name=z\r\n\r\n"
)


@pytest.mark.parametrize("end", [b"", b"--"])
@pytest.mark.parametrize("name", ["dkim", "SPF", "envelope"])
@pytest.mark.parametrize("holder", ["text", "headers", "email"])
def test_parts_that_the_sender_wrote_into_his_mail_prove_nothing(holder, name, end):
    forged = FORGED % (name.encode(), FIELDS[name].encode(), end)
    evil = {"dkim": "{@evil.org : pass}", "SPF": "pass", "envelope": envelope("x@evil.org")}
    before = RAW if holder == "email" else HEAD.encode() if holder == "headers" else b""

    message, _ = parse(**(evil | {holder: before + forged}))

    assert message.sender.proven[0].proof is Proof.NONE


def test_a_mail_without_an_envelope_sender_is_automatic():
    assert [parse(envelope=envelope(one))[0].is_automatic for one in ("", "<>", "a@b.c")] == [
        *(True, True),
        False,
    ]


def test_a_repeated_delivery_has_the_same_ids_and_another_mail_has_not():
    first, again, other = parse()[0], parse()[0], parse(text="x")[0]

    assert first == again
    assert first.event_id != other.event_id


def public(name):
    return b64encode(KEYS[name].public_key().export_key(format="DER")).decode()


def signed(request, name="new", timestamp="1795411473"):
    digest = SHA256.new(timestamp.encode() + request.body)
    proof = DSS.new(KEYS[name], "fips-186-3", encoding="der").sign(digest)
    headers = {SIGNATURE: b64encode(proof).decode(), TIMESTAMP: timestamp}
    return replace(request, headers={**request.headers, **headers})


def is_accepted(request, **values):
    try:
        sendgrid.verify(request, account(**values))
    except InvalidSignatureError:
        return False
    return True


REQUEST = signed(multipart(parts(FIELDS)))


@pytest.mark.parametrize(("name", "accepted"), [("new", True), ("old", True), ("older", False)])
def test_while_a_key_is_rotated_both_are_good(name, accepted):
    request = signed(multipart(parts(FIELDS)), name)

    assert is_accepted(request, public_key=["not a key", public("new"), public("old")]) is accepted


@pytest.mark.parametrize(
    "change",
    [
        *(lambda _: "", lambda _: " ", lambda p: p[:-1], lambda p: p + "=", lambda p: p + "AAAA"),
        *(lambda p: p.swapcase(), lambda p: "x" + p[1:], lambda p: p + "签名", lambda p: p + "\n"),
        *(lambda p: p + "\ud800", lambda p: "\ud800" * 300, lambda p: p * 10_000),
        lambda _: b64encode(bytes.fromhex("3006020100020100")).decode(),
    ],
)
def test_a_changed_signature_is_refused(change):
    headers = {**REQUEST.headers, SIGNATURE: change(REQUEST.headers[SIGNATURE])}

    assert is_accepted(REQUEST, public_key=public("new"))
    assert not is_accepted(replace(REQUEST, headers=headers), public_key=public("new"))


@pytest.mark.parametrize(
    "request_",
    [
        replace(REQUEST, body=REQUEST.body + b"\r\n"),
        replace(REQUEST, body=REQUEST.body[:-1]),
        replace(REQUEST, headers={**REQUEST.headers, TIMESTAMP: "1795411474"}),
        replace(REQUEST, headers={**REQUEST.headers, TIMESTAMP: "\ud800"}),
        replace(REQUEST, headers={SIGNATURE: REQUEST.headers[SIGNATURE]}),
        replace(REQUEST, headers={}),
    ],
)
def test_a_changed_request_is_refused(request_):
    assert not is_accepted(request_, public_key=public("new"))


def test_a_key_of_another_curve_or_none_at_all_opens_nothing():
    key = ECC.generate(curve="P-384")
    other = b64encode(key.public_key().export_key(format="DER")).decode()
    proof = DSS.new(key, "fips-186-3", encoding="der").sign(SHA256.new(b"1" + REQUEST.body))
    request = replace(REQUEST, headers={SIGNATURE: b64encode(proof).decode(), TIMESTAMP: "1"})

    for public_key in (other, "签名", "x", "AAAA", "MFkw"):
        assert not is_accepted(request, public_key=public_key)


PASSWORD = {"user": "hook", "password": ["new", "old"]}


def basic(pair):
    return WebhookRequest(b"", {"authorization": "Basic " + b64encode(pair.encode()).decode()})


def test_without_a_key_the_user_and_password_count_and_with_one_they_do_not():
    accepted = [is_accepted(basic(f"hook:{word}"), **PASSWORD) for word in ("new", "old", "x", "")]

    assert accepted == [True, True, False, False]
    assert not is_accepted(WebhookRequest(b""), **PASSWORD)
    assert not is_accepted(basic("hook:new"), public_key=public("new"), **PASSWORD)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"public_key": ""},
        {"public_key": [""], "user": "hook", "password": ""},
        {"user": "hook"},
        {"password": "new"},
        {"user": "hook", "password": [""]},
        {"user": [""], "password": "new"},
    ],
)
def test_without_a_secret_nobody_gets_in(values):
    for request in (REQUEST, basic("hook:"), basic(":new"), basic(":"), WebhookRequest(b"")):
        with pytest.raises(MissingSecretError, match="sendgrid has no public_key"):
            sendgrid.verify(request, account(**values))


def outcome(request):
    try:
        (message,), files = sendgrid.parse_mail(request, account())
    except UnparseableError as error:
        return str(error).encode()
    for text in (message.body, message.subject, message.event_id, message.sender.name):
        text.encode()
    assert len(json.dumps(dict(message.context), ensure_ascii=False).encode()) < 20_000
    return [(file.name.encode(), file.media_type.encode()) for file in files]


@pytest.mark.parametrize("body", [b"", b"x", b"a=b", b"{}", b"--xYzZY--", b"--xYzZY\r\n"])
def test_what_is_no_mail_is_unparseable(body):
    for kind in ("", "multipart/form-data; boundary=xYzZY"):
        with pytest.raises(UnparseableError):
            sendgrid.parse(WebhookRequest(body, {"content-type": kind}), account())


ODD = [
    *(b"", b"\0", b"\xff\xfe", b"x" * 50_000, b"[]", b"{}", b'{"text":[],"html":"\\ud800 x"}'),
    *(b'{"to":5,"from":{}}', b'{"to":["\\ud800@x"],"from":"\\ud800@\\ud800"}', b"9" * 5_000),
    *(b"[" * 100_000, b"\r\n\r\n", b"\xed\xa0\x80", b'{"text":"punycode","html":"a b"}'),
]


@pytest.mark.parametrize("name", [*FIELDS, "email", "from"])
def test_any_field_may_be_anything(name):
    for value in ODD:
        outcome(multipart(parts(FIELDS | {name: value})))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([*FIELDS, "email"]))
def test_any_bytes_are_a_mail_or_unparseable(content, name):
    outcome(multipart(parts(FIELDS | {name: content})))
    outcome(multipart([(content, content)]))


@needs_vectors
def test_the_payload_vectors():
    kind = {"content-type": "multipart/form-data; boundary=xYzZY"}
    found = []
    for path in sorted((VECTORS / "sendgrid").glob("inbound-parse/*.txt")):
        if path.stat().st_size:
            (message,), files = sendgrid.parse_mail(
                WebhookRequest(path.read_bytes(), kind), account()
            )
            found.append((message.body.strip(), message.sender.claims, [f.name for f in files]))
    # SPF holds for the domain of both, and so neither address is only a claim.
    assert found == [
        ("Hello Twilio SendGrid!", (), ["message.html"]),
        ("Hello Twilio SendGrid!", (), ["SendGrid.jpg", "message.html"]),
    ]
