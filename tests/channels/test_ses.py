"""Mail through SES: what it proves, what it belongs to, and what we answer."""

import email
from datetime import UTC, datetime
from email.policy import default
from hashlib import sha256

import pytest

from caseweave.channels import ses
from caseweave.channels.mail_reading import read_mail
from caseweave.channels.mail_rules import is_automatic
from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import (
    Attachment,
    Channel,
    InboundMessage,
    Purpose,
)
from caseweave.domain.tokens import read_reply_token
from tests.channels.samples import outbound

KEYS = (b"k" * 32,)
CASE_ID = "01JDCASE000000000000000000"
LIN = Address(AddressKind.EMAIL, "lin@example.com")
TOKEN = "a2" * 21
PASS = "amazonses.com; spf=pass (spfCheck: ok) client-ip=192.0.2.1; dmarc=pass header.from={};"


QUOTED_VERDICT = (
    'amazonses.com; spf=none envelope-from="a; dmarc=pass header.from=example.com; "@e.example;'
    " dmarc=fail header.from=example.com"
)
HELO_VERDICT = (
    "amazonses.com; spf=none helo=dmarc=pass; dkim=none header.from=example.com;"
    " dmarc=none header.from=example.com"
)
VERDICT_CUT_OFF = (
    f"amazonses.com; dmarc=pass header.from=example.com; helo={'x' * 2000};"
    " dmarc=fail header.from=example.com"
)


def mail(*lines):
    return "\r\n".join(lines).encode()


def parse(*lines):
    (message,), _ = ses.parse(mail(*lines), "s3objectid")
    return message


def verdict(*results, sender="Lin <lin@example.com>"):
    """What is proven of a mail with these Authentication-Results, the first on top."""
    headers = [f"Authentication-Results: {result}" for result in results]
    (proven,) = parse(*headers, f"From: {sender}", "", "hi").sender.proven
    return proven.proof


def test_a_mail_becomes_a_message():
    raw = mail(
        "Return-Path: <lin@example.com>",
        "Authentication-Results: amazonses.com;",
        " spf=pass (spfCheck: domain of example.com designates 192.0.2.1 as permitted sender)",
        " client-ip=192.0.2.1; envelope-from=lin@example.com; helo=mx.example.com;",
        " dkim=pass header.i=@example.com;",
        " dmarc=pass header.from=example.com;",
        "From: =?utf-8?b?5p6X?= <Lin@Example.com>",
        f"To: support+{TOKEN}@desk.example.com",
        "Subject: =?gb2312?B?tqm1pQ==?=",
        "Date: Mon, 23 Nov 2026 13:24:33 +0800",
        "Message-ID: <m2@example.com>",
        "References: <m1@example.com> <strange id",
        'Content-Type: multipart/mixed; boundary="limit"',
        "",
        "--limit",
        "Content-Type: text/plain; charset=utf-8",
        "",
        "还没到账",
        "--limit",
        "Content-Type: image/png",
        'Content-Disposition: attachment; filename="a.png"',
        "",
        "PNG",
        "--limit--",
    )

    (message,), files = ses.parse(raw, "s3objectid")

    assert message == InboundMessage(
        channel=Channel.EMAIL,
        provider="ses",
        account="",
        event_id=message.event_id,
        provider_id="<m2@example.com>",
        sender=Sender(proven=(ProvenAddress(LIN, Proof.DMARC),), name="林"),
        body="还没到账",
        occurred_at=datetime(2026, 11, 23, 5, 24, 33, tzinfo=UTC),
        subject="订单",
        attachments=(
            Attachment(
                name="a.png",
                media_type="image/png",
                size=3,
                digest=sha256(b"PNG").hexdigest(),
                state="stored",
            ),
        ),
        context={
            "address": "lin@example.com",
            "message_id": "<m2@example.com>",
            "references": "<m1@example.com> <m2@example.com>",
            "subject": "订单",
        },
        fields={"spf": "pass", "dkim": "pass", "dmarc": "pass"},
        reply_tokens=(TOKEN,),
        references=("<m1@example.com>",),
    )
    assert files[0].content == b"PNG"


