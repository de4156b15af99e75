"""What SES tells of our mails, on EventBridge."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.channels.ses_events import encode_key, parse_event
from caseweave.domain.message import DeliveryState, IgnoredEvent, Receipt
from caseweave.errors import UnparseableError

KEY = "01JDCASE000000000000000000~2026-11-23T12:00:00.000Z~01JDMESSAGE000000000000000"
SENT_ID = "0102018f5a2b3c4d-1a2b3c4d-0000-1111-2222-333344445555-000000"


def event(kind="Delivery", tags=None, **about):
    mail = {
        "messageId": SENT_ID,
        "tags": {"outbox-key": [encode_key(KEY)]} if tags is None else tags,
    }
    return {
        "id": "e-1",
        "source": "aws.ses",
        "detail-type": "Email …",
        "detail": {"eventType": kind, "mail": mail, **about},
    }


def receipt(state, error=""):
    return Receipt("ses", "", "e-1", SENT_ID, KEY, state, error)


HARD = {
    "bounceType": "Permanent",
    "bounceSubType": "General",
    "bouncedRecipients": [
        {
            "emailAddress": "lin@example.com",
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550 no such user",
        }
    ],
}
FULL = {
    "bounceType": "Transient",
    "bounceSubType": "MailboxFull",
    "bouncedRecipients": [{"action": "failed", "status": "4.2.2"}],
}
AWAY = {
    "bounceType": "Transient",
    "bounceSubType": "General",
    "bouncedRecipients": [{"emailAddress": "lin@example.com"}],
}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (event("Delivery", delivery={"smtpResponse": "250 ok"}), receipt(DeliveryState.DELIVERED)),
        (
            event("Bounce", bounce=HARD),
            receipt(
                DeliveryState.FAILED,
                "Bounce: 5.1.1 smtp; 550 no such user Permanent General",
            ),
        ),
        # SES tells of a soft one only when it has given up.
        (
            event("Bounce", bounce=FULL),
            receipt(DeliveryState.FAILED, "Bounce: 4.2.2 Transient MailboxFull"),
        ),
        (event("Bounce", bounce=AWAY), receipt(None, "Bounce: Transient General")),
        (
            event("Complaint", complaint={"complaintFeedbackType": "abuse"}),
            receipt(DeliveryState.COMPLAINED, "Complaint: abuse"),
        ),
        (
            event("Reject", reject={"reason": "Bad content"}),
            receipt(DeliveryState.FAILED, "Reject: Bad content"),
        ),
        (
            event("Rendering Failure", failure={"errorMessage": "no such attribute"}),
            receipt(DeliveryState.FAILED, "Rendering Failure: no such attribute"),
        ),
        (
            event("DeliveryDelay", deliveryDelay={"delayType": "MailboxFull"}),
            receipt(None, "DeliveryDelay: MailboxFull"),
        ),
    ],
)
def test_each_kind_of_event_is_a_receipt(told, expected):
    assert parse_event(told) == [expected]


@pytest.mark.parametrize("kind", ["Send", "Open", "Click", "Subscription"])
def test_what_settles_nothing_is_ignored_with_its_name(kind):
    reason = f"{kind} of a mail tells nothing new"
    assert parse_event(event(kind)) == [IgnoredEvent("ses", "", "e-1", reason)]


@pytest.mark.parametrize(
    "tags", [{}, {"outbox-key": []}, {"outbox-key": ["é"]}, {"outbox-key": [1]}]
)
def test_a_mail_without_our_tag_is_found_by_the_id_of_ses(tags):
    (found,) = parse_event(event(tags=tags))

    assert (found.outbox_key, found.provider_id) == ("", SENT_ID)


def test_a_tag_holds_what_ses_allows_in_one():
    assert set(encode_key(KEY)) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
    )
    assert len(encode_key(KEY)) < 256


JUNK = st.sampled_from([None, True, 7, "", "x", "\ud800", [], [None], ["x"], {}, {"status": 5}])
TOLD = {
    "bounceType": "Transient",
    "bouncedRecipients": [{"status": "5.1.1"}],
    "reason": "x",
}


@given(
    st.sampled_from(["Bounce", "Delivery", "Complaint", "Reject", "Send", "\ud800"]),
    st.dictionaries(st.sampled_from(["id", "detail"]), JUNK),
    st.dictionaries(st.sampled_from(["eventType", "mail", "bounce", "reject"]), JUNK),
    st.dictionaries(st.sampled_from(["messageId", "tags"]), JUNK),
    st.dictionaries(st.sampled_from([*TOLD]), JUNK),
)
def test_any_event_is_a_receipt_ignored_or_unparseable(kind, outer, detail, mail, about):
    told = event(kind, bounce=TOLD | about, reject=TOLD | about)
    told["detail"]["mail"] |= mail
    told["detail"] |= detail

    try:
        (found,) = parse_event(told | outer)
    except UnparseableError:
        return
    assert isinstance(found, Receipt | IgnoredEvent)
    repr(found).encode()
    found.event_id.encode()
