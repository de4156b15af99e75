"""Promise P4 rests on these: a token is good for one purpose, in one spelling, for a time."""

from datetime import timedelta
from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.domain.tokens import (
    issue_link_token,
    issue_reply_token,
    issue_session_token,
    read_link_token,
    read_reply_token,
    read_session_token,
)
from caseweave.domain.ulid import make_ulid
from tests.domain.samples import at

NOW = at("2026-11-23 09:00")
EXPIRY = NOW + timedelta(days=7)
KEYS = (b"new key of thirty-two bytes.....", b"old key of thirty-two bytes.....")
ID = "01KAQY0KG0ABCDEFGHJKMNPQRS"
MAIL = "ann@example.com"

IDS = st.builds(make_ulid, st.just(NOW), st.binary(min_size=10, max_size=10))
URL_SAFE = ascii_letters + digits + "-_"
BASE_32 = "abcdefghijklmnopqrstuvwxyz234567"
SIGNED = pytest.mark.parametrize(
    ("issue", "read"),
    [(issue_link_token, read_link_token), (issue_session_token, read_session_token)],
)


@SIGNED
def test_a_token_says_what_it_was_issued_for(issue, read):
    token = issue(ID, EXPIRY, KEYS)
    assert read(token, KEYS, NOW) == ID
    assert len(token) == 43
    assert set(token) <= set(URL_SAFE)


@given(IDS)
def test_every_id_comes_back(made):
    assert read_link_token(issue_link_token(made, EXPIRY, KEYS), KEYS, NOW) == made
    assert read_session_token(issue_session_token(made, EXPIRY, KEYS), KEYS, NOW) == made
    assert read_reply_token(issue_reply_token(made, MAIL, KEYS), MAIL, KEYS) == made


@SIGNED
@pytest.mark.parametrize(
    ("later", "is_good"),
    [
        (timedelta(days=7) - timedelta(seconds=1), True),
        (timedelta(days=7), False),
        (timedelta(days=700), False),
    ],
)
def test_a_token_ends_at_its_expiry(issue, read, later, is_good):
    assert (read(issue(ID, EXPIRY, KEYS), KEYS, NOW + later) == ID) is is_good


def test_no_token_is_good_for_another_purpose():
    link = issue_link_token(ID, EXPIRY, KEYS)
    session = issue_session_token(ID, EXPIRY, KEYS)
    reply = issue_reply_token(ID, MAIL, KEYS)
    assert read_session_token(link, KEYS, NOW) is None
    assert read_link_token(session, KEYS, NOW) is None
    assert read_reply_token(link, MAIL, KEYS) is None
    assert read_reply_token(session, MAIL, KEYS) is None
    assert read_link_token(reply, KEYS, NOW) is None
    assert read_session_token(reply, KEYS, NOW) is None


def test_a_token_of_an_old_key_is_read_while_that_key_is_live():
    old = KEYS[1:]
    assert read_link_token(issue_link_token(ID, EXPIRY, old), KEYS, NOW) == ID
    assert read_session_token(issue_session_token(ID, EXPIRY, old), KEYS, NOW) == ID
    assert read_reply_token(issue_reply_token(ID, MAIL, old), MAIL, KEYS) == ID


@pytest.mark.parametrize("keys", [(), (b"another key",), (b"",), KEYS[1:]])
def test_a_token_of_a_key_that_is_gone_is_refused(keys):
    assert read_link_token(issue_link_token(ID, EXPIRY, KEYS), keys, NOW) is None
    assert read_session_token(issue_session_token(ID, EXPIRY, KEYS), keys, NOW) is None
    assert read_reply_token(issue_reply_token(ID, MAIL, KEYS), MAIL, keys) is None


@SIGNED
def test_any_single_other_character_is_refused(issue, read):
    token = issue(ID, EXPIRY, KEYS)
    for place, right in enumerate(token):
        for character in URL_SAFE + "+/=!. 字":
            wrong = token[:place] + character + token[place + 1 :]
            assert read(wrong, KEYS, NOW) == (ID if character == right else None), wrong


def test_any_single_other_character_of_a_reply_token_is_refused():
    token = issue_reply_token(ID, MAIL, KEYS)
    for place, right in enumerate(token):
        for character in BASE_32 + "0189=!. 字ıſ":
            wrong = token[:place] + character + token[place + 1 :]
            assert read_reply_token(wrong, MAIL, KEYS) == (ID if character == right else None)


@SIGNED
@given(data=st.data())
def test_a_token_has_one_spelling(issue, read, data):
    # A link token is good once, which is kept by its text.
    token = issue(ID, EXPIRY, KEYS)
    place = data.draw(st.integers(0, len(token)))
    inserted = data.draw(st.text(min_size=1, max_size=8))
    assert read(token[:place] + inserted + token[place:], KEYS, NOW) is None


def test_a_reply_token_survives_a_mail_system_that_changes_case():
    token = issue_reply_token(ID, MAIL, KEYS)
    assert (len(token), set(token) <= set(BASE_32)) == (42, True)
    assert read_reply_token(token.upper(), MAIL, KEYS) == ID
    assert read_reply_token(token.title(), MAIL, KEYS) == ID


@pytest.mark.parametrize(
    "address", ["", "bob@example.com", "Ann@example.com", "ann@example.com ", "ann@example.com\x00"]
)
def test_a_reply_token_is_bound_to_the_address_it_was_sent_to(address):
    assert read_reply_token(issue_reply_token(ID, MAIL, KEYS), address, KEYS) is None


def test_an_address_that_is_no_unicode_is_just_another_address():
    odd = "ann\udcff@example.com"
    assert read_reply_token(issue_reply_token(ID, MAIL, KEYS), odd, KEYS) is None
    assert read_reply_token(issue_reply_token(ID, odd, KEYS), odd, KEYS) == ID


TEXT = st.text() | st.text(URL_SAFE + "=") | st.text(st.characters())
LIKE = st.text(URL_SAFE, min_size=43, max_size=43) | st.text(BASE_32, min_size=42, max_size=42)


@given(TEXT | LIKE, TEXT)
def test_rubbish_is_refused_and_never_raises(token, address):
    assert read_link_token(token, KEYS, NOW) is None
    assert read_session_token(token, KEYS, NOW) is None
    assert read_reply_token(token, address, KEYS) is None
