"""Mail as mailers write it: charsets, containers, names, and everything missing."""

from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from quopri import encodestring
from urllib.parse import quote

import pytest

from caseweave.channels.mail_reading import (
    LARGEST_MAIL,
    PARTS_LEFT,
    SIZE_CUT,
    TEXT_CUT,
    Mail,
    MailPart,
    read_mail,
)

PNG = b"\x89PNG\r\n\x1a\n"


def mail(*lines):
    """Lines of text or of bytes, with the line ends that mail has."""
    return b"\r\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)


def multipart(kind, *parts):
    opened = [piece for part in parts for piece in (b"--limit", part)]
    return mail(f'Content-Type: multipart/{kind}; boundary="limit"', "", *opened, "--limit--", "")


def text_part(kind, content, *headers):
    return mail(f"Content-Type: {kind}; charset=utf-8", *headers, "", content)


def attachment(*headers, content=PNG):
    return mail(*headers, "Content-Transfer-Encoding: base64", "", b64encode(content))


def test_a_plain_mail_is_read_whole():
    raw = mail(
        "Return-Path: <lin@example.com>",
        "From: Lin Wang <lin@example.com>",
        "To: Support <support@desk.example.com>, boss@example.com",
        "Cc: team@example.com",
        "Delivered-To: support+abc@desk.example.com",
        "Subject: Refund",
        "Date: Mon, 23 Nov 2026 13:24:33 +0800",
        "Message-ID: <m2@example.com>",
        "In-Reply-To: <m1@example.com>",
        "References: <m0@example.com>",
        "\t<m1@example.com>",
        "",
        "Hello,",
        "",
        "no refund yet.",
    )

    assert read_mail(raw) == Mail(
        headers=(
            ("return-path", "<lin@example.com>"),
            ("from", "Lin Wang <lin@example.com>"),
            ("to", "Support <support@desk.example.com>, boss@example.com"),
            ("cc", "team@example.com"),
            ("delivered-to", "support+abc@desk.example.com"),
            ("subject", "Refund"),
            ("date", "Mon, 23 Nov 2026 13:24:33 +0800"),
            ("message-id", "<m2@example.com>"),
            ("in-reply-to", "<m1@example.com>"),
            ("references", "<m0@example.com> <m1@example.com>"),
        ),
        senders=(("Lin Wang", "lin@example.com"),),
        recipients=(
            "support@desk.example.com",
            "boss@example.com",
            "team@example.com",
            "support+abc@desk.example.com",
        ),
        subject="Refund",
        text="Hello,\n\nno refund yet.",
        date=datetime(2026, 11, 23, 5, 24, 33, tzinfo=UTC),
        message_id="<m2@example.com>",
        references=("<m0@example.com>", "<m1@example.com>"),
        files=(),
    )


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"\0", b"\xff\xfe", b":", b"Subject", b"\n\n\n"])
def test_a_mail_of_which_everything_is_missing_is_read_as_empty(raw):
    found = read_mail(raw)

    assert (found.senders, found.recipients, found.subject) == ((), (), "")
    assert (found.date, found.message_id, found.references) == (None, "", ())


# Charsets


@pytest.mark.parametrize("charset", ["gb2312", "gbk", "gb18030", "big5", "utf-8", "utf-16", "hz"])
@pytest.mark.parametrize("encoding", ["8bit", "base64", "quoted-printable"])
def test_chinese_is_read_in_every_charset_and_encoding(charset, encoding):
    content = "您好，我的文件" if charset != "hz" else "您好"
    encode = {"8bit": bytes, "base64": b64encode, "quoted-printable": encodestring}[encoding]
    raw = mail(
        f"Content-Type: text/plain; charset={charset}",
        f"Content-Transfer-Encoding: {encoding}",
        "",
        encode(content.encode(charset)),
    )

    assert read_mail(raw).text == content


