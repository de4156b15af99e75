"""What else a message names: amounts, phones, mail addresses, error codes, references, names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.domain.amounts import find_amounts
from caseweave.domain.identity import Proof, ProvenAddress, Sender
from caseweave.domain.mentions import find_named, find_names, find_phones
from caseweave.domain.reference import make_reference
from caseweave.domain.search_rules import SearchRules
from caseweave.domain.triage import find_entities
from tests.domain.samples import DESK, PHONE, message

KEY = b"k" * 32
RULES = SearchRules(
    order_numbers=(re.compile(r"\bTX-[0-9]{8,12}\b"),),
    error_codes=(re.compile(r"\bE[0-9]{4}\b"),),
    country_code="86",
    local_phone=re.compile(r"(?<![A-Za-z0-9])1[3-9][0-9]{9}(?![A-Za-z0-9])"),
)
REF = make_reference(b"12345")


def named(body, **fields):
    return list(find_named(message(body, "2026-11-23 09:00", **fields), RULES))


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("充了100元没到", ["CNY 100.00"]),
        ("¥ 99.5", ["CNY 99.50"]),
        ("¥1,234.56", ["CNY 1234.56"]),
        ("1,234 CNY", ["CNY 1234.00"]),
        ("RMB500", ["CNY 500.00"]),
        ("转了2万元", ["CNY 20000.00"]),
        ("50块钱", ["CNY 50.00"]),
        ("9.99美元", ["USD 9.99"]),
        ("$9.99", ["USD 9.99"]),
        ("US$ 9.99", ["USD 9.99"]),
        ("usd 5", ["USD 5.00"]),
        ("30 USDT", ["USDT 30.00"]),
        ("HK$80", ["HKD 80.00"]),
        ("100 and 200", []),
        ("GT20261123001元", []),
        ("order 12元 and 13 元", ["CNY 12.00", "CNY 13.00"]),
    ],
)
def test_amounts_are_found_however_they_are_written(text, amounts):
    assert list(find_amounts(text)) == amounts


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("打 +86 138 0013 8000", [("phone", "+8613800138000")]),
        ("我的手机13800138000", [("phone", "+8613800138000")]),
        ("order 138001380001", []),
        ("错误码:1042", [("error_code", "1042")]),
        ("Error code E1042!", [("error_code", "E1042"), ("error_code", "E1042")]),
        ("看到 e1042 了", []),
        ("TX-20261123", [("order_no", "TX-20261123")]),
        ("write to Ling@Shop.Example.", [("email", "ling@shop.example")]),
        (f"see {REF.lower()}", [("reference", REF)]),
        ("see C-0000-0001", []),
        ("￥１００", [("amount", "CNY 100.00")]),
    ],
)
def test_what_a_text_names_is_found_in_one_form(body, found):
    assert named(body) == found


def test_a_contact_form_names_its_phone_and_mail():
    fields = {"phone": "13800138000", "email": "Ling@shop.example"}

    assert named("hello", fields=fields) == [
        ("phone", "+8613800138000"),
        ("email", "ling@shop.example"),
    ]


def test_an_address_that_a_mail_only_claims_can_be_looked_up():
    unproven = Sender((ProvenAddress(PHONE, Proof.NONE),))
    said = message(
        "hello", "2026-11-23 09:00", sender=unproven, context={"address": "x@bank.example"}
    )

    assert list(find_named(said, RULES)) == [("email", "x@bank.example")]


def test_a_card_is_only_ever_a_digest():
    said = message("卡号 4111 1111 1111 1111 卡密 AB12-CD34-EF56", "2026-11-23 09:00")

    found = find_entities(said, DESK, KEY)

    assert [kind for kind, _ in found] == ["card", "card"]
    assert "4111" not in str(found)
    assert "AB12" not in str(found)
    assert found != find_entities(said, DESK, b"another key")


def test_what_is_too_long_for_a_key_is_no_entity():
    assert find_entities(message("A" + "1" * 3000, "2026-11-23 09:00"), DESK, KEY) == ()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("  Zhou  MIN ", ("zhou min", "zhou", "min")),
        ("周敏", ("周敏",)),
        ("", ()),
        ("   ", ()),
        ("Ｌｉｎｇ", ("ling",)),
    ],
)
def test_a_person_is_found_by_the_whole_name_and_by_each_word(name, found):
    assert find_names(name) == found


@given(st.text(max_size=300))
def test_no_text_breaks_it_and_what_it_names_is_bounded(body):
    found = find_entities(message(body, "2026-11-23 09:00"), DESK, KEY)

    assert len(found) <= 24
    assert all(0 < len(value) <= 128 for _, value in found)


@pytest.mark.parametrize(
    "hostile",
    ["1," * 9000, "+1" + " 1" * 9000, "a@" * 9000, "a." * 9000, "C-" * 9000, "1元" * 9000],
)
def test_a_hostile_text_names_little_and_soon(hostile):
    assert len(find_entities(message(hostile, "2026-11-23 09:00"), DESK, KEY)) <= 24


def test_numbers_of_no_country_are_nobodys():
    assert list(find_phones("13800138000", SearchRules())) == []
