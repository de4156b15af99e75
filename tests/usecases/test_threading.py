"""Which case a message joins, on a stored world: closed and several open cases, races, attacks."""

from dataclasses import replace
from datetime import timedelta

import boto3
import pytest

from caseweave.domain.case import CaseState
from caseweave.domain.clocks import ClockKind
from caseweave.domain.event import Actor, EventKind, begin_change
from caseweave.domain.identity import Proof
from caseweave.domain.message import Channel, Delivery, DeliveryState, Purpose, Remark
from caseweave.domain.outbound import make_outbound
from caseweave.domain.threading import Rule
from caseweave.domain.tokens import issue_reply_token
from caseweave.storage import cases
from caseweave.storage.case_links import list_links
from caseweave.storage.open_cases import (
    move_open_cases,
    put_open_cases,
    read_open_cases,
    read_own_open_cases,
)
from caseweave.storage.outbox import outbox_key, settle_message
from caseweave.storage.transaction import Transaction
from tests.usecases.conftest import KEYS
from tests.usecases.test_intake import signed_in, unproven_mail
from tests.usecases.test_open_cases import close
from tests.usecases.test_router import route
from tests.usecases.world import (
    NOON,
    at_once,
    crash_at_call,
    email,
    message,
    platform,
    proven,
    receive,
    sms,
    telegram,
)

PHONE, OTHER = "+8613800138000", "+14155550100"
AGENT = Actor("agent", "ling")
DAY = timedelta(days=1)


def form(name, event, user="u-1001", body="see the form", **more):
    senders = proven(platform(user), proof=Proof.LOGIN)
    return message(Channel.WEB, "form", senders, body, event, fields={"form": name}, **more)


def mail(event, address="lin@example.com", body="见附件", **more):
    sender = proven(email(address), proof=Proof.DMARC)
    context = {"message_id": f"<{event}@example.com>", "address": address}
    return message(Channel.EMAIL, "ses", sender, body, event, context=context, **more)


def tg(event, body="在吗", user="7", **more):
    return message(Channel.MESSENGER, "telegram", proven(telegram(user)), body, event, **more)


def joined(landed):
    """The rule and the reason that stand in the message's own event."""
    events = cases.read_file(landed.case_id).events
    (told,) = [e.data["joined"] for e in events if e.data.get("message_id") == landed.message_id]
    return told["rule"], told["because"]


def listed(landed):
    return read_open_cases(cases.read_head(landed.case_id).customer_id)


def kinds(case_id):
    return [event.kind for event in cases.read_file(case_id).events]


# Several open cases


def test_a_form_about_another_matter_opens_a_case_beside_the_first_and_names_it(table, door):
    first = receive(form("topup", "W1"), door)
    second = receive(form("dispute", "W2"), door)

    assert second.case_id != first.case_id
    assert joined(second) == (Rule.NEW, "no case about dispute is open")
    opened = cases.read_file(second.case_id).events[0]
    assert opened.data["relatives"] == [first.case_id]
    assert [case.topic for case in listed(first).cases] == ["topup_fault", "dispute"]


def test_a_form_about_the_same_matter_joins_its_case(table, door):
    first = receive(form("topup", "W1"), door)
    receive(form("dispute", "W2"), door)
    third = receive(form("topup", "W3"), door, NOON + timedelta(hours=1))

    assert third.case_id == first.case_id
    assert joined(third) == (Rule.TOPIC, "the only open case about topup_fault")


def test_a_form_joins_the_case_that_triage_found_to_be_about_the_same(table, door, desk):
    first = receive(form("contact", "W1", body="充值没到账"), door)
    route(first, desk)

    assert receive(form("topup", "W2"), door).case_id == first.case_id


def test_a_word_that_fits_several_cases_joins_the_one_that_was_last_active(table, door):
    receive(signed_in("W1"), door)
    dispute = receive(form("dispute", "W2"), door, NOON + timedelta(minutes=1))

    later = receive(mail("M1"), door, NOON + timedelta(minutes=9))

    assert later.case_id == dispute.case_id
    assert joined(later)[0] == Rule.TOPIC