def test_a_mail_without_anything_is_known_by_the_delivery():
    assert parse("", "hi") == InboundMessage(
        channel=Channel.EMAIL,
        provider="ses",
        account="",
        event_id="s3objectid",
        provider_id="s3objectid",
        sender=Sender(
            proven=(ProvenAddress(Address(AddressKind.UNPROVEN, "mail.s3objectid"), Proof.NONE),)
        ),
        body="hi",
        context={"address": "", "message_id": "", "references": "", "subject": ""},
    )


def test_the_same_mail_delivered_twice_is_one_event():
    lines = ("Message-ID: <m1@example.com>", "From: lin@example.com", "", "hi")

    (one,), _ = ses.parse(mail(*lines), "delivery-1")
    (two,), _ = ses.parse(mail("Received: by another", *lines), "delivery-2")

    assert one.event_id == two.event_id
    assert one.event_id.startswith("<m1@example.com> ")


@pytest.mark.parametrize(
    "lines",
    [
        ("From: lin@example.com", "", "another text"),
        ("From: eve@example.com", "", "hi"),
        ("From: lin@example.com", "Subject: x", "", "hi"),
        ("From: lin@example.com", "Date: Mon, 23 Nov 2026 13:24:33 +0800", "", "hi"),
    ],
)
def test_a_copied_message_id_does_not_lose_a_mail(lines):
    original = parse("Message-ID: <m1@example.com>", "From: lin@example.com", "", "hi")

    assert parse("Message-ID: <m1@example.com>", *lines).event_id != original.event_id


# Proof, promise P4


@pytest.mark.parametrize(
    ("results", "proof"),
    [
        ([PASS.format("example.com")], Proof.DMARC),
        ([PASS.format("EXAMPLE.COM").upper()], Proof.DMARC),
        ([" amazonses.com ;\r\n dmarc=pass\r\n header.from=example.com"], Proof.DMARC),
        ([], Proof.NONE),
        ([""], Proof.NONE),
        (["amazonses.com"], Proof.NONE),
        (["amazonses.com; dmarc=fail header.from=example.com"], Proof.REFUTED),
        (["amazonses.com; dmarc=gray header.from=example.com"], Proof.NONE),
        (["amazonses.com; dmarc=none header.from=example.com"], Proof.NONE),
        (["amazonses.com; dmarc=passed header.from=example.com"], Proof.NONE),
        (["amazonses.com; spf=pass; dkim=pass header.i=@example.com"], Proof.NONE),
        (["amazonses.com; dmarc=pass"], Proof.NONE),
        ([PASS.format("evil.example")], Proof.NONE),
        ([PASS.format("mail.example.com")], Proof.NONE),
        ([PASS.format("example.com.evil.example")], Proof.NONE),
        (["evil.example; dmarc=pass header.from=example.com"], Proof.NONE),
        (["amazonses.com.evil.example; dmarc=pass header.from=example.com"], Proof.NONE),
        (["x amazonses.com; dmarc=pass header.from=example.com"], Proof.NONE),
        # SES writes on top: what comes below is the sender's own.
        (
            ["amazonses.com; dmarc=fail header.from=example.com", PASS.format("example.com")],
            Proof.REFUTED,
        ),
        (["amazonses.com; spf=pass", PASS.format("example.com")], Proof.NONE),
        ([PASS.format("example.com"), "evil.example; dmarc=fail"], Proof.DMARC),
        # SES quotes what the sender said in SMTP.
        ([QUOTED_VERDICT], Proof.REFUTED),
        ([HELO_VERDICT], Proof.REFUTED),
        ([VERDICT_CUT_OFF], Proof.REFUTED),
    ],
)
def test_only_the_verdict_of_ses_proves_or_refutes_an_address(results, proof):
    assert verdict(*results) is proof


@pytest.mark.parametrize(
    "sender",
    [
        "lin@example.com, eve@evil.example",
        "eve@evil.example, lin@example.com",
        "Lin <lin@example.com>\r\nFrom: eve@evil.example",
        "eve@evil.example\r\nFrom: Lin <lin@example.com>",
        "lin@example.com <eve@evil.example>",
        "nobody",
        "",
    ],
)
def test_no_from_but_one_with_a_single_address_is_proven(sender):
    assert verdict(PASS.format("example.com"), sender=sender) is Proof.NONE


