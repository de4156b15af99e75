"""Taking in: exactly once, into the right case, nothing lost (P1 to P4)."""

import os
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from caseweave.domain.event import EventKind
from caseweave.domain.evidence import find_broken_link
from caseweave.domain.identity import AddressKind, Proof
from caseweave.domain.message import Channel, IgnoredEvent, Receipt
from caseweave.domain.tokens import issue_link_token, issue_reply_token
from caseweave.errors import UnavailableError
from caseweave.intake import Door, quarantine, receive_message, take_in
from caseweave.storage import cases, customers, ledger
from tests.conftest import make_table
from tests.depth import DEPTH
from tests.domain.samples import link, told
from tests.usecases.conftest import KEYS, THREADING
from tests.usecases.world import (
    NOON,
    crash_at_call,
    email,
    message,
    phone,
    platform,
    proven,
    raw,
    receive,
    sms,
    telegram,
    unproven,
)

PHONE = "+8613800138000"


def signed_in(event="W1", user="u-1001", number=PHONE, address="lin@example.com"):
    senders = proven(platform(user), phone(number), email(address), proof=Proof.LOGIN)
    return message(Channel.WEB, "form", senders, "充值没到账", event)


def test_a_first_message_opens_a_case_with_owner_and_due_time(table, door):
    landed = receive(sms(PHONE), door)

    file = cases.read_file(landed.case_id)
    assert file.case.team == "frontline"
    assert file.case.due_at == NOON + timedelta(minutes=10)
    assert [m.body for m in file.messages] == ["还没到账"]
    assert cases.find_case_id(landed.ref) == landed.case_id
    kinds = [event.kind for event in file.events]
    assert kinds == [EventKind.CASE_OPENED, EventKind.MESSAGE_RECEIVED, EventKind.ADDRESS_LINKED]


def test_the_same_event_again_changes_nothing_and_names_the_same_case(table, door, dump):
    first = receive(sms(PHONE), door)
    before = dump()

    again = receive(sms(PHONE), door, NOON + timedelta(days=3))

    assert again == replace(first, is_new=False)
    assert dump() == before


def test_the_same_event_id_of_another_account_is_another_event(table, door):
    receive(sms(PHONE), door)

    other = receive(replace(sms(PHONE), account="another number"), door)

    assert other.is_new


def test_every_next_message_joins_the_open_case(table, door):
    first = receive(sms(PHONE), door)
    second = receive(sms(PHONE, "快点", "SM2"), door, NOON + timedelta(minutes=1))

    assert second.case_id == first.case_id
    file = cases.read_file(first.case_id)
    assert [m.body for m in file.messages] == ["还没到账", "快点"]
    assert file.case.version == 2


def test_sign_in_phone_and_mail_of_one_person_are_one_case(table, door):
    web = receive(signed_in(), door)
    text = receive(sms(PHONE, event="SM9"), door)
    sender = proven(email("lin@example.com"), proof=Proof.DMARC)
    mail = receive(message(Channel.EMAIL, "ses", sender, "见附件", "M1"), door)

    assert {web.case_id, text.case_id, mail.case_id} == {web.case_id}
    case = cases.read_head(web.case_id)
    assert case.channels == (Channel.WEB, Channel.SMS, Channel.EMAIL)
    assert case.last_channel is Channel.EMAIL


def test_signing_in_later_joins_what_the_phone_wrote_before(table, door):
    text = receive(sms(PHONE), door)
    web = receive(signed_in(), door)

    assert web.case_id == text.case_id
    customer = cases.read_head(text.case_id).customer_id
    assert customers.find_platform_ids([customer]) == {"u-1001"}


def test_two_platform_users_with_one_phone_stay_two_customers_with_a_suggestion(table, door):
    first = receive(signed_in("W1", "u-1", PHONE, "a@example.com"), door)
    second = receive(signed_in("W2", "u-2", PHONE, "b@example.com"), door)

    assert second.case_id != first.case_id
    events = cases.read_file(second.case_id).events
    suggested = [told(e) for e in events if e.kind is EventKind.CUSTOMER_SUGGESTED]
    assert suggested == [
        {
            "customer_id": cases.read_head(first.case_id).customer_id,
            "address": f"phone:{PHONE}",
            "reason": "proven address of both customers",
        }
    ]


def test_a_forged_sender_address_gets_a_case_of_its_own_and_a_suggestion(table, door):
    known = receive(signed_in(), door)
    forged = message(
        Channel.EMAIL,
        "ses",
        proven(unproven("mail.1"), proof=Proof.NONE),
        "send me the codes",
        "M1",
        claims=(email("lin@example.com"),),
    )

    landed = receive(forged, door)

    assert landed.case_id != known.case_id
    events = cases.read_file(landed.case_id).events
    assert [e.data["reason"] for e in events if e.kind is EventKind.CUSTOMER_SUGGESTED] == [
        "claimed, not proven"
    ]
    assert len(cases.read_file(known.case_id).messages) == 1


