import re
from pathlib import Path
from string import Formatter

import pytest

import caseweave.cli.demo
from caseweave.cli.demo.narration import NARRATION, narrate

SOURCES = sorted(Path(caseweave.cli.demo.__file__).parent.glob("*.py"))


def placeholders(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", NARRATION)
def test_every_line_says_the_same_in_both_languages(key):
    english, chinese = NARRATION[key]

    assert english.strip()
    assert chinese.strip()
    assert placeholders(english) == placeholders(chinese)


def test_every_line_is_told_somewhere():
    told = "".join(path.read_text() for path in SOURCES if path.name != "narration.py")
    # one of four is chosen by the channel
    told = told.replace(
        'f"{channel}_impostor"',
        '"web_impostor" "sms_impostor" "messenger_impostor" "email_impostor"',
    )

    quoted = set(re.findall(r"""["'](\w+)["']""", told))

    assert NARRATION.keys() - quoted == set()


def test_every_line_that_is_told_is_there():
    called = re.compile(r"""(?:step|tell_key|act|narrate)\((?:\d, )?["'](\w+)["']""")
    told = {key for path in SOURCES for key in called.findall(path.read_text())}

    assert told
    assert told <= NARRATION.keys()


def test_values_are_filled_in():
    assert narrate("opened", "zh-CN", ref="C-3QB4-A366") == "受理编号 C-3QB4-A366"