def test_an_unproven_sender_is_an_identity_of_its_own_with_a_claim():
    assert parse("From: Lin <Lin@Example.com>", "", "hi").sender == Sender(
        proven=(ProvenAddress(Address(AddressKind.UNPROVEN, "mail.s3objectid"), Proof.NONE),),
        claims=(LIN,),
        name="Lin",
    )


def test_a_name_that_decodes_to_an_address_proves_only_the_real_one():
    sender = parse(
        f"Authentication-Results: {PASS.format('example.com')}",
        "From: =?utf-8?q?victim=40example=2Ecom_=28?= <eve@example.com>",
        "",
        "hi",
    ).sender

    assert sender.proven == (
        ProvenAddress(Address(AddressKind.EMAIL, "eve@example.com"), Proof.DMARC),
    )


# Machines


@pytest.mark.parametrize(
    ("header", "automatic"),
    [
        ("Auto-Submitted: auto-replied", True),
        ("Auto-Submitted: Auto-Generated; owner-email=a@b", True),
        ("Auto-Submitted: no", False),
        ("Auto-Submitted: NO ; x", False),
        ("Auto-Submitted:", False),
        ("Precedence: bulk", True),
        ("Precedence: Junk", True),
        ("Precedence: list", True),
        ("Precedence: auto_reply", True),
        ("Precedence: first-class", False),
        ("X-Auto-Response-Suppress: All", True),
        ("X-Auto-Response-Suppress: DR, OOF", False),
        ("Return-Path: <>", True),
        ("Return-Path: <lin@example.com>", False),
        ("X-Auto-Response-Suppress: DR, AutoReply", True),
        ("List-Unsubscribe: <mailto:x@example.com>", True),
        ("List-Id: Players <players.lists.example>", True),
        ("X-Loop: robot@example.com", True),
        ("Content-Type: multipart/report; report-type=delivery-status; boundary=x", True),
        ("Content-Type: Multipart/Report", True),
        ("Content-Type: text/plain", False),
        ("X-Mailer: Auto-Submitted: auto-replied", False),
    ],
)
def test_a_machine_is_recognised(header, automatic):
    assert parse("From: lin@example.com", header, "", "hi").is_automatic is automatic


# Threads


@pytest.mark.parametrize(
    ("header", "tokens"),
    [
        (f"To: support+{TOKEN}@desk.example.com", (TOKEN,)),
        (f"To: a@b.c, Support <SUPPORT+{TOKEN.upper()}@desk.example.com>", (TOKEN,)),
        (f"Cc: support+{TOKEN}@desk.example.com", (TOKEN,)),
        (f"Delivered-To: support+{TOKEN}@desk.example.com", (TOKEN,)),
        (f"References: <x@y> <{TOKEN}.01JD@desk.example.com>", (TOKEN,)),
        (f"In-Reply-To: <{TOKEN}.01JD@desk.example.com>", (TOKEN,)),
        (f"References: {'<older@example.com> ' * 300}<{TOKEN}.01JD@desk.example.com>", (TOKEN,)),
        (f"To: support+{TOKEN[:-1]}@desk.example.com", ()),
        (f"To: support+{TOKEN}x@desk.example.com", ()),
        (f"To: support+{'a1' * 21}@desk.example.com", ()),
        (f"Subject: support+{TOKEN}@desk.example.com", ()),
        (f"From: support+{TOKEN}@desk.example.com", ()),
        (
            "To: " + ", ".join(f"s+{chr(97 + n) * 42}@x" for n in range(9)),
            tuple(chr(97 + n) * 42 for n in range(5)),
        ),
    ],
)
def test_reply_tokens_are_found_where_mailers_keep_them(header, tokens):
    assert parse(header, "", "hi").reply_tokens == tokens


@pytest.mark.parametrize(
    "message_id",
    ["<a b@c>", "no brackets", "<" + "x" * 121 + ">", "<é@c>", "<=?utf-8?q?=3D=3Fx?=@c>"],
)
def test_ids_that_would_break_our_header_are_left_out_of_it(message_id):
    context = parse(f"Message-ID: {message_id}", "References: <m1@c>", "", "hi").context

    assert (context["message_id"], context["references"]) == ("", "<m1@c>")


# Answers