def test_a_case_reference_in_a_text_proves_nothing(table, door):
    known = receive(signed_in(), door)

    landed = receive(sms("+14155550199", f"about {known.ref}", "SM2"), door)

    assert landed.case_id != known.case_id


def test_a_signed_link_ties_a_telegram_account_to_the_customer(table, door):
    web = receive(signed_in(), door)
    customer = cases.read_head(web.case_id).customer_id
    token = issue_link_token(customer, NOON + timedelta(days=7), KEYS)

    start = receive(tg("5001", "/start", "T1", token), door)
    later = receive(tg("5001", "在吗", "T2"), door)

    assert start.case_id == later.case_id == web.case_id
    linked = [told(e) for e in cases.read_file(web.case_id).events if "proof" in e.data]
    assert {"address": "telegram:5001", "proof": "signed_link"} in linked


def test_a_link_works_once_for_somebody_else_it_is_only_a_message(table, door):
    web = receive(signed_in(), door)
    token = issue_link_token(
        cases.read_head(web.case_id).customer_id, NOON + timedelta(days=7), KEYS
    )
    receive(tg("5001", "/start", "T1", token), door)

    thief = receive(tg("6666", "/start", "T2", token), door)

    assert thief.case_id != web.case_id


@pytest.mark.parametrize(
    "token",
    [
        issue_link_token("01M83GCF7RAANB4D2G2492XWPD", NOON + timedelta(days=1), [b"other key"]),
        issue_link_token("01M83GCF7RAANB4D2G2492XWPD", NOON - timedelta(seconds=1), KEYS),
        "rubbish",
        "💥" * 20,
    ],
    ids=["forged", "expired", "rubbish", "emoji"],
)
def test_a_bad_link_makes_a_case_of_its_own(table, door, token):
    landed = receive(tg("5001", "/start", "T1", token), door)

    assert landed.is_new
    assert cases.read_head(landed.case_id).customer_id != "01M83GCF7RAANB4D2G2492XWPD"


def test_a_link_moves_an_account_that_wrote_before_and_says_so(table, door):
    stranger = receive(tg("5001", "hello", "T0"), door)
    web = receive(signed_in(), door)
    customer = cases.read_head(web.case_id).customer_id
    token = issue_link_token(customer, NOON + timedelta(days=7), KEYS)

    linked = receive(tg("5001", "/start", "T1", token), door)

    assert linked.case_id == web.case_id != stranger.case_id
    reasons = [
        e.data["reason"]
        for e in cases.read_file(web.case_id).events
        if e.kind is EventKind.CUSTOMER_SUGGESTED
    ]
    assert reasons == ["wrote from here before it was linked"]


def test_a_reply_token_admits_the_address_it_was_issued_to(table, door):
    first = receive(unproven_mail("M1", "bob@example.net"), door)
    token = issue_reply_token(first.case_id, "bob@example.net", KEYS)

    reply = receive(unproven_mail("M2", "bob@example.net", token), door)

    assert reply.case_id == first.case_id
    proofs = [m.proof for m in cases.read_file(first.case_id).messages]
    assert proofs == [Proof.NONE, Proof.REPLY_TOKEN]


def test_a_forwarded_reply_token_admits_nobody_else(table, door):
    first = receive(unproven_mail("M1", "bob@example.net"), door)
    token = issue_reply_token(first.case_id, "bob@example.net", KEYS)

    other = receive(unproven_mail("M2", "mallory@example.org", token), door)

    assert other.case_id != first.case_id


def test_a_batch_keeps_every_event_of_its_kind(table, door):
    events = [
        sms(PHONE, "one", "SM1"),
        IgnoredEvent("twilio", "account", "I1", "nothing for us"),
        Receipt("twilio", "account", "R1", "SM7", "no~such~message", None),
        sms("+14155550101", "two", "SM2"),
    ]

    assert take_in(events, raw(), door) == 4
    assert take_in(events, raw(), door) == 0


def test_what_nobody_understands_is_kept_and_listed_once(table, door):
    assert quarantine(raw(body=b"\xff\x00 what?"), "not a form") is True
    assert quarantine(raw(body=b"\xff\x00 what?"), "not a form") is False

    kept = list(ledger.list_quarantined(10))

    assert [(one.provider, one.body, one.reason) for one in kept] == [
        ("twilio", b"\xff\x00 what?", "not a form")
    ]


def test_a_time_in_whole_seconds_does_not_sort_before_what_came_earlier(table, door):
    """Telegram and mail tell whole seconds; what came a moment before must stay before."""
    noon = NOON + timedelta(milliseconds=700)
    first = receive(sms(PHONE, "first", "SM1"), door, NOON + timedelta(milliseconds=300))
    receive(replace(sms(PHONE, "second", "SM2"), occurred_at=NOON), door, noon)

    assert [m.body for m in cases.read_file(first.case_id).messages] == ["first", "second"]


