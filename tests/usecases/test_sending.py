"""Sending, as far as it gets without a provider."""

from caseweave.channels.request import Refusal
from caseweave.sending import send_message
from caseweave.storage.outbox import outbox_key
from tests.usecases.conftest import KEYS
from tests.usecases.test_router import acknowledgements, route
from tests.usecases.world import NOON, receive, sms


def test_without_the_providers_account_a_message_certainly_did_not_leave(table, door, desk):
    landed = receive(sms("+8613800138000"), door)
    route(landed, desk)
    (reply,) = acknowledgements(landed.case_id)

    refused = send_message(reply, outbox_key(reply), "/nobody/here", "", "support@x", KEYS, NOON)

    assert refused.kind is Refusal.TRANSIENT
    assert "/nobody/here/providers/twilio" in refused.detail
