from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.domain.calendars import ALWAYS
from caseweave.domain.case import Case, CaseState
from caseweave.domain.clocks import ClockKind, start_clock
from caseweave.domain.event import Actor, EventKind
from caseweave.domain.identity import Proof, ProvenAddress, Suggestion
from caseweave.domain.message import Attachment, Channel, Contact, Direction, Message
from caseweave.domain.opening import (
    UNTRIAGED,
    NewCase,
    append_message,
    cut_text,
    keep_message,
    note_links,
    open_case,
    summarise,
)
from tests.domain.samples import (
    CASE_ID,
    CUSTOMER_ID,
    PHONE,
    SEAL,
    at,
    inbound,
    is_chained,
    message,
    opened,
    told,
    wrote,
)

RECEIVED = at("2026-11-23 09:00")


def test_everything_a_message_says_is_kept():
    photo = Attachment("receipt.png", "image/png", 10)
    kept = keep_message(
        inbound(
            "没到账",
            occurred_at=at("2026-11-23 08:59"),
            subject="充值",
            attachments=(photo,),
            context={"chat": "1"},
            fields={"order_no": "GT20261123"},
            is_automatic=True,
            quoted="\n> 何时到账？",
            page_digest="a1",
        ),
        "C1",
        "U1",
        "M1",
        RECEIVED,
    )
    assert kept == Message(
        id="M1",
        case_id="C1",
        customer_id="U1",
        direction=Direction.INBOUND,
        channel=Channel.SMS,
        provider="twilio",
        author="phone:+8613800138000",
        body="没到账",
        occurred_at=at("2026-11-23 08:59"),
        received_at=RECEIVED,
        provider_id="SM1",
        subject="充值",
        proof=Proof.PROVIDER,
        is_automatic=True,
        attachments=(photo,),
        contact=Contact(Channel.SMS, "twilio", "AC1", PHONE, RECEIVED, {"chat": "1"}),
        fields={"order_no": "GT20261123"},
        quoted="\n> 何时到账？",
        page_digest="a1",
    )


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (None, "2026-11-23 09:00"),
        ("2026-11-23 09:01", "2026-11-23 09:00"),
        ("2036-01-01 00:00", "2026-11-23 09:00"),
        ("2026-11-23 08:59:59.999", "2026-11-23 08:59:59.999"),
        ("2026-11-23 08:00", "2026-11-23 08:00"),
        ("1970-01-01 00:00", "1970-01-01 00:00"),
    ],
)
def test_a_message_never_happens_after_it_was_received(told, kept):
    occurred_at = at(told) if told else None
    found = keep_message(inbound("hi", occurred_at=occurred_at), "C1", "U1", "M1", RECEIVED)
    assert found.occurred_at == at(kept)


def test_a_provider_that_tells_whole_seconds_means_the_moment_it_was_received():
    received = at("2026-11-23 09:00:07.250")
    in_it, before = (
        keep_message(inbound("hi", occurred_at=at(told)), "C1", "U1", "M1", received).occurred_at
        for told in ("2026-11-23 09:00:07", "2026-11-23 09:00:06")
    )
    assert (in_it, before) == (received, at("2026-11-23 09:00:06"))


def test_an_overlong_message_is_cut_to_what_a_record_holds():
    kept = message("字" * 100_000, "2026-11-23 09:00", subject="s" * 2000)
    assert kept.body == "字" * 66_665 + "…"
    assert kept.subject == "s" * 997 + "…"


@pytest.mark.parametrize(
    ("body", "quoted", "kept"),
    [
        ("", "字" * 100_000, "字" * 16_665 + "…"),
        ("s" * 150_004, "字" * 100_000, "字" * 16_664 + "…"),
        ("s" * 199_998, "quoted", ""),
        ("s" * 300_000, "quoted", ""),
    ],
)
def test_what_is_quoted_gets_the_room_that_the_message_leaves(body, quoted, kept):
    assert message(body, "2026-11-23 09:00", quoted=quoted).quoted == kept


