"""What SES tells of our mails settles them, whenever it comes."""

import pytest

from caseweave.channels.ses_events import encode_key
from caseweave.domain.message import DeliveryState
from caseweave.mail_receipts import receive_receipt
from caseweave.storage import ledger
from caseweave.storage.outbox import claim_message, outbox_key, read_outbound
from tests.usecases.test_mail_rules import LIN, SENT_ID, Mailbox, automatic_answers
from tests.usecases.world import NOON, YEAR


@pytest.fixture
def queued(table, door, desk):
    """The key of an acknowledgement that waits to be sent."""
    mailbox = Mailbox(door, desk)
    mailbox.write(LIN)
    mailbox.route()
    (message,) = automatic_answers(mailbox)
    return outbox_key(message)


def event(kind, key=None, number=1, sent_id=SENT_ID, **about):
    tags = {"outbox-key": [encode_key(str(key))]} if key else {}
    mail = {"messageId": sent_id, "tags": tags}
    return {"id": f"e-{number}", "detail": {"eventType": kind, "mail": mail, **about}}


@pytest.fixture
def tell(door):
    return lambda told: receive_receipt(told, lambda: door, YEAR, NOON)


def state(key):
    return read_outbound(key).delivery.state


def test_a_receipt_that_overtakes_our_own_record_is_not_lost(queued, tell):
    claim_message(queued, NOON)

    assert tell(event("Delivery", queued)) == 1

    assert state(queued) is DeliveryState.DELIVERED
    # From now on a receipt without our tag is understood too.
    tell(event("Bounce", number=2, bounce={"bounceType": "Permanent"}))
    assert state(queued) is DeliveryState.FAILED


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 0, 2, 1)])
def test_events_in_any_order_come_to_the_same_end(queued, tell, order):
    events = [
        event("Delivery", queued, 1),
        event("Bounce", queued, 2, bounce={"bounceType": "Permanent"}),
        event("DeliveryDelay", queued, 3, deliveryDelay={"delayType": "MailboxFull"}),
    ]
    for number in order:
        tell(events[number])

    assert state(queued) is DeliveryState.FAILED


def test_a_repeated_event_changes_nothing(queued, tell, dump):
    tell(event("Complaint", queued, complaint={"complaintFeedbackType": "abuse"}))
    assert state(queued) is DeliveryState.COMPLAINED
    before = dump()

    assert tell(event("Complaint", queued)) == 0
    assert dump() == before


def test_an_event_of_no_mail_of_ours_settles_nothing(queued, tell):
    tell(event("Bounce", "no~such~message", bounce={"bounceType": "Permanent"}))
    tell(event("Bounce", number=2, sent_id="0000000000000000-unknown"))

    assert state(queued) is DeliveryState.QUEUED


def test_an_event_that_nobody_understands_is_quarantined(table, tell):
    tell({"id": "e-1", "detail": {}})

    (entry,) = ledger.list_quarantined(10)
    assert entry.reason == "an event of SES without id, eventType or mail.messageId"
