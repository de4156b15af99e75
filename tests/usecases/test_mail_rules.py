"""Mail that comes back, mail that pretends, mail that machines write to each other."""

import email
import os
from dataclasses import replace
from datetime import timedelta
from email.policy import default
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from caseweave.channels import ses
from caseweave.domain.event import EventKind
from caseweave.domain.identity import Proof
from caseweave.domain.message import DeliveryState, Direction, Purpose
from caseweave.domain.replying import reply_to_customer
from caseweave.domain.times import to_rfc3339
from caseweave.domain.tokens import issue_reply_token
from caseweave.domain.ulid import derive_ulid
from caseweave.intake import Door, take_in
from caseweave.notifier import NOTIFIER
from caseweave.router import route_case
from caseweave.storage import cases, ledger
from caseweave.storage.ledger import RawInput
from caseweave.storage.outbox import outbox_key, settle_message
from tests.conftest import make_table
from tests.depth import DEPTH
from tests.usecases.conftest import KEYS, THREADING
from tests.usecases.world import NOON, YEAR

SUPPORT = "support@desk.example"
LIN, EVE = "lin@example.com", "eve@evil.example"
SENT_ID = "0102018f5a2b3c4d-1a2b3c4d-0000-1111-2222-333344445555-000000"
_numbers = count()


def list_messages(case_id):
    return cases.list_messages(case_id)[0]


@pytest.fixture
def door():
    return Door("frontline", KEYS, os.urandom, SUPPORT, THREADING)


class Mailbox:
    """Delivers mails as SES does, routes them, and sends what is queued for nobody to see."""

    def __init__(self, door, desk):
        self.door, self.desk, self.at = door, desk, NOON

    def deliver(self, *lines, dmarc="", object_id=""):
        """One mail; its verdict on top. The ids of the cases that there are now."""
        domain = next(line for line in lines if line.startswith("From:")).rpartition("@")[2]
        verdict = f"Authentication-Results: amazonses.com; dmarc={dmarc} header.from={domain}"
        content = "\r\n".join([verdict, *lines] if dmarc else lines).encode()
        object_id = object_id or f"object-{next(_numbers)}"
        self.at += timedelta(seconds=1)
        events, _ = ses.parse(content, object_id)
        raw = RawInput("ses", "", self.at, YEAR, content)
        return take_in(events, raw, self.door)

    def write(self, sender, *headers, dmarc="", body="充值没到账"):
        message_id = f"<m{next(_numbers)}@{sender.rpartition('@')[2]}>"
        self.deliver(
            f"From: {sender}", f"Message-ID: {message_id}", *headers, "", body, dmarc=dmarc
        )
        return message_id

    def route(self):
        """Everything that came in; again and again changes nothing."""
        for case_id in self.case_ids():
            for message in list_messages(case_id):
                if message.direction is Direction.INBOUND:
                    key = f"MSG#{to_rfc3339(message.occurred_at)}#{message.id}"
                    route_case(case_id, key, self.desk, "", KEYS, self.at)

    def case_ids(self):
        teams = sorted(self.desk.teams)
        page = cases.list_worklists(teams, list(cases.CaseState), 100, None)
        return sorted(case.id for case in page.items)

    def reply(self, case_id, body="We look into it.", sent_id=SENT_ID):
        """An agent's answer, accepted by SES; the message as the customer gets it."""
        message_id = derive_ulid(self.at, "reply", case_id, str(next(_numbers)))
        change = reply_to_customer(
            cases.read_head(case_id), body, None, NOTIFIER, self.at, message_id
        )
        cases.commit_change(change)
        (message,) = change.messages
        accepted = replace(message.delivery, state=DeliveryState.ACCEPTED, provider_id=sent_id)
        settle_message(outbox_key(message), accepted, NOTIFIER)
        raw = ses.compose_mail(message, SUPPORT, KEYS)
        return email.message_from_bytes(raw, policy=default)

    def bounce(self, *returned, sender="MAILER-DAEMON@mx.example.com", recipient=LIN, **told):
        """A delivery status that returns these headers."""
        told = {"action": "failed", "status": "5.1.1"} | told
        return self.deliver(
            "Return-Path: <>",
            f"From: {sender}",
            f"Message-ID: <dsn{next(_numbers)}@mx.example.com>",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
            "",
            "--b",
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns; mx.example.com",
            "",
            f"Final-Recipient: rfc822; {recipient}",
            f"Action: {told['action']}",
            f"Status: {told['status']}",
            "Diagnostic-Code: smtp; 550 no such user",
            "",
            "--b",
            "Content-Type: text/rfc822-headers",
            "",
            *returned,
            "",
            "--b--",
        )


