"""Long texts in parts: nothing is lost, nothing is too long, nothing is torn apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.domain.splitting import Unit, measure, split_text

texts = st.text(max_size=300) | st.text(alphabet="a。. \n中😀👩‍💻é\u0301\r🇨🇳", max_size=300)


@given(texts, st.integers(1, 50), st.sampled_from(Unit))
def test_the_parts_joined_are_the_text_and_none_is_too_long(text, longest, unit):
    parts = split_text(text, longest, unit)

    assert "".join(parts) == text
    assert all(parts)
    assert all(measure(part, unit) <= longest or len(part) == 1 for part in parts)


@pytest.mark.parametrize(
    ("text", "unit", "length"),
    [
        ("中a", Unit.CHARACTERS, 2),
        ("中a", Unit.UTF16, 2),
        ("😀", Unit.UTF16, 2),
        ("中a😀", Unit.BYTES, 8),
    ],
)
def test_a_length_is_counted_as_the_provider_counts(text, unit, length):
    assert measure(text, unit) == length


@pytest.mark.parametrize(
    ("text", "longest", "parts"),
    [
        ("", 5, []),
        ("short", 5, ["short"]),
        ("One. Two.\n\nThree is here.", 20, ["One. Two.\n\n", "Three is here."]),
        ("first line\nand the second one", 20, ["first line\n", "and the second one"]),
        ("One is. Two is. Three is.", 18, ["One is. Two is. ", "Three is."]),
        ("您好。已经补发。请查收吧", 9, ["您好。已经补发。", "请查收吧"]),
        ("one two three four", 10, ["one two ", "three four"]),
        ("他说：“好。”然后走了", 8, ["他说：“好。”", "然后走了"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
    ],
)
def test_it_is_cut_where_a_reader_pauses(text, longest, parts):
    assert split_text(text, longest) == parts


@pytest.mark.parametrize(
    "letter",
    [
        "😀",
        "👩\u200d💻",
        "👍🏽",
        "e\u0301",
        "🇨🇳",
        "❤\ufe0f",
        "\u1100\u1161\u11a8",
        "🏴\U000e0067\U000e0062\U000e007f",
        "क\u093f",
    ],
)
def test_what_is_read_as_one_character_stays_whole(letter):
    parts = split_text(letter * 9, 3 * len(letter) + 1)

    assert [part.replace(letter, "") for part in parts] == ["", "", ""]


def test_one_character_that_is_too_long_by_itself_is_cut_after_all():
    assert "".join(split_text("e" + "\u0301" * 50, 10)) == "e" + "\u0301" * 50


def test_splitting_takes_time_in_proportion_to_the_text():
    for text in ("." * 200_000, "\n" * 200_000, " " * 200_000, ")" * 200_000, "🇨" * 100_000):
        assert "".join(split_text(text, 5000, Unit.UTF16)) == text


def test_no_flag_is_cut_however_many_stand_in_a_row():
    flags = "\U0001f1e8\U0001f1f3" * 50_000

    parts = split_text(flags, 71)

    assert parts == ["\U0001f1e8\U0001f1f3" * 35] * 1428 + ["\U0001f1e8\U0001f1f3" * 20]
