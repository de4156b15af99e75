"""search.yaml: what ops may write, and what they are told to write instead."""

from datetime import timedelta
from pathlib import Path

import pytest

from caseweave.config.desk import load_desk
from caseweave.config.nodes import read_file
from caseweave.config.search import read_search_rules
from caseweave.domain.mentions import find_in_text
from caseweave.domain.search_rules import Scope, SearchRules
from caseweave.errors import InvalidConfigError

SHIPPED = Path(__file__).resolve().parents[2] / "config"
TEXT = "text: {messages: all, most_terms: 100, kept: 400d}\n"


def load(folder: Path, text: str) -> SearchRules:
    (folder / "search.yaml").write_text(text, "utf-8")
    return read_search_rules(read_file(folder / "search.yaml"))


def test_what_is_shipped_is_read_with_the_desk():
    rules = load_desk(SHIPPED).search

    assert (rules.scope, rules.most_terms, rules.kept) == (Scope.ALL, 100, timedelta(days=400))
    assert list(find_in_text("TX-20261123 e1042 13800138000", rules)) == [
        ("order_no", "TX-20261123"),
        ("error_code", "E1042"),
        ("phone", "+8613800138000"),
    ]


def test_only_the_index_has_to_be_configured(tmp_path):
    rules = load(tmp_path, "text: {messages: first, most_terms: 1, kept: 1d}\n")

    assert rules == SearchRules(scope=Scope.FIRST, most_terms=1, kept=timedelta(days=1))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("order_numbers: []\n", "search.yaml:1: the file"),
        (TEXT.replace("all", "some"), "search.yaml:1: text.messages"),
        (TEXT.replace("100", "0"), "search.yaml:1: text.most_terms"),
        (TEXT.replace("100", "501"), "search.yaml:1: text.most_terms"),
        (TEXT.replace("100", "many"), "search.yaml:1: text.most_terms"),
        (TEXT.replace("400d", "12h"), "search.yaml:1: text.kept"),
        (TEXT.replace("400d", "long"), "search.yaml:1: text.kept"),
        (TEXT + 'colours: ["x"]\n', "search.yaml:2: colours"),
        (TEXT + 'phones: {local: "1[0-9]{10}"}\n', "search.yaml:2: phones"),
        (
            TEXT + 'phones: {country_code: "+86", local: "1[0-9]{10}"}\n',
            "search.yaml:2: phones.country_code",
        ),
        *(
            (TEXT + f"order_numbers:\n  - {pattern!r}\n", "search.yaml:3: order_numbers[0]")
            for pattern in (
                "(a+)+",
                ".*",
                "[0-9]+",
                "[0-9]{1,33}",
                "[0-9]{99}",
                "a?b?c?",
                "a{1,2}b{1,2}c{1,2}",
                "[z-a]",
                "a?",
                "x" * 101,
                "[0-9]{2,1}",
            )
        ),
        (TEXT + f"error_codes: {['E1'] * 11}\n", "search.yaml:2: error_codes"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line_and_what_to_write(tmp_path, text, place):
    with pytest.raises(InvalidConfigError) as refused:
        load(tmp_path, text)

    assert str(refused.value).startswith(f"{place}: ")


def test_the_worst_pattern_that_is_let_in_is_done_with_a_long_text(tmp_path):
    rules = load(tmp_path, TEXT + "order_numbers: ['[a-z/]{1,32}[a-z/]{1,32}[0-9]']\n")

    assert list(find_in_text("/" * 200_000, rules)) == []