def test_a_new_case_has_an_owner_a_due_time_and_a_first_link():
    kept = message("充值没到账\n订单 1", "2026-11-23 09:00")
    change = open_case(NewCase("C1", "C-7K3F-9Q2M", "frontline", SEAL), kept, "")
    assert change.before is None
    assert is_chained(change)
    assert [(e.kind, e.actor) for e in change.events] == [
        (EventKind.CASE_OPENED, Actor("customer", CUSTOMER_ID)),
        (EventKind.MESSAGE_RECEIVED, Actor("customer", CUSTOMER_ID)),
    ]
    assert change.events[0].data == {
        "ref": "C-7K3F-9Q2M",
        "customer_id": CUSTOMER_ID,
        "team": "frontline",
    }
    assert change.after == Case(
        id="C1",
        ref="C-7K3F-9Q2M",
        customer_id=CUSTOMER_ID,
        state=CaseState.NEW,
        team="frontline",
        language="zh-CN",
        opened_at=RECEIVED,
        updated_at=RECEIVED,
        subject="充值没到账 订单 1",
        channels=(Channel.SMS,),
        contacts={Channel.SMS: kept.contact},
        last_channel=Channel.SMS,
        clocks=(
            start_clock(ClockKind.FIRST_REPLY, UNTRIAGED, ALWAYS, RECEIVED),
            start_clock(ClockKind.OUTCOME, UNTRIAGED, ALWAYS, RECEIVED),
        ),
        seq=2,
        chain=change.events[1].digest,
        seal=SEAL,
        version=1,
    )
    assert change.after.due_at == at("2026-11-23 09:10")
    assert change.messages == (replace(kept, seq=2),)


def test_the_locale_decides_where_the_words_show_no_language():
    kept = message("123456", "2026-11-23 09:00")
    opened_in = [
        open_case(NewCase("C1", "R", "frontline", SEAL), kept, locale).after.language
        for locale in ("zh-CN", "zh-TW", "de-DE", "")
    ]
    assert opened_in == ["zh-CN", "zh-CN", "en", "en"]


def test_the_next_message_joins_the_case_on_its_own_channel():
    case, _ = opened("充值没到账")
    case, second = wrote(
        case, "补充", "2026-11-23 09:05", "M2", channel=Channel.EMAIL, provider="ses"
    )
    assert case.channels == (Channel.SMS, Channel.EMAIL)
    assert case.last_channel is Channel.EMAIL
    assert set(case.contacts) == {Channel.SMS, Channel.EMAIL}
    assert (case.seq, case.version, second.seq) == (3, 2, 3)
    assert case.updated_at == at("2026-11-23 09:05")


def test_a_later_message_on_a_channel_renews_the_contact():
    case, _ = opened("充值没到账", context={"chat": "1"})
    case, second = wrote(case, "补充", "2026-11-23 09:05", "M2", context={"chat": "2"})
    assert case.channels == (Channel.SMS,)
    assert case.contacts == {Channel.SMS: second.contact}


def test_a_message_that_was_received_earlier_does_not_turn_the_case_back():
    case, _ = opened("充值没到账")
    case, _ = wrote(case, "late", "2026-11-23 08:00", "M2")
    assert case.updated_at == RECEIVED


def test_suspicions_are_recorded():
    case, _ = opened("充值没到账")
    suspected = Suggestion("U2", PHONE, "claimed, not proven")
    change = append_message(case, message("hi", "2026-11-23 09:05", "M2"), [suspected])
    assert [(e.kind, str(e.actor), told(e)) for e in change.events[1:]] == [
        (
            EventKind.CUSTOMER_SUGGESTED,
            "system:intake",
            {
                "customer_id": "U2",
                "address": "phone:+8613800138000",
                "reason": "claimed, not proven",
            },
        )
    ]


def test_a_link_is_recorded_with_its_proof_and_an_unproven_one_is_none():
    change = open_case(NewCase(CASE_ID, "R", "t", SEAL), message("hi", "2026-11-23 09:00"), "")
    linked = [ProvenAddress(PHONE, Proof.SIGNED_LINK), ProvenAddress(PHONE, Proof.NONE)]
    noted = note_links(change, linked, at("2026-11-23 09:01"))
    assert [(e.kind, told(e)) for e in noted.events[2:]] == [
        (EventKind.ADDRESS_LINKED, {"address": "phone:+8613800138000", "proof": "signed_link"})
    ]
    assert is_chained(noted)


@pytest.mark.parametrize(
    ("subject", "body", "line"),
    [
        ("Top-up", "long story", "Top-up"),
        ("", " first \n\n second\tline ", "first second line"),
        ("  \n", "the body then", "the body then"),
        ("", "", ""),
        ("", "字" * 120, "字" * 120),
        ("", "字" * 121, "字" * 119 + "…"),
    ],
)
def test_a_case_is_named_by_its_subject_or_its_first_words(subject, body, line):
    assert summarise(message(body, "2026-11-23 09:00", subject=subject)) == line


@pytest.mark.parametrize(
    ("text", "longest", "cut"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "…"),
        ("abcdef", 5, "ab…"),
        ("字字字", 9, "字字字"),
        ("字字字", 8, "字…"),
        ("a\ud800b", 9, "a?b"),
    ],
)
def test_a_cut_ends_in_an_ellipsis_and_splits_no_character(text, longest, cut):
    assert cut_text(text, longest) == cut


@given(st.text(), st.integers(3, 60))
def test_a_cut_text_is_never_longer_than_asked(text, longest):
    cut = cut_text(text, longest)
    assert len(cut.encode()) <= longest
    assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1]))