@pytest.fixture
def mailbox(table, door, desk):
    return Mailbox(door, desk)


def delivery(case_id, purpose=Purpose.REPLY):
    (found,) = [m for m in list_messages(case_id) if m.purpose is purpose]
    return found.delivery


def quarantined():
    return [entry.reason for entry in ledger.list_quarantined(20)]


def suggestions(case_id):
    return [
        event.data
        for event in cases.read_file(case_id).events
        if event.kind is EventKind.CUSTOMER_SUGGESTED
    ]


@pytest.fixture
def answered(mailbox):
    """A case with an answer that left: its id, and the answer's own id as we signed it."""
    mailbox.write(LIN)
    (case_id,) = mailbox.case_ids()
    return case_id, str(mailbox.reply(case_id)["Message-ID"])


# Bounces


def test_a_bounce_fails_the_very_message_with_status_and_words(mailbox, answered):
    case_id, signed = answered

    assert mailbox.bounce(f"References: {signed}") == 1

    failed = delivery(case_id)
    assert (failed.state, failed.error) == (
        DeliveryState.FAILED,
        "5.1.1 smtp; 550 no such user",
    )
    assert mailbox.case_ids() == [case_id]
    assert quarantined() == []


def test_a_bounce_is_matched_by_the_id_of_ses_and_its_recipient(mailbox, answered):
    mailbox.bounce(f"Message-ID: <{SENT_ID}@eu-west-1.amazonses.com>")

    assert delivery(answered[0]).state is DeliveryState.FAILED


def test_a_bounce_after_the_delivery_to_a_forwarder_still_fails_the_message(mailbox, answered):
    case_id, signed = answered
    (message,) = [m for m in list_messages(case_id) if m.purpose is Purpose.REPLY]
    delivered = replace(message.delivery, state=DeliveryState.DELIVERED)
    settle_message(outbox_key(message), delivered, NOTIFIER)

    mailbox.bounce(f"References: {signed}")

    assert delivery(case_id).state is DeliveryState.FAILED


def test_a_bounce_that_comes_twice_changes_nothing(mailbox, answered, dump):
    lines = ("From: mailer-daemon@x.example", "Message-ID: <d@x.example>",
             "Subject: failure notice", "", f"550 5.1.1 {answered[1]}")  # fmt: skip
    assert mailbox.deliver(*lines) == 1
    before = dump()

    assert mailbox.deliver(*lines) == 0
    assert dump() == before


def test_a_delay_fails_nothing_and_opens_nothing(mailbox, answered):
    case_id, signed = answered

    mailbox.bounce(f"References: {signed}", action="delayed", status="4.4.1")

    assert delivery(case_id).state is DeliveryState.ACCEPTED
    assert mailbox.case_ids() == [case_id]
    assert quarantined() == []


def test_a_bounce_of_nothing_of_ours_is_quarantined_for_people_to_see(mailbox, door):
    mailbox.bounce("Message-ID: <x@example.com>")

    (reason,) = quarantined()
    assert reason.startswith("This report on a mail proves to be about none of ours.")
    assert "5.1.1 smtp; 550 no such user" in reason
    assert mailbox.case_ids() == []


def test_a_forged_bounce_without_our_signature_fails_nothing(mailbox, answered):
    case_id, signed = answered
    _, _, rest = signed.strip("<>").partition(".")
    forged_keys = issue_reply_token(case_id, LIN, [b"x" * 32])

    mailbox.bounce(f"References: <{forged_keys}.{rest}>", sender=EVE)

    assert delivery(case_id).state is DeliveryState.ACCEPTED
    assert len(quarantined()) == 1


