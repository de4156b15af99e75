"""What is taken for a secret, what is not, and that a mask hides it for good."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.domain.masking import (
    Masked,
    SecretKind,
    Shape,
    find_secrets,
    mask_field,
    mask_text,
)

CARD_SECRET, IDENTITY = SecretKind.CARD_SECRET, SecretKind.IDENTITY_NUMBER
PAYMENT_CARD, CODE = SecretKind.PAYMENT_CARD, SecretKind.CODE
SHAPES = (
    Shape.read("9{18}", near=("卡密", "充值卡")),
    Shape.read("X{16}", near=("gift card",)),
    Shape.read("A9{8}", near=("护照", "passport"), kind=IDENTITY),
)

SECRETS = [
    ("卡号 4111 1111 1111 1111 被盗刷", "4111 1111 1111 1111", PAYMENT_CARD, "1111"),
    ("4111111111111111", "4111111111111111", PAYMENT_CARD, "1111"),
    ("4111-1111-1111-1111", "4111-1111-1111-1111", PAYMENT_CARD, "1111"),
    (
        "银行卡６２１７０００００００００５３５?",
        "６２１７０００００００００５３５",
        PAYMENT_CARD,
        None,
    ),
    ("4111\u00a01111\u20111111 1111", "4111\u00a01111\u20111111 1111", PAYMENT_CARD, "1111"),
    (
        "四一一一一一一一一一一一一一一一",
        "四一一一一一一一一一一一一一一一",
        PAYMENT_CARD,
        "一一一一",
    ),
    ("amex 3782 822463 10005.", "3782 822463 10005", PAYMENT_CARD, "005"),
    ("5555555555554444,过期了", "5555555555554444", PAYMENT_CARD, "4444"),
    ("身份证 11010519491231002X", "11010519491231002X", IDENTITY, "002X"),
    ("我是110105194912310021吗 440524188001010014", "440524188001010014", IDENTITY, "0014"),
    ("110105 19491231 002x", "110105 19491231 002x", IDENTITY, "002x"),
    ("护照 E12345678", "E12345678", IDENTITY, "78"),
    ("my passport no: e12345678", "e12345678", IDENTITY, "78"),
    ("验证码:482913", "482913", CODE, ""),
    ("验证码４８２９１３,5分钟内有效", "４８２９１３", CODE, ""),
    ("验证码是一二三四五六", "一二三四五六", CODE, ""),
    ("【某某】482913(登录验证码),请勿泄露", "482913", CODE, ""),
    ("482913 is your verification code", "482913", CODE, ""),
    ("Your code is 482-913.", "482-913", CODE, ""),
    ("the OTP they sent: 1 2 3 4 5 6", "1 2 3 4 5 6", CODE, ""),
    ("校验码 20251123", "20251123", CODE, ""),
    ("G-482913 is your Google verification code", "482913", CODE, ""),
    ("CVV 8421", "8421", CODE, ""),
    ("Your code\n\n  482913\n\nThanks", "482913", CODE, ""),
    ("卡密:ABCD1234EFGH5678 无效", "ABCD1234EFGH5678", CARD_SECRET, "5678"),
    ("卡密 8827 3312 9910 2281 提示已使用", "8827 3312 9910 2281", CARD_SECRET, "2281"),
    ("充值卡密码是 ＡＢ１２－ＣＤ３４", "ＡＢ１２－ＣＤ３４", CARD_SECRET, "３４"),
    ("steam key AB3DE-FGH1J-KLM2N please", "AB3DE-FGH1J-KLM2N", CARD_SECRET, "M2N"),
    ("XBOX 4T7KD-9Q2MX-7K3FA-PPX1Z-99QRT", "4T7KD-9Q2MX-7K3FA-PPX1Z-99QRT", CARD_SECRET, "9QRT"),
    ("1A2B-3C4D-5E6F-7G8H", "1A2B-3C4D-5E6F-7G8H", CARD_SECRET, "7G8H"),
    ("移动充值卡 123456789012345678", "123456789012345678", CARD_SECRET, "5678"),
    ("Gift Card from you: X9K2LMN4PQR7STU1", "X9K2LMN4PQR7STU1", CARD_SECRET, "STU1"),
    ("password: hunter22", "hunter22", CARD_SECRET, "22"),
]
NO_SECRETS = [
    "",
    "还没到账,急!",
    "订单号 2025112388213004 还没到账",
    "订单 4111111111111111 呢",
    "order no. 4111111111111111",
    "Order #5555555555554444",
    "transaction id is 4012888888881881",
    "4111111111111112",
    "电话 13800138000",
    "+86 138 0013 8000 打给我",
    "call +447911123456 or +1 (415) 555-0132",
    "C-7K3F-9Q2M",
    "https://shop.example/o/PN20251123X8821",
    "充了 5000 元没到,收不到验证码",
    "收不到验证码,我的手机尾号 8421",
    "验证码收不到,订单号 20251123",
    "error code 5003 again",
    "错误代码 5003,一直收不到验证码",
    "the error code is shown, amount $1234",
    "the code expires in 1800 seconds",
    "验证码发到 2025-11-23 就没了",
    "550e8400-e29b-41d4-a716-446655440000",
    "01JDC0V5T3M9Q2K7ABCD1234EF",
    "2025-11-23T12:08:01.123Z",
    "v1.22.3333 与验证码页面",
    "110105194912310021",
    "440524188013010014",
    "E12345678",
    "密码错误,登不上",
    "卡密无效,订单 88231",
    "password reset does not work",
    "一三五和二四六上班",
    "well-known-long-term-plan",
    "QQ 12345678",
    "6011",
    "受理编号 C-1234-9012,请勿把验证码告诉任何人",
    "case C-1234-9012, never tell anybody a verification code",
    "验证码 AB-1234-CD",
]


@pytest.mark.parametrize(("text", "secret", "kind", "shown"), SECRETS)
def test_a_secret_is_found_whole_and_hidden(text, secret, kind, shown):
    found = find_secrets(text, SHAPES)
    assert [(text[one.start : one.end], one.kind) for one in found] == [(secret, kind)]
    masked = mask_text(text, SHAPES)
    assert masked.kinds == {kind}
    assert secret not in masked.text
    if shown is not None:
        hidden = "█" * (len(secret) - len(shown)) + shown
        assert masked.text == text.replace(secret, hidden)


@pytest.mark.parametrize("text", NO_SECRETS)
def test_what_agents_must_read_stays_readable(text):
    assert mask_text(text, SHAPES) == Masked(text)


def test_several_secrets_of_a_text_are_hidden_each():
    text = "卡密 ABCD1234EFGH,验证码 482913,身份证 11010519491231002X,卡 4111111111111111"
    assert mask_text(text) == Masked(
        "卡密 █████████FGH,验证码 ██████,身份证 ██████████████002X,卡 ████████████1111",
        frozenset(SecretKind),
    )


def test_the_name_of_a_field_says_what_its_value_is():
    assert mask_field("order", "4111111111111111").text == "4111111111111111"
    assert mask_field("card", "4111111111111111").text == "████████████1111"
    assert mask_field("卡密", "AB12CD34").text == "██████34"
    assert mask_field("验证码", "482913").text == "██████"


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "write a shape"),
        ("X{4}-", "write a shape"),
        ("B{4}", "write a shape"),
        ("X{4}(X+)+", "write a shape"),
        ("A9", "write 6 to 64 signs"),
        ("X{60}X{60}", "write 6 to 64 signs"),
        ("9{18}", "add `near:`"),
        ("X{16}", "add `near:`"),
        ("9{4}-9{4}-9{4}", "add `near:`"),
    ],
)
def test_a_shape_that_cannot_be_used_says_what_to_write(text, advice):
    with pytest.raises(ValueError, match=advice):
        Shape.read(text)


def test_a_shape_of_groups_needs_no_word_near_it():
    shape = Shape.read("A{4}-9{6}-X{2}")
    assert mask_text("ABCD-123456-Z9", (shape,)).text == "██████████6-Z9".replace("6-Z9", "██Z9")


# Words that matter, digits in every script, separators, and what masks leave.
PIECES = st.one_of(
    st.sampled_from(
        ["验证码", "卡密", "密码", "code", "OTP ", "订单", "order no ", "is ", ":", " ", "-", "  ",
         "█", "████", "元", "passport ", "护照", "充值卡", "\n", ".", "+", "$", "_", "GIFT CARD ",
         "4111111111111111", "4111 1111 1111 1111", "11010519491231002X", "482913", "E12345678",
         "AB3DE-FGH1J-KLM2N", "ABCD", "1234", "CODE", "PASSWORD", "一二三四五六", "４８２９"]
    ),
    st.text(alphabet="0123456789AX", max_size=20),
    st.text(max_size=4),
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=14).map("".join)


@given(TEXTS)
def test_masking_again_changes_nothing(text):
    once = mask_text(text, SHAPES)
    assert mask_text(once.text, SHAPES) == Masked(once.text)


@given(TEXTS)
def test_nothing_but_the_findings_changes(text):
    found = find_secrets(text, SHAPES)
    masked = mask_text(text, SHAPES).text
    hidden = {at for one in found for at in range(one.start, one.end - one.shown)}
    assert len(masked) == len(text)
    assert [("█" if at in hidden else char) for at, char in enumerate(text)] == list(masked)
    assert all(left.end <= right.start for left, right in pairwise(found))


@st.composite
def _payment_card(draw):
    digits = draw(st.sampled_from(["4", "51", "62", "55"])) + draw(
        st.text(alphabet="0123456789", min_size=14, max_size=14)
    )
    digits = digits[:15]
    total = sum(
        sum(divmod(2 * int(digit), 10)) if place % 2 == 0 else int(digit)
        for place, digit in enumerate(digits)
    )
    number = digits + str(-total % 10)
    gap = draw(st.sampled_from(["", " ", "-", " - ", "\u00a0", "\u2013"]))
    return gap.join(number[at : at + 4] for at in range(0, 16, 4))


@st.composite
def _labelled(draw):
    label = draw(st.sampled_from(["验证码:", "验证码是 ", "your code is ", "OTP: ", "动态码 "]))
    return label, draw(st.text(alphabet="0123456789", min_size=4, max_size=8))


SENTENCES = st.text(alphabet="还没到账 急!hello,。", max_size=40)


@given(SENTENCES, _payment_card(), SENTENCES)
def test_a_masked_text_has_no_card_number(before, card, after):
    masked = mask_text(f"{before}。{card}。{after}")
    assert card not in masked.text
    assert masked.kinds == {PAYMENT_CARD}


@given(SENTENCES, _labelled())
def test_a_masked_text_has_no_code(before, labelled):
    label, code = labelled
    assert mask_text(f"{before}。{label}{code}。").text == f"{before}。{label}{'█' * len(code)}。"