def answer(body="Hello.\n\n您好。\n", **changes):
    context = {
        "address": "lin@example.com",
        "message_id": "<m2@example.com>",
        "references": "<m1@example.com> <m2@example.com>",
        "subject": "订单 没到",
    }
    changed = {**context, **changes.pop("context", {})}
    fields = changes.pop("fields", {"reference": "CW-7Q4K"})
    return outbound(Channel.EMAIL, "ses", LIN, body=body, context=changed, fields=fields, **changes)


def compose(message):
    return ses.compose_mail(message, "support@desk.example.com", KEYS)


def read(message):
    return email.message_from_bytes(compose(message), policy=default)


def test_an_agents_answer_lands_in_the_customers_thread():
    sent = read(answer())
    token = sent["Reply-To"].removeprefix("support+").removesuffix("@desk.example.com")

    assert read_reply_token(token, "lin@example.com", KEYS) == CASE_ID
    assert dict(sent.items()) == {
        "From": "Support <support@desk.example.com>",
        "To": "lin@example.com",
        "Reply-To": f"support+{token}@desk.example.com",
        "Subject": "Re: 订单 没到 [CW-7Q4K]",
        "Date": "Mon, 23 Nov 2026 05:24:33 +0000",
        "Message-ID": f"<{token}.01JDMESSAGE000000000000000@desk.example.com>",
        "In-Reply-To": "<m2@example.com>",
        "References": (
            "<m1@example.com> <m2@example.com> "
            f"<{token}.01JDMESSAGE000000000000000@desk.example.com>"
        ),
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "base64",
        "MIME-Version": "1.0",
    }
    assert sent.get_content() == "Hello.\n\n您好。\n"


def test_what_we_write_we_can_read():
    sent = read_mail(compose(answer()))
    token = ses.find_reply_tokens(sent)[0]

    assert sent.senders == (("Support", "support@desk.example.com"),)
    assert sent.recipients == ("lin@example.com",)
    assert sent.subject == "Re: 订单 没到 [CW-7Q4K]"
    assert sent.text == "Hello.\n\n您好。\n"
    assert sent.date == datetime(2026, 11, 23, 5, 24, 33, tzinfo=UTC)
    assert sent.references == ("<m1@example.com>", "<m2@example.com>", sent.message_id)
    assert read_reply_token(token, "lin@example.com", KEYS) == CASE_ID
    assert not ses.is_automatic(sent)


def test_the_customers_reply_finds_its_way_by_address_or_by_reference():
    sent = read(answer())

    by_address = parse(f"To: {sent['Reply-To'].upper()}", "", "thanks")
    by_reference = parse(f"References: {sent['References']}", "", "thanks")

    for reply in (by_address, by_reference):
        (token,) = reply.reply_tokens
        assert read_reply_token(token, "lin@example.com", KEYS) == CASE_ID
        assert read_reply_token(token, "eve@example.com", KEYS) is None


@pytest.mark.parametrize("purpose", [Purpose.ACKNOWLEDGEMENT, Purpose.NOTICE])
def test_what_a_machine_wrote_says_so(purpose):
    sent = read(answer(purpose=purpose))

    assert sent["Auto-Submitted"] == "auto-replied"
    assert sent["X-Auto-Response-Suppress"] == "All"
    assert sent["Precedence"] == "auto_reply"
    assert is_automatic(read_mail(compose(answer(purpose=purpose))))


def test_what_a_person_wrote_does_not():
    sent = read(answer(purpose=Purpose.REPLY))

    assert not {"Auto-Submitted", "X-Auto-Response-Suppress", "Precedence"} & set(sent.keys())


def test_the_longest_thread_is_not_taken_apart_by_folding():
    ids = [f"<{str(number) * 118}@>" for number in range(6)]
    message = answer(context={"references": " ".join(ids), "message_id": ids[-1]})

    raw = compose(message)

    assert read_mail(raw).references[:6] == tuple(ids)
    assert b"=?" not in raw.partition(b"References:")[2].partition(b"\r\n\r\n")[0]
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998


