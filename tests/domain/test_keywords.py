"""STOP, START and HELP: whole messages only, however they are typed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.domain.keywords import Heard, Keyword, Keywords, fold_keyword, hear_keyword
from caseweave.domain.message import Channel
from tests.domain.samples import message

STOP, START, HELP = Keyword.STOP, Keyword.START, Keyword.HELP
KEYWORDS = Keywords(
    {
        "stop": STOP,
        "stop all": STOP,
        "退订": STOP,
        "td": STOP,
        "t": STOP,
        "恢复": START,
        "help": HELP,
    },
    {"twilio": frozenset({"stop", "help"})},
)


def hear(body, provider="vonage", channel=Channel.SMS, **more):
    told = message(body, "2026-11-23 09:00")
    told = replace(told, channel=channel, provider=provider, **more)
    return hear_keyword(told, KEYWORDS)


@pytest.mark.parametrize(
    ("body", "keyword"),
    [
        ("STOP", STOP),
        ("Stop.", STOP),
        (" stop \n", STOP),
        ("stop" + " " * 50, STOP),
        ("ＳＴＯＰ", STOP),
        ("stop  all!!", STOP),
        ("退订", STOP),
        ("退订。", STOP),
        ("「退订」", STOP),
        ("TD", STOP),
        ("T", STOP),
        ("stop 🙏", STOP),
        ("恢复", START),
        ("Help?", HELP),
    ],
)
def test_a_message_that_is_only_the_word_is_heard(body, keyword):
    assert hear(body) == Heard(keyword)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "please stop charging me",
        "stop it",
        "Don't STOP",
        "退订怎么操作?",
        "我要退订",
        "stopp",
        "T20261123-7731",
        "...",
        "stop" + "." * 200_000,
    ],
)
def test_a_message_that_says_more_is_not(body):
    assert hear(body) is None


def test_what_the_provider_answers_itself_is_marked():
    assert hear("STOP", "twilio") == Heard(STOP, is_answered=True)
    assert hear("退订", "twilio") == Heard(STOP, is_answered=False)


@pytest.mark.parametrize(("told", "keyword"), [("STOP", STOP), ("START", START), ("help", HELP)])
def test_the_providers_own_word_for_it_holds_whatever_was_typed(told, keyword):
    assert hear("ARRET", fields={"opt_out_type": told}) == Heard(keyword, is_answered=True)


def test_only_sms_is_heard_and_no_machine():
    assert hear("STOP", channel=Channel.WEB) is None
    assert hear("STOP", is_automatic=True) is None


@given(st.text())
def test_folding_twice_is_folding_once_and_never_fails(text):
    folded = fold_keyword(text)

    assert folded == folded.strip()
    assert hear(text) is None or folded in KEYWORDS.words
