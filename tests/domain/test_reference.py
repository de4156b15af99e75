import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.domain.reference import make_reference, parse_reference
from caseweave.domain.ulid import ALPHABET

RANDOM = st.binary(min_size=5, max_size=5)
# Places of the eight digits in C-7K3F-9Q2M.
DIGITS = (2, 3, 4, 5, 7, 8, 9, 10)


@pytest.mark.parametrize(
    ("randomness", "reference"),
    [
        (bytes(5), "C-0000-0000"),
        (b"\xff" * 5, "C-ZZZZ-ZZZ7"),
        (b"\x01\x23\x45\x67\x89", "C-04HM-ASWZ"),
    ],
)
def test_a_reference_is_seven_random_digits_and_a_check(randomness, reference):
    assert make_reference(randomness) == reference


@given(RANDOM)
def test_what_was_made_is_what_is_read(randomness):
    reference = make_reference(randomness)
    assert parse_reference(reference) == reference


@given(RANDOM, st.sampled_from(DIGITS), st.sampled_from(ALPHABET))
def test_any_single_wrong_character_is_refused(randomness, place, character):
    reference = make_reference(randomness)
    wrong = reference[:place] + character + reference[place + 1 :]
    assert parse_reference(wrong) == (reference if wrong == reference else None)


@given(RANDOM, st.sampled_from([2, 3, 4, 7, 8, 9]))
def test_a_swap_of_neighbours_is_refused_unless_they_are_the_first_and_last_digit(
    randomness, place
):
    reference = make_reference(randomness)
    left, right = reference[place], reference[place + 1]
    swapped = reference[:place] + right + left + reference[place + 2 :]
    is_read = left == right or {left, right} == {"0", "Z"}
    assert parse_reference(swapped) == (swapped if is_read else None)


@given(RANDOM)
def test_a_reference_is_read_as_people_write_it(randomness):
    reference = make_reference(randomness)
    digits = reference.replace("-", "")
    for written in (
        reference.lower(),
        f"  {reference}\n",
        digits,
        digits.lower(),
        reference.replace("0", "O"),
        reference.replace("1", "I"),
        reference.replace("1", "l"),
    ):
        assert parse_reference(written) == reference


@pytest.mark.parametrize(
    "text",
    ["", "C", "C-", "C-0000", "C-0000-000", "C-0000-00000", "D-0000-0000", "0000-0000",
     "C-0000-0000 C-0000-0000", "C-000U-0000", "C_0000_0000", "C-０000-0000", "Ｃ-0000-0000",
     "C--0000-0000", "C-0000\n-0000", "见 C-0000-0000"],
)  # fmt: skip
def test_anything_else_is_no_reference(text):
    assert parse_reference(text) is None


@given(st.text())
def test_rubbish_never_raises(text):
    assert parse_reference(text) is None or text.strip()