@pytest.mark.parametrize(
    ("declared", "actual"),
    [
        ("us-ascii", "gb18030"),
        ("us-ascii", "utf-8"),
        ("gb2312", "gb18030"),
        ("GB2312", "utf-8"),
        ("gbk", "gb18030"),
        ("utf-8", "gb18030"),
        ("x-unknown", "gb18030"),
        ("x-gbk", "gb18030"),
        ("x-unknown", "utf-8"),
        ("", "gb18030"),
        ("=?utf-8?q?x?=", "utf-8"),
        ("base64", "utf-8"),
        ("a\0b", "utf-8"),
        ("\udcff\xe9", "utf-8"),
        ("undefined", "utf-8"),
    ],
)
def test_a_charset_that_is_a_lie_does_not_lose_the_words(declared, actual):
    # 镕 is in no GB 2312.
    content = "朱镕基的订单，还没到账"
    header = f'Content-Type: text/plain; charset="{declared}"'.encode("utf-8", "surrogateescape")

    assert read_mail(mail(header, "", content.encode(actual))).text == content


def test_big5_is_read_with_the_characters_of_hong_kong():
    raw = mail("Content-Type: text/plain; charset=big5", "", "啲貨仲未到".encode("big5hkscs"))

    assert read_mail(raw).text == "啲貨仲未到"


def test_a_broken_byte_costs_a_character_and_not_the_mail():
    raw = mail(
        "Content-Type: text/plain; charset=gb2312", "", "订单没到".encode("gbk"), b"\xff", "x"
    )

    assert read_mail(raw).text == "订单没到\n\ufffd\nx"


@pytest.mark.parametrize(
    "charset", ["unicode_escape", "raw-unicode-escape", "punycode", "idna", "UTF-7"]
)
def test_no_charset_makes_text_that_cannot_be_stored(charset):
    raw = mail(f"Content-Type: text/plain; charset={charset}", "", rb"\ud800 +2AA- \udfff")

    assert read_mail(raw).text.encode()


# Headers