def test_a_forged_bounce_with_the_token_of_another_case_fails_nothing(mailbox, answered):
    case_id, signed = answered
    mailbox.write(EVE)
    (own,) = set(mailbox.case_ids()) - {case_id}
    stolen = str(mailbox.reply(own, sent_id="another-id-of-ses-000")["Message-ID"])
    _, _, rest = signed.strip("<>").partition(".")

    mailbox.bounce(f"References: <{stolen.strip('<>').partition('.')[0]}.{rest}>")

    assert delivery(case_id).state is DeliveryState.ACCEPTED


def test_a_forged_bounce_for_another_recipient_fails_nothing(mailbox, answered):
    mailbox.bounce(f"Message-ID: <{SENT_ID}@amazonses.com>", recipient=EVE)

    assert delivery(answered[0]).state is DeliveryState.ACCEPTED
    assert len(quarantined()) == 1


# Our own mails


def test_our_own_mail_that_comes_back_is_kept_as_an_echo_and_makes_nothing(mailbox, answered):
    case_id, signed = answered
    before = len(list_messages(case_id))

    by_signature = mailbox.deliver(f"From: {SUPPORT}", f"Message-ID: {signed}", "", "hi")
    by_ses = mailbox.deliver(f"From: {SUPPORT}", f"Message-ID: <{SENT_ID}@amazonses.com>", "", "hi")

    assert (by_signature, by_ses) == (1, 1)
    assert mailbox.case_ids() == [case_id]
    assert len(list_messages(case_id)) == before


def test_a_mail_that_merely_says_it_is_ours_is_kept_as_a_message_and_not_answered(mailbox):
    mailbox.write(SUPPORT)
    mailbox.write(f"Support+x@{SUPPORT.partition('@')[2].upper()}")
    mailbox.route()

    assert len(mailbox.case_ids()) == 2
    for case_id in mailbox.case_ids():
        (message,) = list_messages(case_id)
        assert message.is_automatic


# Threads


def test_a_subject_with_somebody_elses_reference_joins_nothing(mailbox, answered):
    case_id, _ = answered
    ref = cases.read_head(case_id).ref

    mailbox.write(EVE, f"Subject: Re: your order [{ref}]", dmarc="pass")

    assert len(mailbox.case_ids()) == 2


def test_a_forged_reply_token_joins_nothing_and_suggests_nothing(mailbox, answered):
    case_id, _ = answered
    token = issue_reply_token(case_id, EVE, [b"x" * 32])

    mailbox.write(EVE, f"To: support+{token}@desk.example")

    (own,) = set(mailbox.case_ids()) - {case_id}
    assert suggestions(own) == []


@pytest.mark.parametrize("dmarc", ["pass", ""])
def test_the_token_of_another_case_joins_nothing_and_is_suggested(mailbox, answered, dmarc):
    case_id, _ = answered
    token = issue_reply_token(case_id, LIN, KEYS)

    mailbox.write(EVE, f"To: support+{token}@desk.example", dmarc=dmarc)

    (own,) = set(mailbox.case_ids()) - {case_id}
    (suggested,) = suggestions(own)
    assert suggested["case_id"] == case_id
    assert suggested["customer_id"] == cases.read_head(case_id).customer_id


@pytest.mark.parametrize("dmarc", ["pass", ""])
@pytest.mark.parametrize("known_by", ["ses", "customer"])
def test_naming_a_mail_of_another_case_joins_nothing_and_is_suggested(mailbox, dmarc, known_by):
    written = mailbox.write(LIN)
    (case_id,) = mailbox.case_ids()
    mailbox.reply(case_id)
    named = {"ses": f"<{SENT_ID}@amazonses.com>", "customer": written}[known_by]

    mailbox.write(EVE, f"In-Reply-To: {named}", dmarc=dmarc)

    (own,) = set(mailbox.case_ids()) - {case_id}
    assert [one["case_id"] for one in suggestions(own)] == [case_id]


def test_the_customers_own_thread_needs_no_suggestion(mailbox):
    first = mailbox.write(LIN, dmarc="pass")
    mailbox.write(LIN, f"References: {first}", dmarc="pass")

    (case_id,) = mailbox.case_ids()
    assert len(list_messages(case_id)) == 2
    assert suggestions(case_id) == []


