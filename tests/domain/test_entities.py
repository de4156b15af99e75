"""What a message names: orders and cards, and nothing that only looks like one."""

from dataclasses import replace

import pytest

from caseweave.domain.entities import MOST_REFERENCES, digest_references, find_references
from tests.domain.samples import message

KEY = b"k" * 32


def said(body, **more):
    return replace(message(body, "2026-11-23 09:00"), **more)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("订单TP20261123-0042没到账", [("order_no", "TP20261123-0042")]),
        ("card 4111 1111 1111 1111 was charged", [("card", "4111111111111111")]),
        ("4111-1111-1111-1111", [("card", "4111111111111111")]),
        ("378282246310005", [("card", "378282246310005")]),
        ("卡密 AB12-CD34-EF56 无效", [("card", "AB12CD34EF56")]),
        ("4111 1111 1111 1112", []),
        ("call +8613800138000 or 13800138000", []),
        ("WELL-DONE-GUYS", []),
        ("tp20261123-0042", []),
        ("C-7K3F-9Q2M", []),
        ("", []),
    ],
)
def test_orders_and_cards_are_found_in_the_text(body, found):
    assert find_references(said(body)) == tuple(found)


def test_a_form_names_its_order_and_each_counts_once():
    filled = said("TP20261123-0042", fields={"order_no": " TP20261123-0042 "}, subject="about it")

    assert find_references(filled) == (("order_no", "TP20261123-0042"),)


def test_what_is_only_quoted_is_not_named():
    assert find_references(said("thanks", quoted="> TP20261123-0042")) == ()


def test_a_pasted_list_is_cut():
    many = " ".join(f"TP{number:08}" for number in range(100))

    assert len(find_references(said(many))) == MOST_REFERENCES


def test_a_digest_depends_on_key_kind_and_value_and_shows_none_of_it():
    card = ("card", "4111111111111111")
    (digest,) = digest_references([card], KEY)
    others = {
        *digest_references([("order_no", card[1]), ("card", "4111111111111112")], KEY),
        *digest_references([card], b"another key"),
    }

    assert digest not in others
    assert "4111" not in digest
    assert digest_references([("card", "ab12")], KEY) == digest_references([("card", "AB12")], KEY)