@pytest.mark.parametrize(
    ("written", "subject"),
    [
        (b"=?GB2312?B?tqm1pQ==?=", "订单"),
        (b"=?gbk?Q?=B6=A9=B5=A5_17?=", "订单 17"),
        (b"=?utf-8?B?6K6i5Y2V?=", "订单"),
        (b"=?UTF-8*zh?q?=E8=AE=A2?=", "订"),
        # Cut in the middle of a character.
        (b"=?utf-8?B?6K4=?=\r\n =?utf-8?B?ouWNlQ==?=", "订单"),
        (b"Re: =?utf-8?q?=E8=AE=A2?= now", "Re: 订 now"),
        (b"=?utf-8?q?a?= =?gbk?q?=B6=A9?=", "a订"),
        # A gb2312 label on gbk, an unknown one, none at all.
        (b"=?gb2312?B?6UY=?=", "镕"),
        (b"=?x-none?q?=B6=A9?=", "订"),
        ("订单".encode(), "订单"),
        ("订单".encode("gb18030"), "订单"),
        ("订单 ".encode("gb18030") + b"=?utf-8?q?=E8=AE=A2?=", "订单 订"),
        # Broken ones stay as they are.
        (b"=?utf-8?b?a?=", "=?utf-8?b?a?="),
        (b"=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
        (b"=?utf-8?q?abc", "=?utf-8?q?abc"),
        (b"=?utf-8?q??=", ""),
        (b"=?utf-8?q?What??=", "What?"),
        (b"=?utf-8?q?two words?=", "two words"),
        (b"=?utf-8?q?a=0D=0ABcc:_x?=", "a Bcc: x"),
        (b"=?unicode_escape?q?=5Cud800?=", "\\ud800"),
        (b"one\r\n two\r\n\tthree", "one two three"),
        (b"?= =? ?=", "?= =? ?="),
        (b"=?utf-8?b?" + b"5Lit" * 20 + b"?=", "中" * 20),
    ],
)
def test_a_subject_is_decoded(written, subject):
    assert read_mail(b"Subject: " + written + b"\r\n\r\nx").subject == subject


def test_a_subject_is_cut_after_it_was_decoded():
    word = b" =?utf-8?b?" + b64encode("订".encode() * 15) + b"?=\r\n"

    assert read_mail(b"Subject:" + word * 100 + b"\r\nx").subject == "订" * 1500
    assert len(read_mail(b"Subject: " + b"x" * 9999 + b"\r\n\r\nx").subject) == 2000


@pytest.mark.parametrize(
    ("written", "senders"),
    [
        ("lin@example.com", (("", "lin@example.com"),)),
        ("=?utf-8?q?=E7=90=B3?= <lin@example.com>", (("琳", "lin@example.com"),)),
        ('"Wang, Lin" <lin@example.com>', (("Wang, Lin", "lin@example.com"),)),
        ('"=?utf-8?q?=E7=90=B3?=" <lin@example.com>', (("琳", "lin@example.com"),)),
        ("琳 <lin@example.com>", (("琳", "lin@example.com"),)),
        ("a@example.com, b@example.com", (("", "a@example.com"), ("", "b@example.com"))),
        ("MAILER-DAEMON <>", ()),
        ("undisclosed:;", ()),
        ("nobody", ()),
        ("(" * 100_000, ()),
    ],
)
def test_senders_are_the_addresses_in_from(written, senders):
    assert read_mail(mail(f"From: {written}", "", "x")).senders == senders


@pytest.mark.parametrize(
    "name",
    [
        "victim@example.com (",
        "victim@example.com,",
        "<victim@example.com>",
        "victim@example.com> <",
        '" <victim@example.com> "',
    ],
)
def test_what_is_hidden_in_an_encoded_name_is_nobodys_address(name):
    quoted = "".join(f"={byte:02X}" for byte in name.encode())

    found = read_mail(mail(f"From: =?utf-8?q?{quoted}?= <attacker@example.com>", "", "x"))

    assert found.senders == ((" ".join(name.split()), "attacker@example.com"),)


def test_a_second_from_header_counts():
    found = read_mail(mail("From: a@example.com", "From: b@example.com", "", "x"))

    assert found.senders == (("", "a@example.com"), ("", "b@example.com"))


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("Mon, 23 Nov 2026 05:24:33 GMT", datetime(2026, 11, 23, 5, 24, 33, tzinfo=UTC)),
        ("23 Nov 2026 05:24:33 -0000", datetime(2026, 11, 23, 5, 24, 33, tzinfo=UTC)),
        ("Mon, 23 Nov 2026 13:24:33 +0800 (CST)", datetime(2026, 11, 23, 5, 24, 33, tzinfo=UTC)),
        ("", None),
        ("yesterday", None),
        ("Mon, 99 Nov 2026 05:24:33 GMT", None),
        ("Mon, 23 Nov 99999999999 05:24:33 GMT", None),
        ("Mon, 23 Nov 2026 05:24:33 +9999999", None),
        # Not a time in UTC.
        ("Fri, 31 Dec 9999 23:00:00 -1400", None),
    ],
)
def test_a_date_is_in_utc_or_none(written, date):
    assert read_mail(mail(f"Date: {written}", "", "x")).date == date


def test_of_a_long_thread_the_nearest_ids_are_kept():
    ids = [f"<{number:040}@example.com>" for number in range(200)]

    found = read_mail(
        mail("In-Reply-To: <last@example.com>", f"References: {' '.join(ids)}", "", "x")
    )

    assert found.references == (*ids[-19:], "<last@example.com>")


# Bodies


def test_the_plain_alternative_is_preferred():
    raw = multipart("alternative", text_part("text/plain", "plain"), text_part("text/html", "<b>h"))

    assert read_mail(raw).text == "plain"


@pytest.mark.parametrize("blank", ["", " \r\n\t", "\N{NO-BREAK SPACE}"])
def test_a_blank_plain_alternative_does_not_hide_the_other(blank):
    raw = multipart("alternative", text_part("text/plain", blank), text_part("text/html", "<b>h"))

    assert read_mail(raw).text == "h"