@pytest.mark.parametrize(
    ("subject", "line"),
    [
        ("Where is it?", "Re: Where is it? [CW-7Q4K]"),
        ("RE: re: 回复：答复: Where?", "Re: Where? [CW-7Q4K]"),
        ("Re: Where? [CW-7Q4K]", "Re: Where? [CW-7Q4K]"),
        ("", "Re: [CW-7Q4K]"),
        ("x" * 300, "Re: " + "x" * 250 + " [CW-7Q4K]"),
        ("订" * 300, "Re: " + "订" * 250 + " [CW-7Q4K]"),
        ("emoji 😀 \0 \x1b", "Re: emoji 😀 \0 \x1b [CW-7Q4K]"),
    ],
)
def test_the_subject_is_the_customers_with_the_reference(subject, line):
    assert read_mail(compose(answer(context={"subject": subject}))).subject == line


HEADERS = [
    *("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References"),
    *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
]
INJECTIONS = [
    "a\r\nBcc: eve@evil.example",
    "a\nBcc: eve@evil.example",
    "a\rBcc: eve@evil.example",
    "a\r\n\r\n<p>Pay here",
    "=?utf-8?q?a=0D=0ABcc:_eve=40evil.example?=",
    "=?utf-8?q?a=0D=0A=0D=0APay_here?=",
    "=?utf-8?b?YQ0KQmNjOiBldmVAZXZpbC5leGFtcGxl?=",
    "x =?utf-8?q?a=0ABcc:_x?= =?utf-8?q?=0ABcc:_x?= y",
    "==?utf-8?q?a=0D=0ABcc:_x?==?utf-8?q?=0D=0ABcc:_x?=",
    "a\x85Bcc: x",
    "a\u2028Bcc: x",
    "a\x0bBcc: x\x0cBcc: x\x1cBcc: x",
]


@pytest.mark.parametrize("hostile", INJECTIONS)
@pytest.mark.parametrize("field", ["subject", "message_id", "references"])
def test_no_header_comes_out_of_what_a_customer_wrote(field, hostile):
    sent = email.message_from_bytes(compose(answer(context={field: hostile})))

    assert sent.keys() == HEADERS
    assert sent.get_payload(decode=True).decode() == "Hello.\n\n您好。\n"


@pytest.mark.parametrize("hostile", INJECTIONS)
def test_nor_out_of_a_mail_that_was_read(hostile):
    received = parse(
        "From: lin@example.com",
        f"Subject: =?utf-8?q?{''.join(f'={byte:02X}' for byte in hostile.encode())}?=",
        "Message-ID: <=?utf-8?q?a=0D=0ABcc:x?=@example.com>",
        "References: <=?utf-8?q?=3D=3Futf-8=3Fq=3Fa=3D0D=3D0ABcc:x=3F=3D?=@example.com>",
        "",
        "hi",
    )

    sent = email.message_from_bytes(compose(answer(context=received.context)))

    assert sent.keys() == [name for name in HEADERS if name != "In-Reply-To"]


@pytest.mark.parametrize(
    "address",
    [
        "林@example.com",
        "lin@例子.example",
        "lin@example.com\r\nBcc: eve@evil.example",
        "lin@example.com\n",
        "lin@example.com, eve@evil.example",
        "lin@example.com,eve@evil.example",
        "<lin@example.com>",
        '"a b"@example.com',
        "=?utf-8?q?a=0D=0ABcc:_x?=@example.com",
        "lin@example.com\0",
        "lin@",
        "@example.com",
        "lin",
    ],
)
def test_no_mail_is_written_to_what_is_no_plain_address(address):
    with pytest.raises(ValueError, match="not an address"):
        compose(answer(context={"address": address}))


@pytest.mark.parametrize(
    "address",
    ["o'neil+tag@sub.example.com", "a.b_c-d@xn--fiqs8s.example", ".dot.@example.com", "a..b@c"],
)
def test_a_mail_is_written_to_every_plain_address(address):
    assert read(answer(context={"address": address}))["To"] == address


def test_without_an_address_in_the_thread_the_proven_one_is_used():
    assert ses.find_recipient(answer(context={"address": ""})) == "lin@example.com"


@pytest.mark.parametrize(
    "message",
    [
        answer(contact=None),
        outbound(Channel.EMAIL, "ses", Address(AddressKind.UNPROVEN, "mail.s3objectid")),
    ],
)
def test_a_mail_to_nobody_is_not_written(message):
    assert ses.find_recipient(message) == ""
    with pytest.raises(ValueError, match="has nobody to go to"):
        compose(message)


