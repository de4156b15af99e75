from dataclasses import replace

import pytest

from caseweave.domain.case import Priority
from caseweave.domain.desk import Playbook
from caseweave.domain.triage import Finding, find_entities, needs_triage, triage_message
from tests.domain.samples import DESK, FAULT, QUESTION, SECURITY, at, message, opened

KEY = b"k" * 32


def triage(body, **fields):
    return triage_message(message(body, "2026-11-23 09:00", **fields), DESK)


def shows(sign: str, body: str) -> bool:
    book = Playbook("x", "t", Priority.LOW, "fault", signs=(sign,))
    desk = replace(DESK, playbooks=(book,))
    return triage_message(message(body, "2026-11-23 09:00"), desk).playbook is book


@pytest.mark.parametrize(
    ("sign", "body", "is_shown"),
    [
        ("card", "My card is broken", True),
        ("card", "CARD!", True),
        ("Card", "card", True),
        ("card", "Do not discard it", False),
        ("card", "cards", False),
        ("card", "card2", False),
        ("card", "2card", False),
        ("card", "充card了", True),
        ("card", "my_card", True),
        ("not arrived", "has not arrived.", True),
        ("not arrived", "has not\r\n  arrived", True),
        ("not arrived", "not yet arrived", False),
        ("top-up", "the top-up failed", True),
        ("top-up", "desktop-upgrade", False),
        ("没到账", "我充的钱没到账啊", True),
        ("没到账", "没 到账", False),
        ("c++", "c++ is fine", True),
        ("a.b", "axb", False),
        ("Straße", "STRASSE", True),
    ],
)
def test_latin_signs_match_whole_words_and_chinese_ones_anywhere(sign, body, is_shown):
    assert shows(sign, body) is is_shown


def test_the_subject_counts_like_the_body():
    assert triage("see above", subject="Hacked!") == Finding(SECURITY, ("hacked",))


def test_a_phrase_does_not_reach_from_the_subject_into_the_body():
    assert triage("arrived", subject="not") == Finding(QUESTION, ())


def test_the_most_signs_win():
    assert triage("充值没到账,还被盗号") == Finding(FAULT, ("没到账", "充值"))


def test_the_upper_playbook_wins_a_tie():
    assert triage("充值,盗号") == Finding(FAULT, ("充值",))


def test_without_a_sign_it_is_the_fallback():
    assert triage("hello") == Finding(QUESTION, ())


def test_the_form_decides_over_any_sign():
    assert triage("充值没到账", fields={"form": "account"}) == Finding(SECURITY, ("form account",))


def test_an_unknown_form_leaves_it_to_the_signs():
    assert triage("充值", fields={"form": "contact"}) == Finding(FAULT, ("充值",))


@pytest.mark.parametrize(
    ("body", "numbers"),
    [
        ("Order GT20261123-0001 please", ["GT20261123-0001"]),
        ("我的订单GT20261123001没到账", ["GT20261123001"]),
        ("GT20261123-0001,GT20261123-0002。", ["GT20261123-0001", "GT20261123-0002"]),
        ("GT20261123 again GT20261123", ["GT20261123"]),
        ("phone 13800138000", []),
        ("gt20261123", []),
        ("XXGTABC20261123", []),
        ("GT12345", []),
    ],
)
def test_order_numbers_are_found_in_text_of_both_languages(body, numbers):
    found = find_entities(message(body, "2026-11-23 09:00"), DESK, KEY)
    assert found == tuple(("order_no", number) for number in numbers)


def test_products_are_found_by_the_names_customers_use():
    found = find_entities(message("钱包 and the game top-up", "2026-11-23 09:00"), DESK, KEY)
    assert found == (("product", "wallet"), ("product", "game-topup"))


def test_fields_of_a_form_name_entities_and_nothing_is_named_twice():
    fields = {
        "order_no": "GT20261123",
        "product": "wallet",
        "error_code": "E42",
        "phone": "1",
        "form": "topup",
    }
    found = find_entities(
        message("GT20261123, my wallet", "2026-11-23 09:00", fields=fields), DESK, KEY
    )
    assert found == (("order_no", "GT20261123"), ("product", "wallet"), ("error_code", "E42"))


def test_a_case_needs_triage_until_it_has_a_category():
    case, said = opened("hello")
    assert needs_triage(case, said, DESK)
    later = replace(case, category="question", updated_at=at("2026-11-23 09:01"))
    assert not needs_triage(later, said, DESK)
