"""Bounces, delays and complaints, in the formats and in the words that mail systems use."""

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseweave.channels import ses
from caseweave.channels.mail_reading import MailPart, read_mail
from caseweave.channels.mail_reports import find_sent_ids, read_report
from caseweave.domain.message import DeliveryState, InboundMessage, MailReport, MailTrace
from caseweave.domain.tokens import find_traces

TOKEN = "a2" * 21
MESSAGE_ID = "01JDMESSAGE000000000000000"
SENT_ID = "0102018f5a2b3c4d-1a2b3c4d-0000-1111-2222-333344445555-000000"
RETURNED = (
    "From: Support <support@desk.example>",
    "To: lin@example.com",
    f"Message-ID: <{SENT_ID}@eu-west-1.amazonses.com>",
    f"References: <m1@example.com> <{TOKEN}.{MESSAGE_ID}@desk.example>",
    "Subject: Re: order",
)


def parse(*lines):
    (event,), files = ses.parse("\r\n".join(lines).encode(), "s3objectid")
    return event, files


def dsn(*status, returned=RETURNED, kind="text/rfc822-headers", report="delivery-status"):
    return parse(
        "Return-Path: <>",
        "From: MAILER-DAEMON@mx.example.com",
        "Message-ID: <dsn1@mx.example.com>",
        "Subject: Undelivered Mail",
        f'Content-Type: multipart/report; report-type="{report}"; boundary="b"',
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        "I'm sorry to have to inform you.",
        "--b",
        f"Content-Type: message/{report}",
        "",
        *status,
        "--b",
        f"Content-Type: {kind}",
        "",
        *returned,
        "",
        "--b--",
    )


def status(action="failed", code="5.1.1", diagnostic="smtp; 550 5.1.1 no such user"):
    return (
        "Reporting-MTA: dns; mx.example.com",
        "",
        "Final-Recipient: rfc822; Lin@Example.com",
        f"Action: {action}",
        f"Status: {code}",
        f"Diagnostic-Code: {diagnostic}",
    )


@pytest.mark.parametrize("kind", ["text/rfc822-headers", "message/rfc822"])
def test_a_delivery_status_names_our_mail_and_why_it_failed(kind):
    report, files = dsn(*status(), kind=kind)

    assert report == MailReport(
        provider="ses",
        account="",
        event_id=report.event_id,
        traces=(MailTrace(TOKEN, MESSAGE_ID),),
        sent_ids=(SENT_ID,),
        recipients=report.recipients,
        state=DeliveryState.FAILED,
        detail="smtp; 550 5.1.1 no such user",
    )
    assert report.event_id.startswith("<dsn1@mx.example.com> ")
    assert "lin@example.com" in report.recipients
    # The raw mail is kept; no message mentions its parts.
    assert files == ()


@pytest.mark.parametrize(
    ("action", "code", "state"),
    [
        ("failed", "5.1.1", DeliveryState.FAILED),
        # Tried for days, and given up.
        ("failed", "4.4.7", DeliveryState.FAILED),
        ("FAILED", "5.0.0", DeliveryState.FAILED),
        ("delayed", "4.4.1", None),
        ("delayed", "5.4.1", None),
        ("relayed", "2.1.5", None),
        ("expanded", "2.1.5", None),
        ("delivered", "2.1.5", DeliveryState.DELIVERED),
        ("perhaps", "4.2.2", None),
        ("perhaps", "5.2.2", DeliveryState.FAILED),
    ],
)
def test_only_what_was_given_up_has_failed(action, code, state):
    report, _ = dsn(*status(action, code, "smtp; no"))

    assert (report.state, report.detail) == (state, f"{code} smtp; no")


def test_of_several_recipients_the_failed_one_is_told():
    delivered = status("delivered", "2.1.5")[2:]
    report, _ = dsn(*delivered, "", *status()[2:])

    assert report.state is DeliveryState.FAILED


@pytest.mark.parametrize(
    ("kind", "state"),
    [("abuse", DeliveryState.COMPLAINED), ("fraud", DeliveryState.COMPLAINED), ("not-spam", None)],
)
def test_a_complaint_is_told_as_one(kind, state):
    report, _ = dsn(f"Feedback-Type: {kind}", "User-Agent: x/1", report="feedback-report")

    assert (report.state, report.detail) == (state, f"complaint: {kind}")
    assert report.traces == (MailTrace(TOKEN, MESSAGE_ID),)


FREE_FORM = {
    "qmail": (
        "failure notice",
        "Hi. This is the qmail-send program at example.com.",
        "I wasn't able to deliver your message to the following addresses.",
        "<lin@example.com>:",
        "Remote host said: 550 5.7.1 access denied",
        "--- Below this line is a copy of the message.",
    ),
    "exchange": (
        "Undeliverable: Re: order",
        "Your message did not reach some or all of the intended recipients.",
        "lin@example.com on 23.11.2026 13:24",
        "The e-mail account does not exist. <mx.example.com #5.1.1>",
    ),
    "chinese": (
        "系统退信/Systems bounce",
        "抱歉,您的邮件被退回来了,收件人 lin@example.com 不存在。",
        "host mx.example.com said: 550 5.1.1 Mailbox not found",
    ),
}