def test_a_plain_footer_does_not_hide_an_html_mail():
    raw = multipart(
        "mixed", text_part("text/html", "<p>Where is it?"), text_part("text/plain", "-- list")
    )

    assert read_mail(raw).text == "Where is it?\n\n-- list"


def test_an_alternative_of_containers_is_still_one_choice():
    inner = multipart(
        "related", text_part("text/html", "<p>Hi"), attachment("Content-Type: image/png")
    )
    raw = multipart("alternative", text_part("text/plain", "Hi"), inner.replace(b"limit", b"inner"))

    found = read_mail(raw)

    assert found.text == "Hi"
    assert found.files == (MailPart("part-2", "image/png", PNG),)


def test_an_html_mail_becomes_readable_text():
    raw = text_part(
        "text/html",
        "<html><head><title>t</title><style>p {color: red}</style></head><body>"
        "<p>您好，<b>订单</b>&nbsp;17<br>还没到&lt;账&gt;</p><script>alert(1)</script></body></html>",
    )

    assert read_mail(raw).text == "您好，订单 17\n还没到<账>"


def test_a_container_without_a_boundary_is_read_as_text():
    raw = mail("Content-Type: multipart/alternative", "", "Where is my order?")

    assert read_mail(raw).text == "Where is my order?"


# Files


def test_a_file_has_its_name_type_and_content():
    raw = multipart(
        "mixed",
        text_part("text/plain", "see file"),
        attachment('Content-Type: image/png; name="a.png"', "Content-Disposition: attachment"),
    )

    found = read_mail(raw)

    assert found.text == "see file"
    assert found.files == (MailPart("a.png", "image/png", PNG),)
    assert found.files[0].digest == sha256(PNG).hexdigest()


GBK_NAME = "订单".encode("gbk")


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("attachment; filename*=utf-8''" + quote("订单.png"), "订单.png"),
        ("attachment; filename*=gb2312'zh'" + quote(GBK_NAME) + ".png", "订单.png"),
        (
            "attachment; filename*0*=utf-8''"
            + quote("订")
            + ";\r\n filename*1*="
            + quote("单.png"),
            "订单.png",
        ),
        ('attachment; filename="=?utf-8?B?6K6i5Y2V?=.png"', "订单.png"),
        ('attachment; filename="=?gbk?Q?=B6=A9=B5=A5?="', "订单"),
        (b'attachment; filename="' + GBK_NAME + b'.png"', "订单.png"),
        ('attachment; filename="订单.png"'.encode(), "订单.png"),
        ('attachment; filename="../../etc/passwd"', ".._.._etc_passwd"),
        (r'attachment; filename="C:\\temp\\a.png"', "C:_temp_a.png"),
        ('attachment; filename="=?utf-8?q?=2E=2E=2Fa?="', ".._a"),
        ('attachment; filename="a\tb.png"', "a b.png"),
        ('attachment; filename="' + "x" * 999 + '"', "x" * 200),
        ("attachment; filename*=unicode_escape''%5Cud800.png", "?.png"),
        ("attachment; filename*=x-none''a.png", "a.png"),
        ("attachment; filename=", "part-1"),
        ("attachment", "part-1"),
        ("inline; filename=a.txt", "a.txt"),
    ],
)
def test_a_file_name_is_decoded_and_harmless(disposition, name):
    line = disposition if isinstance(disposition, bytes) else disposition.encode()
    raw = multipart(
        "mixed",
        text_part("text/plain", "x"),
        attachment("Content-Type: text/plain", b"Content-Disposition: " + line),
    )

    assert read_mail(raw).files == (MailPart(name, "text/plain", PNG),)


@pytest.mark.parametrize(
    ("written", "media_type"),
    [
        (b"Image/PNG", "image/png"),
        (b"image/png ; x=y", "image/png"),
        (b"application/vnd.ms-excel.sheet+x", "application/vnd.ms-excel.sheet+x"),
        (b"image/\xff", "application/octet-stream"),
        (b"image/\r\n png", "application/octet-stream"),
        (b"image/" + b"x" * 999, "application/octet-stream"),
        (b"image/png\0", "application/octet-stream"),
        # RFC 2045: what says nothing usable is plain text.
        (b"image", "text/plain"),
        (b"", "text/plain"),
    ],
)
def test_a_media_type_can_stand_in_an_http_header(written, media_type):
    raw = attachment(b"Content-Type: " + written, "Content-Disposition: attachment; filename=a")

    assert read_mail(raw).files == (MailPart("a", media_type, PNG),)