def test_the_latest_word_counts_although_the_record_does_not_know_it(table, door):
    topup = receive(signed_in("W1"), door)
    by_sms = receive(sms(PHONE, "还没到", "SM1"), door, NOON + timedelta(minutes=1))
    dispute = receive(form("dispute", "W2"), door, NOON + timedelta(minutes=2))
    receive(sms(PHONE, "在吗", "SM2"), door, NOON + timedelta(minutes=3))
    assert (by_sms.case_id, dispute.case_id != topup.case_id) == (topup.case_id, True)

    later = receive(mail("M1"), door, NOON + timedelta(minutes=9))

    assert later.case_id == topup.case_id
    assert joined(later) == (
        Rule.TOPIC,
        "the last active of 2 open cases, none of which is named",
    )


def test_a_conversation_goes_on_in_its_case_whatever_else_was_opened(table, door):
    first = receive(signed_in("W1"), door)
    receive(sms(PHONE, "还没到", "SM1"), door)
    receive(form("dispute", "W2"), door, NOON + timedelta(minutes=1))

    later = receive(sms(PHONE, "在吗", "SM2"), door, NOON + timedelta(hours=2))

    assert later.case_id == first.case_id
    because = "the sender's last message went here 2h before; by sms a conversation lasts 1d"
    assert joined(later) == (Rule.CONVERSATION, because)


def test_an_order_number_leads_to_the_case_that_names_it(table, door):
    receive(form("topup", "W1", body="订单 TP20261123-0042 没到账"), door)
    dispute = receive(form("dispute", "W2", body="TP20261123-0099 重复扣款"), door)
    receive(form("card", "W3"), door)

    later = receive(form("contact", "W4", body="TP20261123-0099 怎么样了"), door)

    assert later.case_id == dispute.case_id
    assert joined(later) == (Rule.ENTITY, "it names the same order or card")


def test_a_card_number_leads_to_its_case_and_stands_in_no_record_of_ours(table, door, dump):
    card = "4111 1111 1111 1111"
    first = receive(form("dispute", "W1", body=f"card {card}"), door)
    receive(form("topup", "W2"), door)

    later = receive(form("contact", "W3", body=f"again {card}"), door)

    assert later.case_id == first.case_id
    said = [one for one in dump() if one["kind"]["S"] not in ("message", "ledger", "case")]
    assert "4111" not in str(said)


def test_an_answer_to_a_mail_of_a_case_joins_that_case(table, door):
    first = receive(mail("M1"), door)
    receive(signed_in("W1", address="lin@example.com"), door)
    dispute = receive(form("dispute", "W2"), door)
    assert dispute.case_id != first.case_id

    later = receive(mail("M2", references=("<other@x.org>", "<M1@example.com>")), door)

    assert later.case_id == first.case_id
    assert joined(later) == (Rule.REPLY, "it answers a message of this case")


def send(case_id, provider_id, at=NOON):
    """A message of ours in the case, as its provider took it."""
    case = cases.read_head(case_id)
    reply = make_outbound(case, Channel.MESSENGER, "hi", Purpose.REPLY, str(AGENT), at, "01REPLY")
    change = begin_change(case).add_message(EventKind.MESSAGE_QUEUED, AGENT, reply)
    cases.commit_change(change)
    taken = Delivery(DeliveryState.ACCEPTED, at, provider_id)
    settle_message(outbox_key(reply), taken, AGENT)


def test_a_messengers_reply_to_our_message_joins_its_case(table, door, desk):
    old = receive(tg("T1"), door)
    send(old.case_id, "7.42")
    close(old.case_id, desk, NOON)
    new = receive(tg("T2"), door, NOON + 40 * DAY)
    assert new.case_id != old.case_id

    later = receive(tg("T3", context={"reply_to": "7.42"}), door, NOON + 40 * DAY)

    assert joined(later)[0] == Rule.FOLLOW_UP


def test_steady_state_of_every_strong_rule_is_two_reads_and_one_transaction(table, door):
    first = receive(mail("M1"), door)
    receive(sms(PHONE), door)
    token = issue_reply_token(first.case_id, "lin@example.com", KEYS)
    for again in (
        sms(PHONE, "again", "SM2"),
        mail("M2", reply_tokens=(token,)),
        mail("M3", references=("<M1@example.com>",)),
        mail("M4"),
    ):
        with crash_at_call(0, after=False) as calls:
            receive(again, door)
        assert calls == ["BatchGetItem", "BatchGetItem", "TransactWriteItems"]


# Closed cases