@pytest.mark.parametrize("kind", FREE_FORM)
def test_a_bounce_in_mere_words_is_one(kind):
    subject, *words = FREE_FORM[kind]
    report, _ = parse("From: postmaster@mx.example.com", f"Subject: {subject}", "", *words, "",
                      *RETURNED)  # fmt: skip

    assert report.state is DeliveryState.FAILED
    assert report.traces == (MailTrace(TOKEN, MESSAGE_ID),)
    assert "lin@example.com" in report.recipients
    assert "5." in report.detail


def test_a_warning_in_mere_words_fails_nothing():
    report, _ = parse(
        "From: Mail Delivery System <MAILER-DAEMON@mx.example.com>",
        "Subject: Warning: message delayed 24 hours",
        "",
        "You do not need to resend your message. 451 4.4.1 try later",
        *RETURNED,
    )

    assert report.state is None


def test_failed_recipients_of_exim_are_found():
    report, _ = parse("From: mailer-daemon@x.example", "X-Failed-Recipients: Lin@example.com", "",
                      "hi")  # fmt: skip

    assert report.recipients[0] == "lin@example.com"


NO_REPORTS = {
    "a customer who writes of a failed delivery": (
        "From: lin@example.com",
        "Subject: delivery failure of my order",
        "",
        "it was undeliverable, 550 5.1.1",
    ),
    "a customer who forwards a bounce": (
        "From: lin@example.com",
        'Content-Type: multipart/mixed; boundary="b"',
        "",
        "--b",
        "",
        "what does this mean?",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        *status(),
        "--b--",
    ),
    "an absence note": (
        "Return-Path: <>",
        "From: lin@example.com",
        "Auto-Submitted: auto-replied",
        "Subject: Away until May",
        "",
        "I am away.",
    ),
    "a read receipt": (
        "From: lin@example.com",
        "Return-Path: <>",
        'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"',
        "Subject: Delivery report: read",
        "",
        "--b",
        "",
        "read",
        "--b--",
    ),
    "a report without a report": (
        "From: lin@example.com",
        "Content-Type: multipart/report; boundary=b",
        "",
        "hi",
    ),
}


@pytest.mark.parametrize("lines", NO_REPORTS.values(), ids=NO_REPORTS)
def test_what_people_write_is_a_message(lines):
    message, _ = parse(*lines)

    assert isinstance(message, InboundMessage)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"<{TOKEN}.{MESSAGE_ID}@desk.example>", (MailTrace(TOKEN, MESSAGE_ID),)),
        (f"&lt;{TOKEN.upper()}.{MESSAGE_ID.lower()}@x", (MailTrace(TOKEN, MESSAGE_ID),)),
        (f"<{TOKEN}2.{MESSAGE_ID}@desk.example>", ()),
        (f"<{TOKEN[1:]}.{MESSAGE_ID}@desk.example>", ()),
        (f"<{TOKEN}.{MESSAGE_ID}0@desk.example>", ()),
        (f"<{TOKEN}.{MESSAGE_ID}>", ()),
    ],
)
def test_only_whole_ids_of_ours_are_traces(text, found):
    assert find_traces(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"<{SENT_ID}@eu-west-1.amazonses.com>", (SENT_ID,)),
        (f"<{SENT_ID}@amazonses.com>", (SENT_ID,)),
        (f"<{SENT_ID}@amazonses.com.evil.example>", (SENT_ID,)),
        (f"<{SENT_ID}@evilamazonses.com>", ()),
        (f"<{SENT_ID}@example.com>", ()),
    ],
)
def test_ids_of_ses_are_found(text, found):
    assert find_sent_ids(text) == found


WORDS = st.sampled_from([*RETURNED, *status(), "", "--b", "--b--", "Content-Type: text/plain"])


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS | st.text(max_size=20), max_size=30))
def test_any_report_is_read_within_bounds(lines):
    report, _ = dsn(*lines)

    if isinstance(report, MailReport):
        assert len(report.detail) <= 400
        assert len(report.traces) <= 5
        assert len(report.recipients) <= 20
        report.detail.encode()


@pytest.mark.parametrize("piece", ["a2", "a2.", "a@", "<a@b> ", "4.4.4", "will ", "\n\n", "x: y\n"])
def test_a_megabyte_of_anything_is_read_in_time(piece):
    text = piece * (1_000_000 // len(piece))
    mail = read_mail(b"Return-Path: <>\r\nSubject: failure notice\r\n\r\n")
    kinds = ("message/delivery-status", "text/rfc822-headers", "message/feedback-report")
    files = tuple(MailPart("part", kind, text.encode()) for kind in kinds)

    started = time.process_time()
    report = read_report("ses", replace(mail, text=text, files=files), "1")

    assert isinstance(report, MailReport)
    assert time.process_time() - started < 2