def test_an_inline_image_is_a_file():
    raw = multipart(
        "related",
        text_part("text/html", '<img src="cid:1">look'),
        attachment("Content-Type: image/png", "Content-ID: <1>", "Content-Disposition: inline"),
    )

    assert read_mail(raw).text == "look"
    assert read_mail(raw).files == (MailPart("part-1", "image/png", PNG, content_id="1"),)


def test_a_mail_inside_the_mail_is_a_file_and_none_of_its_words_are_the_senders():
    inner = mail("From: other@example.com", "Subject: old", "", "I never said this.")
    raw = multipart(
        "mixed",
        text_part("text/plain", "see below"),
        mail("Content-Type: message/rfc822", "", inner),
    )

    found = read_mail(raw)

    assert found.text == "see below"
    (file,) = found.files
    assert (file.name, file.media_type) == ("old.eml", "message/rfc822")
    assert read_mail(file.content).text == "I never said this."


def test_a_delivery_report_is_kept():
    raw = multipart(
        "report; report-type=delivery-status",
        text_part("text/plain", "Undelivered"),
        mail(
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns; mx.example.com",
            "",
            "Final-Recipient: rfc822; lin@example.com",
            "Status: 5.1.1",
            "",
        ),
    )

    (file,) = read_mail(raw).files

    assert (file.name, file.media_type) == ("part-1", "message/delivery-status")
    assert b"Reporting-MTA: dns; mx.example.com" in file.content
    assert b"Status: 5.1.1" in file.content


def test_a_winmail_is_kept_as_it_is():
    raw = attachment(
        "Content-Type: application/ms-tnef; name=winmail.dat", content=b"\x78\x9f\x3e\x22"
    )

    found = read_mail(raw)

    assert found.files == (MailPart("winmail.dat", "application/ms-tnef", b"\x78\x9f\x3e\x22"),)


@pytest.mark.parametrize(
    ("encoding", "content", "decoded"),
    [
        ("base64", b"####", b""),
        ("base64", b"aGk", b"hi"),
        ("quoted-printable", b"=ZZ=", b"=ZZ"),
        ("x-uuencode", b"begin 666 a\n#86)C\n`\nend\n", b"abc"),
        ("x-uuencode", b"no uuencode", b"no uuencode"),
        ("of next year", b"as is", b"as is"),
    ],
)
def test_a_broken_encoding_keeps_what_there_is(encoding, content, decoded):
    raw = mail(
        "Content-Type: application/octet-stream",
        f"Content-Transfer-Encoding: {encoding}",
        "",
        content,
    )

    assert read_mail(raw).files[0].content == decoded


# More than text


def test_the_html_of_a_mail_is_a_page_without_scripts():
    raw = multipart(
        "alternative",
        text_part("text/plain", "Hi"),
        text_part("text/html", '<p onclick="x">Hi<script>x</script><img src="cid:1"></p>'),
    )

    found = read_mail(raw)

    assert found.text == "Hi"
    assert (found.page.name, found.page.media_type) == ("message.html", "text/html")
    assert b'<body><p>Hi<img src="cid:1"></p></body>' in found.page.content
    assert found.kept_files == (found.page,)


def test_a_quotation_in_html_is_marked():
    raw = text_part(
        "text/html", "Yes<blockquote>Is it <p>17?<blockquote>A1</blockquote></blockquote>"
    )

    assert read_mail(raw).text == "Yes\n> Is it\n> 17?\n> > A1"