def test_a_word_after_closing_opens_the_case_again_with_a_due_time(table, door, desk):
    first = receive(tg("T1", "充值没到账"), door)
    route(first, desk)
    close(first.case_id, desk, NOON + timedelta(hours=1))

    again = receive(tg("T2"), door, NOON + timedelta(hours=2))

    case = cases.read_head(first.case_id)
    assert (again.case_id, case.state) == (first.case_id, CaseState.OPEN)
    assert (case.team, case.due_at) == ("frontline", NOON + timedelta(hours=2, minutes=10))
    assert [one.id for one in listed(again).open] == [case.id]
    assert kinds(case.id)[-2:] == [EventKind.STATE_CHANGED, EventKind.MESSAGE_RECEIVED]
    assert joined(again)[1].endswith("; closed 1h before, opened again within 7d")


def test_the_router_then_gives_it_the_promises_of_its_policy(table, door, desk):
    first = receive(tg("T1", "充值没到账"), door)
    route(first, desk)
    close(first.case_id, desk, NOON + timedelta(hours=1))
    again = receive(tg("T2"), door, NOON + timedelta(hours=2))

    route(again, desk)

    clocks = [one for one in cases.read_head(first.case_id).clocks if one.is_running]
    told = [(one.kind, one.policy, one.started_at) for one in clocks]
    assert told == [
        (ClockKind.NEXT_REPLY, "fault", NOON + timedelta(hours=2)),
        (ClockKind.OUTCOME, "fault", NOON + timedelta(hours=2)),
    ]
    assert route(again, desk).is_empty


def test_one_that_was_closed_untriaged_is_triaged_when_it_is_opened_again(table, door, desk):
    first = receive(tg("T1", "充值没到账"), door)
    close(first.case_id, desk, NOON)
    again = receive(tg("T2", "充值没到账"), door, NOON + timedelta(hours=2))

    route(again, desk)

    case = cases.read_head(first.case_id)
    assert case.category == "topup_fault"
    running = {one.started_at for one in case.clocks if one.is_running}
    assert running == {NOON + timedelta(hours=2)}


@pytest.mark.parametrize(
    ("after", "is_reopened"), [(7 * DAY, True), (7 * DAY + timedelta(milliseconds=1), False)]
)
def test_the_window_ends_exactly_when_the_policy_says(table, door, desk, after, is_reopened):
    first = receive(mail("M1", body="hello"), door)
    close(first.case_id, desk, NOON)

    again = receive(mail("M2", references=("<M1@example.com>",)), door, NOON + after)

    assert (again.case_id == first.case_id) == is_reopened


def test_after_it_a_new_case_goes_on_and_both_say_so(table, door, desk):
    first = receive(mail("M1"), door)
    close(first.case_id, desk, NOON)
    at = NOON + 30 * DAY

    again = receive(mail("M2", references=("<M1@example.com>",)), door, at)
    more = receive(mail("M3", references=("<M1@example.com>",)), door, at)

    assert again.case_id != first.case_id
    assert more.case_id == again.case_id
    assert joined(again)[0] == Rule.FOLLOW_UP
    events = {one: cases.read_file(one).events for one in (first.case_id, again.case_id)}
    told = [e.data for one in events.values() for e in one if e.kind is EventKind.CASE_FOLLOWS]
    assert told == [
        {"kind": "followed-by", "case_id": again.case_id, "ref": again.ref},
        {"kind": "follows", "case_id": first.case_id, "ref": first.ref},
    ]
    assert [(one.kind, one.other_id) for one in list_links(again.case_id)] == [
        ("follows", first.case_id)
    ]
    assert [one.other_id for one in list_links(first.case_id)] == [again.case_id]
    assert not cases.read_head(first.case_id).is_active


def test_a_case_that_nobody_names_stays_closed(table, door, desk):
    first = receive(mail("M1"), door)
    close(first.case_id, desk, NOON)

    again = receive(mail("M2"), door, NOON + timedelta(hours=1))

    assert again.case_id != first.case_id
    assert joined(again) == (Rule.NEW, "no case is open")
    assert cases.read_file(again.case_id).events[0].data["relatives"] == [first.case_id]


def test_a_machines_answer_to_a_closed_case_stays_there_and_wakes_nobody(table, door, desk):
    first = receive(mail("M1"), door)
    close(first.case_id, desk, NOON)
    away = mail("M2", references=("<M1@example.com>",), is_automatic=True)

    landed = receive(away, door, NOON + timedelta(minutes=1))

    case = cases.read_head(first.case_id)
    assert (landed.case_id, case.state, case.due_at) == (first.case_id, CaseState.CLOSED, None)
    assert route(landed, desk).is_empty


