"""All spellings of one address are one identity, and no two addresses are (promise P4)."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from caseweave.channels.identities import identify_email, identify_phone

LOCAL_PARTS = st.from_regex(r"[a-z0-9]{1,12}(?:[._-][a-z0-9]{1,8})?", fullmatch=True)
TAGS = st.from_regex(r"[a-z0-9]{1,10}", fullmatch=True)
# Real ranges of mobile numbers, in which every number of this length may exist.
NUMBERS = st.one_of(
    st.from_regex(r"\+861[3-9][0-9]{9}", fullmatch=True),
    st.from_regex(r"\+447[4-9][0-9]{8}", fullmatch=True),
    st.from_regex(r"\+1(?:212|415|604)[2-9][0-9]{6}", fullmatch=True),
    st.from_regex(r"\+8529[0-8][0-9]{6}", fullmatch=True),
)


@pytest.mark.parametrize(
    ("written", "mailbox"),
    [
        (" Ann@Example.COM ", "ann@example.com"),
        ("ann+tag@example.com", "ann+tag@example.com"),
        ("a.n.n@example.com", "a.n.n@example.com"),
        ("A.N.N+shop@GMail.com", "ann@gmail.com"),
        ("ann@googlemail.com", "ann@gmail.com"),
        ("ann+shop@outlook.com", "ann@outlook.com"),
        ("a.nn@hotmail.com", "a.nn@hotmail.com"),
        ("ann@hotmail.com", "ann@hotmail.com"),
        ("10001+a@qq.com", "10001+a@qq.com"),
        ("ling.ling@163.com", "ling.ling@163.com"),
        ("info@bücher.example", "info@xn--bcher-kva.example"),
        ("info@XN--BCHER-KVA.example", "info@xn--bcher-kva.example"),
        ("客服@例子.中国", "客服@xn--fsqu00a.xn--fiqs8s"),
        ("客服@例子。中国", "客服@xn--fsqu00a.xn--fiqs8s"),
        ("ann@example.com.", "ann@example.com"),
        ("straße@example.com", "straße@example.com"),
        ("+@gmail.com", "+@gmail.com"),
        ("nobody", "nobody"),
        ("", ""),
    ],
)
def test_a_mailbox_is_known_by_every_spelling_that_its_provider_documents(written, mailbox):
    assert identify_email(written) == mailbox


def test_two_domains_that_merely_look_alike_stay_two():
    spellings = {"a@paypal.example", "a@pаypal.example", "a@faß.example", "a@fass.example"}
    assert len({identify_email(one) for one in spellings}) == 4


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+86 138-0013-8000", "+8613800138000"),
        ("＋８６１３８００１３８０００", "+8613800138000"),
        ("tel:+86-138-0013-8000", "+8613800138000"),
        ("+44 (0)20 7946 0000", "+442079460000"),
        ("+44 20 7946 0000 ext. 12", "+442079460000"),
        ("+39 06 1234 5678", "+390612345678"),
        ("8613800138000", "8613800138000"),
        ("0086 13800138000", "008613800138000"),
        ("10086", "10086"),
        ("+999123", "+999123"),
        ("+1", "+1"),
        ("anonymous", ""),
        ("", ""),
    ],
)
def test_a_number_is_known_in_e164_and_never_given_a_country(written, number):
    assert identify_phone(written) == number


@given(st.text() | st.builds("{}@{}".format, st.text(), st.text()))
def test_any_text_has_one_identity_as_mail_address(text):
    once = identify_email(text)
    assert identify_email(once) == once


@given(st.text() | st.from_regex(r"\+[0-9 ()x.-]{1,24}", fullmatch=True))
def test_any_text_has_one_identity_as_number(text):
    once = identify_phone(text)
    assert identify_phone(once) == once


@given(local=LOCAL_PARTS, tag=TAGS, dots=st.sets(st.integers(1, 8)))
def test_dots_tags_and_googlemail_are_one_gmail_mailbox(local, tag, dots):
    dotted = "".join(f".{c}" if i in dots and c != "." else c for i, c in enumerate(local))
    dotted = dotted.replace("..", ".")
    plain = identify_email(f"{local}@gmail.com")
    assert identify_email(f"{dotted.upper()}+{tag}@GoogleMail.com") == plain


@given(st.tuples(LOCAL_PARTS, LOCAL_PARTS), st.sampled_from(["gmail.com", "qq.com", "x.example"]))
def test_two_mailboxes_are_never_one(locals_, domain):
    one, other = locals_
    ignored = "." if domain == "gmail.com" else ""
    assume(one.replace(ignored, "") != other.replace(ignored, ""))
    assert identify_email(f"{one}@{domain}") != identify_email(f"{other}@{domain}")


@given(NUMBERS, NUMBERS)
def test_two_numbers_are_never_one(one, other):
    assert (identify_phone(one) == identify_phone(other)) is (one == other)


@given(NUMBERS, st.lists(st.sampled_from(" -.()"), min_size=14, max_size=14))
def test_what_stands_between_the_digits_changes_nothing(number, between):
    spelled = number[0] + "".join(a + b for a, b in zip(number[1:], between, strict=False))
    assert identify_phone(spelled) == number
