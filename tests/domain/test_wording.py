from dataclasses import replace

from caseweave.domain.wording import PLACEHOLDERS, Wording, fill_text
from tests.domain.samples import opened

CASE, _ = opened("hello there")
FULL = Wording(telegram_link="https://t.me/bot", notice="Slow.", code="123456")


def test_every_placeholder_is_filled():
    text = "\n".join(f"{name}=${name}" for name in PLACEHOLDERS)
    assert fill_text(text, CASE, FULL) == (
        "reference=C-7K3F-9Q2M\ntelegram_link=https://t.me/bot\nnotice=Slow.\ncode=123456"
    )


def test_a_line_without_its_value_vanishes_whole():
    text = "Case $reference.\nGo on: $telegram_link\nBye.\n"
    assert fill_text(text, CASE, Wording()) == "Case C-7K3F-9Q2M.\nBye."


def test_braces_are_a_placeholder_too():
    assert fill_text("a ${reference}b\nc ${notice}d", CASE, Wording()) == "a C-7K3F-9Q2Mb"


def test_a_longer_name_is_not_mistaken_for_a_placeholder():
    assert fill_text("see $noticeboard", CASE, Wording()) == "see $noticeboard"


def test_what_a_value_says_is_not_filled_again():
    assert fill_text("$notice", CASE, Wording(notice="pay $reference")) == "pay $reference"


def test_a_dollar_sign_is_written_twice_or_left_alone():
    assert fill_text("$$5 or $5 or 5$", CASE, FULL) == "$5 or $5 or 5$"


def test_a_text_of_absent_things_only_is_empty():
    assert fill_text("$notice\n$telegram_link", CASE, Wording()) == ""


def test_a_case_without_a_reference_loses_the_line_that_names_it():
    assert fill_text("Hello.\n$reference", replace(CASE, ref=""), FULL) == "Hello."