@pytest.mark.parametrize("kind", [Remark.DELETION, Remark.REACTION])
def test_a_remark_opens_no_closed_case(table, door, desk, kind):
    first = receive(tg("T1"), door)
    close(first.case_id, desk, NOON)

    told = receive(tg("T2", remark=kind, about="T1", is_automatic=True), door)

    assert told.case_id == ""
    assert not cases.read_head(first.case_id).is_active


# Merged cases and merged customers


def test_every_name_of_a_merged_case_leads_to_the_one_that_took_it_in(table, door):
    kept = receive(form("topup", "W1", session_case_id=""), door)
    gone = receive(form("dispute", "W2"), door)
    by_mail = receive(replace(mail("M1"), session_case_id=gone.case_id), door)
    assert by_mail.case_id == gone.case_id
    merge(gone.case_id, kept.case_id)

    at = NOON + timedelta(minutes=5)
    by_hint = receive(mail("M2", references=("<M1@example.com>",)), door, at)
    by_session = receive(form("dispute", "W3", session_case_id=gone.case_id), door, at)

    assert (by_hint.case_id, by_session.case_id) == (kept.case_id, kept.case_id)


def merge(source_id, target_id):
    source, target = cases.read_head(source_id), cases.read_head(target_id)
    change = set_state_closed(source)
    into = replace(change.after, merged_into=target.id, merged_seq=target.seq)
    cases.commit_change(replace(change, after=into))


def set_state_closed(case):
    noted = begin_change(case).record(EventKind.CASE_MERGED, AGENT, NOON, {"into": "x"})
    return replace(noted, after=replace(noted.after, state=CaseState.CLOSED, clocks=()))


def test_a_merged_customers_message_joins_the_familys_case_and_checks_that_it_is_one(table, door):
    ours, theirs = receive(sms(PHONE), door), receive(sms(OTHER, event="SM2"), door)
    write = Transaction()
    source, target = listed(theirs), listed(ours)
    move_open_cases(write, source, target)
    write.commit()
    named = sms(OTHER, "again", "SM3", session_case_id=ours.case_id)

    landed = receive(named, door)

    assert landed.case_id == ours.case_id
    head = cases.read_head(ours.case_id)
    (kept,) = [m for m in cases.read_file(ours.case_id).messages if m.id == landed.message_id]
    assert kept.customer_id == source.owner != head.customer_id
    assert read_own_open_cases(source.owner).moved_to == target.owner


def test_a_merged_customer_costs_one_read_more_until_it_was_noted_where_its_cases_are(table, door):
    ours, theirs = receive(sms(PHONE), door), receive(sms(OTHER, event="SM2"), door)
    write = Transaction()
    move_open_cases(write, listed(theirs), listed(ours))
    write.commit()
    transaction = ["TransactWriteItems"]

    for number, reads in ((3, 3), (4, 2), (5, 2)):
        with crash_at_call(0, after=False) as calls:
            landed = receive(sms(OTHER, "again", f"SM{number}"), door)
        assert calls == ["BatchGetItem"] * reads + transaction
        assert landed.case_id == theirs.case_id


def test_a_note_of_where_a_merged_customers_cases_were_proves_nothing_once_they_are_parted(
    table, door
):
    ours, theirs = receive(sms(PHONE), door), receive(sms(OTHER, event="SM2"), door)
    before, target = listed(theirs), listed(ours)
    write = Transaction()
    move_open_cases(write, before, target)
    write.commit()
    receive(sms(OTHER, "again", "SM3"), door)
    write = Transaction()
    put_open_cases(write, replace(before, version=read_own_open_cases(before.owner).version))
    put_open_cases(write, replace(target, version=read_own_open_cases(target.owner).version))
    write.commit()

    later = sms(OTHER, "again", "SM4", session_case_id=ours.case_id)
    landed = receive(later, door, NOON + 2 * DAY)

    assert landed.case_id == theirs.case_id


# At once


def test_many_first_messages_about_several_matters_make_one_case_each(table, door):
    receive(form("contact", "W0"), door, NOON - 400 * DAY)
    topics = ["topup", "dispute", "card", "settlement"]

    landed = at_once(lambda n: receive(form(topics[n % 4], f"W1{n}"), door))

    places = {topics[n % 4]: one.case_id for n, one in enumerate(landed)}
    assert len(set(places.values())) == 4
    assert [one.case_id for one in landed] == [places[topics[n % 4]] for n in range(16)]
    assert sum(len(cases.read_file(one).messages) for one in set(places.values())) == 16
    by_topic = {case.topic: case.id for case in listed(landed[0]).open if case.topic}
    assert by_topic == {
        "topup_fault": places["topup"],
        "dispute": places["dispute"],
        "card_fault": places["card"],
        "settlement": places["settlement"],
    }


