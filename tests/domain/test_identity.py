import pytest

from caseweave.domain.identity import Proof, normalise_email, normalise_phone


@pytest.mark.parametrize("proof", Proof)
def test_only_none_and_refuted_prove_nothing(proof):
    assert proof.holds is (proof.value not in ("none", "refuted"))


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        (" Ann@Example.COM ", "ann@example.com"),
        ("ann+tag@example.com", "ann+tag@example.com"),
        ("Straße@example.com", "straße@example.com"),
        ("\u212aim@example.com", "\u212aim@example.com"),
        ("", ""),
    ],
)
def test_mail_addresses_that_differ_in_more_than_case_stay_two(written, normal):
    assert normalise_email(written) == normal


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("+86 138-0013-8000", "+8613800138000"),
        ("8613800138000", "8613800138000"),
        ("10086", "10086"),
        (" +1 (555) 010-9999", "+15550109999"),
        ("＋８６１３８００１３８０００", "+8613800138000"),
        ("anonymous", ""),
        ("²", ""),
    ],
)
def test_a_phone_number_is_its_digits_and_never_given_a_country(written, normal):
    assert normalise_phone(written) == normal
