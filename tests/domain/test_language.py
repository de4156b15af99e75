import pytest

from caseweave.domain.language import choose_language


@pytest.mark.parametrize(
    ("text", "hint", "language"),
    [
        ("充值没到账", "", "zh-CN"),
        ("充值没到账", "en-US", "zh-CN"),
        ("Steam gift card 充值没到账", "en", "zh-CN"),
        ("My top-up has not arrived", "", "en"),
        ("My top-up has not arrived", "zh-CN", "en"),
        ("123456", "zh-CN", "zh-CN"),
        ("123456", "ZH_tw", "zh-CN"),
        ("123456", "fr", "en"),
        ("OK", "zh", "zh-CN"),
        ("", "", "en"),
    ],
)
def test_the_customers_words_decide_and_then_the_hint(text, hint, language):
    assert choose_language(text, hint) == language