def test_many_first_messages_about_one_matter_make_one_case(table, door):
    landed = at_once(lambda n: receive(form("topup", f"W1{n}"), door))

    (case_id,) = {one.case_id for one in landed}
    assert len(cases.read_file(case_id).messages) == 16


def test_many_words_at_once_open_a_closed_case_again_once(table, door, desk):
    first = receive(tg("T0"), door)
    close(first.case_id, desk, NOON)

    landed = at_once(lambda n: receive(tg(f"T1{n}"), door, NOON + timedelta(minutes=n)), 8)

    assert {one.case_id for one in landed} == {first.case_id}
    assert kinds(first.case_id).count(EventKind.STATE_CHANGED) == 2


def test_closing_while_words_come_leaves_every_one_in_a_case_that_is_owed_an_answer(
    table, door, desk
):
    first = receive(tg("T0"), door)

    def work(number):
        if number % 4 == 3:
            return close(first.case_id, desk, NOON + timedelta(minutes=1)) or first
        return receive(tg(f"T1{number}"), door, NOON + timedelta(minutes=1))

    at_once(work, 8)

    file = cases.read_file(first.case_id)
    assert len(file.messages) == 7
    last_word = max(message.seq for message in file.messages)
    assert file.case.is_active == (file.case.state_seq < last_word)
    assert [case.id for case in listed(first).open] == [first.case_id] * file.case.is_active
    assert (file.case.due_at is not None) == file.case.is_active


# Attacks: each ends in a case of its own or with a suggestion, and nothing of the victim's is told


def victim(door):
    landed = receive(signed_in(), door)
    return landed, cases.read_head(landed.case_id)


def suggestions(landed):
    events = cases.read_file(landed.case_id).events
    return [e.private | e.data for e in events if e.kind is EventKind.CUSTOMER_SUGGESTED]


def assert_apart(landed, target):
    """In a case of its own, of which the victim's has no trace, nor it of the victim's record."""
    assert landed.case_id != target.id
    assert cases.read_head(landed.case_id).customer_id != target.customer_id
    assert cases.read_head(target.id).version == target.version
    opened = cases.read_file(landed.case_id).events[0]
    assert "relatives" not in opened.data
    assert joined(landed) == (Rule.NEW, "no case is open")


def test_attack_a_guessed_case_reference_in_the_subject(table, door):
    _, target = victim(door)
    guess = mail("M9", "mallory@evil.example", f"Re: {target.ref}", subject=f"[{target.ref}]")

    assert_apart(receive(guess, door), target)


def test_attack_the_reply_token_of_another_case_sent_from_a_known_address(table, door):
    _, target = victim(door)
    own = receive(mail("M1", "mallory@evil.example"), door)
    token = issue_reply_token(target.id, "lin@example.com", KEYS)

    landed = receive(mail("M2", "mallory@evil.example", reply_tokens=(token,)), door)

    assert landed.case_id == own.case_id
    assert cases.read_head(target.id).version == target.version


def test_attack_the_reply_token_of_another_case_sent_by_a_stranger(table, door):
    _, target = victim(door)
    token = issue_reply_token(target.id, "lin@example.com", KEYS)

    assert_apart(receive(unproven_mail("M9", "mallory@evil.example", token), door), target)


def test_attack_a_token_that_bounced_and_comes_back_long_after_closing(table, door, desk):
    first = receive(unproven_mail("M1", "bob@example.net"), door)
    token = issue_reply_token(first.case_id, "bob@example.net", KEYS)
    close(first.case_id, desk, NOON)
    target = cases.read_head(first.case_id)

    late = receive(unproven_mail("M2", "bob@example.net", token), door, NOON + 8 * DAY)

    assert_apart(late, target)


def test_a_token_that_comes_back_soon_after_closing_is_its_owners(table, door, desk):
    first = receive(unproven_mail("M1", "bob@example.net"), door)
    token = issue_reply_token(first.case_id, "bob@example.net", KEYS)
    close(first.case_id, desk, NOON)

    soon = receive(unproven_mail("M2", "bob@example.net", token), door, NOON + 7 * DAY)

    assert soon.case_id == first.case_id
    assert joined(soon)[0] == Rule.REFERENCE