def test_a_copied_message_id_does_not_take_over_the_thread(mailbox):
    written = mailbox.write(LIN, dmarc="pass")
    (case_id,) = mailbox.case_ids()

    mailbox.deliver(f"From: {EVE}", f"Message-ID: {written}", "", "mine now")
    mailbox.write("bo@example.org", f"In-Reply-To: {written}")

    named = [one["case_id"] for own in mailbox.case_ids() for one in suggestions(own)]
    assert named == [case_id]


# Machines that write to each other


def automatic_answers(mailbox):
    return [
        message
        for case_id in mailbox.case_ids()
        for message in list_messages(case_id)
        if message.purpose is Purpose.ACKNOWLEDGEMENT
    ]


def test_spam_is_kept_and_flagged_and_not_answered(mailbox):
    mailbox.deliver("X-SES-Spam-Verdict: FAIL", f"From: {LIN}", "", "充值没到账")
    mailbox.route()

    (case_id,) = mailbox.case_ids()
    (message,) = list_messages(case_id)
    assert message.fields == {"spam": "fail"}


def test_an_address_that_nobody_reads_is_not_answered_and_the_case_says_why(mailbox, dump):
    mailbox.write("No-Reply+17@shop.example")
    mailbox.route()

    (case_id,) = mailbox.case_ids()
    withheld = [e for e in cases.read_file(case_id).events if e.kind is EventKind.ANSWER_WITHHELD]
    assert [event.data["reason"] for event in withheld] == ["nobody reads that address"]
    before = dump()
    mailbox.route()
    assert dump() == before


def test_an_address_gets_so_many_automatic_answers_and_again_a_day_later(mailbox):
    for _ in range(5):
        mailbox.write(LIN)
        mailbox.route()
    assert len(automatic_answers(mailbox)) == 3

    mailbox.at += timedelta(hours=25)
    mailbox.write(LIN)
    mailbox.route()
    assert len(automatic_answers(mailbox)) == 4


ROBOT = st.fixed_dictionaries(
    {
        "dmarc": st.sampled_from(["pass", "none"]),
        "sender": st.sampled_from([LIN, LIN.upper(), f"Robot <{LIN}>"]),
        "to": st.sampled_from(["reply_to", "from"]),
        "keeps_thread": st.booleans(),
        "pause": st.sampled_from([1, 60, 3_600]),
    }
)


@settings(max_examples=8 * DEPTH, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ROBOT, min_size=1, max_size=8))
def test_two_desks_with_automatic_answers_stop_within_the_cap(desk, moods):
    """The other one answers everything, and never says that it is a machine."""
    with mock_aws():
        make_table()
        mailbox = Mailbox(Door("frontline", KEYS, os.urandom, SUPPORT, THREADING), desk)
        mailbox.write(LIN)
        seen = set()
        for mood in moods:
            mailbox.route()
            fresh = [one for one in automatic_answers(mailbox) if one.id not in seen]
            if not fresh:
                break
            for ours in fresh:
                seen.add(ours.id)
                sent = email.message_from_bytes(
                    ses.compose_mail(ours, SUPPORT, KEYS), policy=default
                )
                mailbox.at += timedelta(seconds=mood["pause"])
                to = sent["Reply-To"] if mood["to"] == "reply_to" else sent["From"]
                thread = [f"References: {sent['References']}"] if mood["keeps_thread"] else []
                mailbox.write(mood["sender"], f"To: {to}", *thread, dmarc=mood["dmarc"])
        mailbox.route()

        assert 1 <= len(automatic_answers(mailbox)) <= desk.mail_answers.at_most


def test_two_desks_of_ours_stop_after_the_first_answer(mailbox):
    mailbox.write(LIN)
    mailbox.route()
    (ours,) = automatic_answers(mailbox)

    # What this desk writes as an answer, another one of the kind takes in.
    raw = ses.compose_mail(ours, SUPPORT, KEYS).decode().split("\r\n")
    mailbox.deliver(*[line for line in raw if not line.startswith("Message-ID")])
    mailbox.route()

    assert len(automatic_answers(mailbox)) == 1


def test_the_proof_of_a_mail_is_untouched_by_what_it_names(mailbox, answered):
    case_id, signed = answered
    mailbox.write(EVE, f"References: {signed}")

    (own,) = set(mailbox.case_ids()) - {case_id}
    (message,) = list_messages(own)
    assert message.proof is Proof.NONE
