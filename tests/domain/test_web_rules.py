"""Clients and windows of time; uploads' tokens; the language a browser prefers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.domain.customer_uploads import Upload, issue_upload_token, read_upload_token
from caseweave.domain.language import prefer_language
from caseweave.domain.web_rules import Limit, find_window, name_client

KEY = b"k" * 32
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
UPLOAD = Upload("1f", "付款.png", "image/png", 99, "user:u-1", "topup", "screenshot", "ab" * 32)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("", "rubbish", True),
    ],
)
def test_a_client_is_an_address_or_a_64_of_them(one, other, is_same):
    assert (name_client(one, KEY) == name_client(other, KEY)) is is_same


def test_a_client_is_not_named_by_its_address():
    assert "192" not in name_client("192.0.2.1", KEY)
    assert name_client("192.0.2.1", KEY) != name_client("192.0.2.1", b"other")


def test_a_window_holds_the_moment_and_ends():
    limit = Limit(5, timedelta(minutes=10))

    start, left = find_window(limit, NOON + timedelta(minutes=3))

    assert (start, left) == (int(NOON.timestamp()), timedelta(minutes=7))


def test_an_upload_is_what_its_token_says_until_it_is_over():
    token = issue_upload_token(UPLOAD, NOON + timedelta(hours=1), [KEY])

    assert read_upload_token(token, [b"new", KEY], NOON) == UPLOAD
    assert read_upload_token(token, [KEY], NOON + timedelta(hours=1)) is None
    assert read_upload_token(token, [b"other"], NOON) is None


@given(text=st.text() | st.binary().map(lambda b: b.decode("latin-1")))
def test_no_other_text_names_an_upload(text):
    token = issue_upload_token(UPLOAD, NOON + timedelta(hours=1), [KEY])
    forged = issue_upload_token(replace(UPLOAD, owner=""), NOON + timedelta(hours=1), [b"x"])

    assert read_upload_token(text, [KEY], NOON) is None
    assert read_upload_token(forged, [KEY], NOON) is None
    assert (
        read_upload_token(forged.partition(".")[0] + "." + token.partition(".")[2], [KEY], NOON)
        is None
    )


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("zh-CN", "zh-CN"),
        ("zh-TW,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("en-GB,zh;q=0.9", "en"),
        ("fr,zh;q=0.2,en;q=0.1", "zh-CN"),
        ("zh;q=0,en;q=0.1", "en"),
        ("zhx, *;q=0.1", "en"),
        ("zh;q=rubbish", "zh-CN"),
        (",;=" * 9999, "en"),
    ],
)
def test_the_browser_says_which_language(accepted, language):
    assert prefer_language(accepted) == language
