"""What of a text can be searched for, and what a search finds in it."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.domain.message import Attachment, Purpose
from caseweave.domain.terms import (
    cut_excerpt,
    is_match,
    read_text_query,
    searched_texts,
    terms_of,
)
from tests.domain.samples import message

HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1, max_size=12)
MARKS = st.sampled_from(["", "，", "。", " ", "\n", "！", "GT20261123", " card ", "100元"])
CHINESE = st.lists(st.tuples(HAN, MARKS), min_size=1, max_size=5).map(
    lambda pairs: "".join(part for pair in pairs for part in pair)
)


def said(body, **fields):
    return message(body, "2026-11-23 09:00", **fields)


def is_found(query, body, **fields):
    """By all terms in the index, and by what is compared afterwards."""
    wanted, kept = read_text_query(query), said(body, **fields)
    by_terms = bool(wanted.terms) and set(wanted.terms) <= set(terms_of(kept))
    return by_terms and is_match(wanted, searched_texts(kept))


@pytest.mark.parametrize(
    ("query", "body", "expected"),
    [
        ("没到账", "充值还没到账！", True),
        ("没到账", "没有到账", False),
        ("到账没", "没到账", False),
        ("充值失败", "充值，失败", True),
        ("充值 失败", "失败了，充值的时候", True),
        ("充值 失败", "充值成功", False),
        ("ＲＥＦＵＮＤ", "refund please", True),
        ("refund", "it was refunded", True),
        ("refund", "prerefund", False),
        ("card", "discard", False),
        ("card", "my card", True),
        ("card", "cards", False),
        ("E1042", "error e1042", True),
        ("E104", "error e1042", False),
        ("top-up failed", "the top up has failed", True),
        ("failed top-up", "the top up has failed", True),
        ("充值 refund", "refund 我的充值", True),
        ("ard没到账T20", "card没到账T2026", True),
        ("ゲームチャージ", "ゲームチャージが届かない", True),
        ("충전", "충전이 안 됐어요", True),
        ("เติมเงิน", "ฉันเติมเงินแล้ว", True),
        ("充", "充值", False),
        ("，。", "充值，。", False),
        ("", "充值", False),
        ("儲值", "储值", False),
    ],
)
def test_what_is_found_in_what(query, body, expected):
    assert is_found(query, body) is expected


@given(text=CHINESE, data=st.data())
def test_any_two_neighbouring_characters_or_more_of_a_chinese_text_find_it(text, data):
    """Property: every piece of a text that has two neighbouring characters finds the text."""
    start = data.draw(st.integers(0, len(text) - 1))
    piece = text[start : data.draw(st.integers(start + 1, len(text)))]
    wanted = read_text_query(piece)
    has_pair = any("\u4e00" <= min(a, b) <= max(a, b) <= "\u9fff" for a, b in pairwise(piece))
    assert wanted.terms or not has_pair
    if any(term[0] >= "\u4e00" for term in wanted.terms):
        assert is_found(piece, text)


@given(st.text(max_size=400), st.text(max_size=60))
def test_no_text_and_no_query_breaks_it(body, query):
    is_found(query, body)
    cut_excerpt(read_text_query(query), [body])


def test_subject_and_names_of_files_are_searched_each_by_itself():
    file = Attachment("发票.pdf", "application/pdf")
    kept = replace(said("没到账", subject="充值"), attachments=(file,))

    assert terms_of(kept) == ("充值", "没到", "到账", "发票", "pdf")


def test_what_we_write_by_rote_and_what_is_taken_back_is_not_searched():
    for purpose in (Purpose.ACKNOWLEDGEMENT, Purpose.NOTICE):
        assert terms_of(replace(said("已收到"), purpose=purpose)) == ()
    assert terms_of(replace(said("已收到"), purpose=Purpose.REPLY)) == ("已收", "收到")
    assert terms_of(replace(said("撤回"), fields={"remark": "deletion"})) == ()


def test_the_number_of_a_card_is_in_no_term():
    kept = said("卡号4111 1111 1111 1111卡密AB12-CD34-EF56没到账")

    assert terms_of(kept) == ("卡号", "号卡", "卡密", "密没", "没到", "到账")


def test_the_terms_are_the_same_each_time_and_each_is_there_once():
    kept = said("充值充值充值 card card")

    assert terms_of(kept) == ("充值", "值充", "card") == terms_of(kept)


def test_an_excerpt_shows_the_words_around_in_one_line():
    text = "你好，" * 30 + "\n充值没到账\n" + "谢谢，" * 30

    excerpt = cut_excerpt(read_text_query("没到账"), [text])

    assert "充值没到账 谢谢" in excerpt
    assert len(excerpt) < 90