def test_an_invitation_is_a_line_and_a_file():
    invitation = mail("BEGIN:VEVENT", "SUMMARY:Refund", "DTSTART:20261123T100000Z", "END:VEVENT")
    raw = multipart(
        "alternative",
        text_part("text/plain", "Please come"),
        text_part("text/calendar; method=REQUEST", invitation),
    )

    found = read_mail(raw)

    assert found.text == (
        "Please come\n\n日程邀请 Invitation: Refund · 时间 when: 2026-11-23 10:00 UTC"
    )
    assert [(file.name, file.media_type) for file in found.files] == [
        ("invite.ics", "text/calendar")
    ]


# Bounds


def test_a_text_too_long_for_a_record_is_whole_in_a_file():
    raw = mail("Content-Type: text/plain; charset=utf-8", "", "订单\r\n" * 150_000)

    found = read_mail(raw)

    assert found.text == "订单\n" * 66_666 + "订单"
    assert found.notes == (TEXT_CUT,)
    assert found.files == (
        MailPart("message-0.txt", "text/plain", ("订单\r\n" * 150_000).encode()),
    )


def test_of_many_parts_the_first_hundred_are_read():
    found = read_mail(multipart("mixed", *(text_part("text/plain", str(n)) for n in range(10_000))))

    assert found.text == "\n\n".join(map(str, range(100)))
    assert found.notes == (PARTS_LEFT,)


def test_what_lies_too_deep_is_kept_closed():
    raw = b"deep inside"
    for level in range(1_000):
        head = f'Content-Type: multipart/mixed; boundary="b{level}"'
        raw = mail(head, "", f"--b{level}", raw, f"--b{level}--")

    found = read_mail(raw)

    assert found.notes == (PARTS_LEFT,)
    (file,) = found.files
    assert b"deep inside" in file.content


def test_of_a_mail_larger_than_any_the_beginning_is_read():
    head = mail("From: lin@example.com", "Subject: big", "", "words", "")

    found = read_mail(head + b"x" * LARGEST_MAIL)

    assert (found.subject, found.senders) == ("big", (("", "lin@example.com"),))
    assert found.text.startswith("words\n")
    assert found.notes == (SIZE_CUT, TEXT_CUT)


def test_headers_without_end_do_not_hide_the_mail():
    found = read_mail(b"From: lin@example.com\r\n" + b"X: y\r\n" * 300_000 + b"\r\nwords")

    assert (found.senders, found.text) == ((("", "lin@example.com"),), "words")
    assert found.notes == (PARTS_LEFT,)


# What programs break


def test_a_line_that_is_no_header_costs_no_header_after_it():
    raw = mail("From: lin@example.com", "somebody's program wrote this", "Subject: order", "", "hi")

    found = read_mail(raw)

    assert (found.subject, found.text) == ("order", "hi")


def test_a_mailbox_line_on_top_is_no_header():
    raw = mail("From lin@example.com  Mon Nov 23 05:24:33 2026", "Subject: order", "", "hi")

    assert (read_mail(raw).subject, read_mail(raw).text) == ("order", "hi")


def test_line_ends_of_old_macs_are_line_ends():
    found = read_mail(b"Subject: order\rFrom: lin@example.com\r\rhi\rthere")

    assert (found.subject, found.text) == ("order", "hi\nthere")


def test_accents_without_a_charset_are_not_taken_for_chinese():
    raw = mail("Content-Type: text/plain", "", "für die Grüße".encode("latin-1"))

    assert read_mail(raw).text == "für die Grüße"


def test_a_mail_inside_a_mail_is_kept_byte_for_byte():
    inner = b"Subject: =?utf-8?b?6K6i5Y2V?=\n\nFrom the\r\n\xff \n"
    raw = multipart(
        "mixed", text_part("text/plain", "x"), b"Content-Type: message/rfc822\r\n\r\n" + inner
    )

    assert read_mail(raw).files == (MailPart("订单.eml", "message/rfc822", inner),)


def test_base64_in_pieces_is_read_as_far_as_it_goes():
    raw = mail("Content-Type: a/b", "Content-Transfer-Encoding: base64", "", "aGk=dGhlcmU=", "!A")

    assert read_mail(raw).files[0].content == b"hithere"
