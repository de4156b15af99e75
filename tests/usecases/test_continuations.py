"""An answer that nobody fetched goes on by a proven address, once; to nobody else's."""

from contextlib import suppress
from datetime import timedelta

import pytest

from caseweave.continuations import sweep_unread
from caseweave.domain.event import Actor
from caseweave.domain.evidence import find_broken_link
from caseweave.domain.identity import Proof
from caseweave.domain.media import Links
from caseweave.domain.message import Channel, Delivery, DeliveryState
from caseweave.domain.replying import reply_to_customer
from caseweave.domain.tokens import issue_session_token
from caseweave.domain.web_rules import Continuing
from caseweave.errors import CaseweaveError
from caseweave.storage import cases
from caseweave.storage.outbox import outbox_key, settle_message
from caseweave.web_answers import list_web_messages
from tests.domain.samples import link
from tests.usecases.conftest import KEYS
from tests.usecases.world import (
    NOON,
    crash_at_call,
    email,
    message,
    phone,
    platform,
    proven,
    receive,
    sms,
    unproven,
)

RULES = Continuing(timedelta(minutes=5), (Channel.EMAIL, Channel.SMS), "twilio")
LATER = NOON + timedelta(minutes=6)
AGENT = Actor("agent", "li")
ANSWER_ID = "01M83GCF7RAANB4D2G2492XWPD"


def no_links(_attachment):
    return Links()


def write(door, *addresses, claims=(), event="W1"):
    """A message on the web of who is proven by these; anonymous if there are none."""
    senders = proven(*addresses, proof=Proof.LOGIN) or proven(unproven("form.1"), proof=Proof.NONE)
    web = message(Channel.WEB, "form", senders, "没到账", event, claims)
    return receive(web, door)


def answer(case_id, state=DeliveryState.ACCEPTED):
    """An agent's answer on the web, in this state since noon."""
    case = cases.read_head(case_id)
    change = reply_to_customer(case, "已补发", Channel.WEB, AGENT, NOON, ANSWER_ID)
    cases.commit_change(change)
    settle_message(outbox_key(change.messages[0]), Delivery(state, NOON, ANSWER_ID), AGENT)


def continued(case_id):
    return [m for m in cases.list_messages(case_id)[0] if "continues" in m.fields]


def test_it_goes_on_by_the_mail_address_that_the_sign_in_vouches_for(table, door):
    landed = write(door, platform("u-1"), email("lin@example.com"), phone("+8613800138000"))
    answer(landed.case_id)

    assert sweep_unread(RULES, LATER) == 1

    (copy,) = continued(landed.case_id)
    assert (copy.channel, copy.body, copy.author) == (Channel.EMAIL, "已补发", "agent:li")
    assert copy.contact is not None
    assert copy.contact.address == email("lin@example.com")
    assert copy.fields["continues"] == ANSWER_ID
    assert copy.delivery == Delivery(DeliveryState.QUEUED, LATER)
    (original,) = [m for m in cases.list_messages(landed.case_id)[0] if m.id == ANSWER_ID]
    assert original.fields["continued_by"] == copy.id


def test_it_goes_on_as_the_customer_last_wrote_from_there(table, door):
    text = receive(sms("+8613800138000"), door)
    write(door, platform("u-1"), phone("+8613800138000"))
    answer(text.case_id)

    assert sweep_unread(RULES, LATER) == 1

    (copy,) = continued(text.case_id)
    assert copy.contact is not None
    assert (copy.channel, copy.contact.account) == (Channel.SMS, "account")


def test_a_phone_that_never_wrote_is_reached_by_the_provider_of_the_rules(table, door):
    landed = write(door, platform("u-1"), phone("+8613800138000"))
    answer(landed.case_id)
    sweep_unread(RULES, LATER)

    (copy,) = continued(landed.case_id)
    assert (copy.channel, copy.provider) == (Channel.SMS, "twilio")


def test_never_by_an_address_that_was_only_typed(table, door):
    known = write(door, platform("u-9"), email("victim@example.com"), event="W9")
    claims = (email("victim@example.com"), phone("+8613800138000"))
    landed = write(door, claims=claims)
    answer(landed.case_id)

    assert sweep_unread(RULES, LATER) == 0

    assert continued(landed.case_id) == continued(known.case_id) == []


def test_what_cannot_go_on_is_not_looked_at_again(table, door):
    landed = write(door)
    answer(landed.case_id)
    sweep_unread(RULES, LATER)
    before = cases.list_messages(landed.case_id)[0]

    with crash_at_call(0, after=False) as calls:
        assert sweep_unread(RULES, LATER) == 0

    assert set(calls) == {"Query"}
    assert len(calls) == 4
    assert cases.list_messages(landed.case_id)[0] == before


@pytest.mark.parametrize(
    ("state", "now"),
    [
        (DeliveryState.ACCEPTED, NOON + timedelta(minutes=4)),
        (DeliveryState.DELIVERED, LATER),
        (DeliveryState.FAILED, LATER),
    ],
)
def test_what_is_young_or_read_or_failed_stays_where_it_is(table, door, state, now):
    landed = write(door, platform("u-1"), email("lin@example.com"))
    answer(landed.case_id, state)

    assert sweep_unread(RULES, now) == 0


def test_reading_it_in_time_keeps_it_on_the_page(table, door):
    landed = write(door, platform("u-1"), email("lin@example.com"))
    answer(landed.case_id)
    session = issue_session_token(landed.case_id, LATER + timedelta(days=1), KEYS)
    page = list_web_messages(session, "", KEYS, no_links, NOON + timedelta(minutes=1))

    assert [one["body"] for one in page.body["items"]] == ["没到账", "已补发"]
    assert sweep_unread(RULES, LATER) == 0


def test_twice_at_once_or_after_reading_it_is_still_one(table, door):
    landed = write(door, platform("u-1"), email("lin@example.com"))
    answer(landed.case_id)

    assert [sweep_unread(RULES, LATER), sweep_unread(RULES, LATER)] == [1, 0]
    session = issue_session_token(landed.case_id, LATER + timedelta(days=1), KEYS)
    list_web_messages(session, "", KEYS, no_links, LATER)
    assert sweep_unread(RULES, LATER + timedelta(days=1)) == 0
    assert len(continued(landed.case_id)) == 1
    file = cases.read_file(landed.case_id)
    links = [link(e) for e in file.events]
    assert find_broken_link(links) is None


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 10))
def test_dying_anywhere_leaves_one_copy_in_the_end(table, door, number, after):
    landed = write(door, platform("u-1"), email("lin@example.com"))
    answer(landed.case_id)
    with crash_at_call(number, after=after), suppress(CaseweaveError):
        sweep_unread(RULES, LATER)

    sweep_unread(RULES, LATER)

    assert len(continued(landed.case_id)) == 1