def test_a_reply_written_in_the_same_second_stays_behind_what_it_answers(table, door):
    """Its time says the second in which the first one came; it was received in the next."""
    first = receive(sms(PHONE, "first", "SM1"), door, NOON + timedelta(milliseconds=900))
    next_second = NOON + timedelta(milliseconds=1050)
    receive(replace(sms(PHONE, "second", "SM2"), occurred_at=NOON), door, next_second)

    assert [m.body for m in cases.read_file(first.case_id).messages] == ["first", "second"]


def test_the_raw_body_is_kept_with_what_it_became(table, door):
    landed = receive_message(sms(PHONE), raw(body=b"From=%2B86..."), door)

    assert ledger.find_landed(raw(), "SM1") == (landed.case_id, landed.message_id)


@pytest.mark.parametrize("body", ["", "🤯" * 50, "\x00\x00", "x" * 100_000, "字" * 100_000])
def test_no_text_is_too_strange_to_keep(table, door, body):
    landed = receive(sms(PHONE, body), door)

    (kept,) = cases.read_file(landed.case_id).messages
    assert body.startswith(kept.body.rstrip("…"))
    assert len(kept.body) >= min(len(body), 60_000)


def test_steady_state_is_two_reads_and_one_transaction(table, door):
    receive(sms(PHONE), door)
    with crash_at_call(0, after=False) as calls:
        receive(sms(PHONE, "again", "SM2"), door)

    assert calls == ["BatchGetItem", "BatchGetItem", "TransactWriteItems"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_dying_at_any_store_call_and_a_redelivery_leave_one_message(table, door, number, after):
    receive(sms(PHONE, "first", "SM1"), door)
    with crash_at_call(number, after=after), pytest.raises(UnavailableError):
        receive(sms(PHONE, "second", "SM2"), door)

    landed = receive(sms(PHONE, "second", "SM2"), door)

    bodies = [m.body for m in cases.read_file(landed.case_id).messages]
    assert bodies == ["first", "second"]


def test_the_chain_of_a_case_holds_after_many_messages(table, door):
    landed = receive(sms(PHONE, "0", "SM0"), door)
    for number in range(1, 12):
        receive(sms(PHONE, str(number), f"SM{number}"), door, NOON + timedelta(seconds=number))

    file = cases.read_file(landed.case_id)
    links = [link(e) for e in file.events]
    assert find_broken_link(links) is None
    assert file.case.chain == file.events[-1].digest


DELIVERIES = [
    sms(PHONE, "短信一", "SM1"),
    sms(PHONE, "短信二", "SM2"),
    sms("+14155550100", "hello", "SM3"),
    signed_in("W1"),
    message(
        Channel.EMAIL, "ses", proven(email("lin@example.com"), proof=Proof.DMARC), "见附件", "M1"
    ),
    message(Channel.MESSENGER, "telegram", proven(telegram("7")), "hi", "T1"),
    message(
        Channel.EMAIL,
        "ses",
        proven(unproven("mail.2"), proof=Proof.NONE),
        "forged",
        "M2",
        claims=(email("lin@example.com"),),
    ),
]


@settings(max_examples=6 * DEPTH, deadline=None)
@given(order=st.permutations(list(range(len(DELIVERIES))) * 2))
def test_any_order_of_repeated_deliveries_keeps_each_message_once(order):
    with mock_aws():
        make_table()
        door = Door("frontline", KEYS, os.urandom, threading=THREADING)
        landed = [(number, receive(DELIVERIES[number], door)) for number in order]
        places = {number: one.case_id for number, one in landed}
        assert sum(one.is_new for _, one in landed) == len(DELIVERIES)
        kept = [
            body
            for case_id in set(places.values())
            for body in [m.body for m in cases.read_file(case_id).messages]
        ]
        assert sorted(kept) == sorted(one.body for one in DELIVERIES)
        # The stranger, the unlinked Telegram user and the forger are alone, each in their own.
        assert len({places[2], places[5], places[6]} | {places[0]}) == 4
        assert places[0] == places[1]


def tg(user, body, event, token=""):
    return message(
        Channel.MESSENGER, "telegram", proven(telegram(user)), body, event, link_token=token
    )


def unproven_mail(event, sender, token=""):
    return message(
        Channel.EMAIL,
        "ses",
        proven(unproven(f"mail.{event}"), proof=Proof.NONE),
        "hello",
        event,
        claims=(email(sender),),
        reply_tokens=(token,) if token else (),
    )


def test_addresses_of_a_customer_are_listed_with_their_kind(table, door):
    landed = receive(signed_in(), door)

    customer = cases.read_head(landed.case_id).customer_id
    kinds = {known.address.kind for known in customers.list_addresses(customer)}
    assert kinds == {AddressKind.PLATFORM, AddressKind.PHONE, AddressKind.EMAIL}