# What SES says on top, and what a sender writes below


TOP = (
    "Return-Path: <lin@example.com>",
    "Received: from mx.example.com (mx.example.com [192.0.2.1])",
    " by inbound-smtp.eu-west-1.amazonaws.com with SMTP id abc",
    f" for support+{TOKEN}@desk.example;",
    " Mon, 23 Nov 2026 05:24:34 +0000 (UTC)",
)


def test_the_verdicts_of_ses_are_kept_with_the_message():
    message = parse(
        *TOP,
        "X-SES-Spam-Verdict: PASS",
        "X-SES-Virus-Verdict: GRAY",
        "Authentication-Results: amazonses.com; spf=softfail; dkim=pass; dkim=fail;"
        " dmarc=none header.from=example.com",
        "From: lin@example.com",
        "",
        "hi",
    )

    assert message.fields == {
        "spf": "softfail",
        "dkim": "pass,fail",
        "dmarc": "none",
        "spam": "pass",
        "virus": "gray",
    }


def test_a_forged_verdict_below_that_of_ses_counts_for_nothing():
    message = parse(
        *TOP,
        "X-SES-Virus-Verdict: FAIL",
        "Received: from evil.example by mx.example.com; Mon, 23 Nov 2026 05:24:33 +0000",
        "X-SES-Virus-Verdict: PASS",
        "X-SES-Spam-Verdict: FAIL",
        "From: lin@example.com",
        "",
        "hi",
    )

    assert message.fields == {"virus": "fail"}


def test_words_that_are_no_verdict_are_not_kept():
    assert parse(*TOP, "X-SES-Spam-Verdict: <b>", "From: lin@example.com", "", "hi").fields == {}


def test_files_of_a_mail_with_a_virus_are_blocked_and_say_why():
    raw = mail(
        *TOP,
        "X-SES-Virus-Verdict: FAIL",
        "From: lin@example.com",
        'Content-Disposition: attachment; filename="a.exe"',
        "",
        "MZ",
    )

    (message,), files = ses.parse(raw, "s3objectid")

    (attached,) = message.attachments
    assert (attached.state, attached.reason) == ("blocked", "virus")
    assert [file.digest for file in files] == [attached.digest]


def test_the_envelope_carries_the_reply_token_though_to_lies():
    message = parse(*TOP, "From: lin@example.com", "To: somebody@else.example", "", "hi")

    assert message.reply_tokens == (TOKEN,)


def test_five_false_tokens_in_to_do_not_hide_that_of_the_envelope():
    false = ", ".join(f"support+{letter * 42}@desk.example" for letter in "bcdefg")

    assert parse(*TOP, f"To: {false}", "", "hi").reply_tokens[0] == TOKEN


@pytest.mark.parametrize(
    ("reply_to", "verdict", "address"),
    [
        ("bo@example.com", "", "bo@example.com"),
        ("Bo <BO@shop.example.com>", "", "bo@shop.example.com"),
        ("bo@evil.example", "", "lin@example.com"),
        ("bo@notexample.com", "", "lin@example.com"),
        ("bo@com", "", "lin@example.com"),
        ("bo@evil.example", PASS.format("example.com"), "bo@evil.example"),
        ("bo@evil.example", PASS.format("evil.example"), "lin@example.com"),
        ("bo@example.com, eve@example.com", "", "lin@example.com"),
        ("nobody", "", "lin@example.com"),
        ("", "", "lin@example.com"),
    ],
)
def test_answers_go_to_reply_to_only_where_from_vouches_for_it(reply_to, verdict, address):
    headers = [f"Authentication-Results: {verdict}"] if verdict else []
    message = parse(*headers, "From: Lin@example.com", f"Reply-To: {reply_to}", "", "hi")

    assert message.context["address"] == address


def test_what_a_machine_wrote_names_our_loop():
    automatic = read(answer(purpose=Purpose.ACKNOWLEDGEMENT))

    assert str(automatic["X-Loop"]) == "support@desk.example.com"
    assert read(answer(purpose=Purpose.REPLY))["X-Loop"] is None