def test_attack_a_forged_in_reply_to(table, door):
    first = receive(mail("M1"), door)
    target = cases.read_head(first.case_id)
    forged = replace(unproven_mail("M9", "lin@example.com"), references=("<M1@example.com>",))

    landed = receive(forged, door)

    assert_apart(landed, target)
    assert [one["reason"] for one in suggestions(landed)]


def test_attack_a_forged_in_reply_to_from_a_customer_of_ours(table, door):
    first = receive(mail("M1"), door)
    target = cases.read_head(first.case_id)
    own = receive(mail("M2", "mallory@evil.example"), door)

    landed = receive(mail("M3", "mallory@evil.example", references=("<M1@example.com>",)), door)

    assert landed.case_id == own.case_id
    assert joined(landed)[0] == Rule.TOPIC
    assert cases.read_head(target.id).version == target.version


def test_attack_anothers_order_number(table, door):
    first = receive(form("topup", "W1", body="TP20261123-0042"), door)
    target = cases.read_head(first.case_id)

    assert_apart(receive(sms(OTHER, "TP20261123-0042 给我", "SM9"), door), target)


def test_attack_a_messengers_reply_to_a_message_that_went_to_somebody_else(table, door):
    first = receive(tg("T1"), door)
    send(first.case_id, "7.42")
    target = cases.read_head(first.case_id)

    stolen = tg("T9", user="666", context={"reply_to": "7.42"})

    assert_apart(receive(stolen, door), target)


def test_no_reason_and_no_record_of_the_rules_says_anything_personal(table, door, dump):
    receive(signed_in(), door)
    receive(sms(PHONE, "TP20261123-0042", "SM1"), door)
    landed = receive(mail("M1", body="TP20261123-0042"), door)

    told = [one for one in dump() if one["kind"]["S"] == "open_cases"]
    assert joined(landed)[0] == Rule.ENTITY
    for secret in (PHONE, "lin@example.com", "u-1001", "TP20261123-0042"):
        assert secret not in str(told)
        assert secret not in str(joined(landed))


# Records that say different things: the head of a case is right


def list_as(landed, **more):
    """The record says something else of the case than its head does."""
    known = listed(landed)
    write = Transaction()
    wrong = replace(known.find(landed.case_id), **more)
    put_open_cases(write, known.note(wrong, at=NOON))
    write.commit()


def delete_case(table, case_id):
    key = {"pk": {"S": f"CASE#{case_id}"}, "sk": {"S": "CASE"}}
    boto3.client("dynamodb").delete_item(TableName=table, Key=key)


def test_a_case_that_is_listed_as_open_and_is_closed_is_opened_again(table, door, desk):
    first = receive(tg("T1"), door)
    close(first.case_id, desk, NOON)
    list_as(first, closed_at=None)

    again = receive(tg("T2"), door, NOON + timedelta(minutes=1))

    assert again.case_id == first.case_id
    assert cases.read_head(first.case_id).state is CaseState.OPEN
    assert [case.id for case in listed(again).open] == [first.case_id]


def test_a_case_that_is_listed_as_closed_and_is_open_is_joined(table, door):
    first = receive(tg("T1"), door)
    list_as(first, closed_at=NOON)

    again = receive(tg("T2"), door, NOON + timedelta(minutes=1))

    assert again.case_id == first.case_id
    assert EventKind.STATE_CHANGED not in kinds(first.case_id)


@pytest.mark.parametrize("closes", [True, False])
def test_a_case_that_is_gone_is_listed_no_more(table, door, desk, closes):
    first = receive(tg("T1"), door)
    if closes:
        close(first.case_id, desk, NOON)
    customer = cases.read_head(first.case_id).customer_id
    delete_case(table, first.case_id)

    again = receive(tg("T2"), door, NOON + timedelta(minutes=1))

    assert again.case_id != first.case_id
    assert joined(again) == (Rule.NEW, "no case is open")
    assert [case.id for case in read_open_cases(customer).cases] == [again.case_id]


def test_an_erased_case_is_not_opened_again(table, door, desk):
    first = receive(tg("T1"), door)
    close(first.case_id, desk, NOON)
    case = cases.read_head(first.case_id)
    noted = begin_change(case).record(EventKind.NOTE_ADDED, AGENT, NOON, {})
    cases.commit_change(replace(noted, after=replace(noted.after, seal="")))

    again = receive(tg("T2"), door, NOON + timedelta(minutes=1))

    assert again.case_id != first.case_id
    assert joined(again) == (Rule.NEW, "no case is open")
