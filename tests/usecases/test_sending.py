"""Sending, as far as it gets without a provider."""

from caseweave.channels.request import Refusal
from caseweave.sending import Files, Outlet
from caseweave.storage.outbox import outbox_key
from tests.usecases.conftest import KEYS
from tests.usecases.test_router import acknowledgements, route
from tests.usecases.world import NOON, receive, sms

FILES = Files(
    sign_url=lambda file: f"https://bucket/{file.digest}",
    make_link=lambda file: f"https://desk/{file.digest}",
    read=lambda file: file.digest.encode(),
)


def test_without_the_providers_account_a_message_certainly_did_not_leave(table, door, desk):
    landed = receive(sms("+8613800138000"), door)
    route(landed, desk)
    (reply,) = acknowledgements(landed.case_id)

    out = Outlet("/nobody/here", "", "support@x", KEYS, FILES, NOON)
    (part,) = out.plan(reply)

    refused = out.send(reply, part, outbox_key(reply))

    assert refused.kind is Refusal.TRANSIENT
    assert "/nobody/here/providers/twilio" in refused.detail
