"""Amounts of money as people write them: `100元`, `¥ 99.50`, `USD 9.99`, `1,234 CNY`, `2万元`."""

import re
from collections.abc import Iterator
from decimal import Decimal

# A bare `¥` is the yuan and a bare `$` the US dollar: on this desk they nearly always are.
_CURRENCIES = {
    "CNY": ("cny", "rmb", "人民币", "¥", "元", "块", "圆"),
    "USD": ("usd", "us$", "$", "美元", "美金", "刀"),
    "HKD": ("hkd", "hk$", "港币", "港元"),
    "TWD": ("twd", "nt$", "新台币", "台币"),
    "EUR": ("eur", "€", "欧元"),
    "GBP": ("gbp", "£", "英镑"),
    "JPY": ("jpy", "日元", "円"),
    "USDT": ("usdt",),
}
_NAMES = {name: code for code, names in _CURRENCIES.items() for name in names}
_THOUSANDS = {"千": 1_000, "万": 10_000}
# The longer name first: `美元` before `元`, `usdt` before `usd`.
_ANY = "|".join(re.escape(name) for name in sorted(_NAMES, key=lambda name: (-len(name), name)))
_NUMBER = r"(?:\d{1,3}(?:,\d{3}){1,3}|\d{1,9})(?:\.\d{1,2})?"
_AFTER = re.compile(
    rf"(?<![\d.,a-z-])({_NUMBER})[ \u00a0]?([千万]?)[ \u00a0]?({_ANY})(?![a-z$])", re.IGNORECASE
)
_BEFORE = re.compile(
    rf"(?<![a-z])({_ANY})[ \u00a0]?({_NUMBER})([千万]?)(?![\d.,]?\d)", re.IGNORECASE
)


def find_amounts(text: str) -> Iterator[str]:
    """Each amount as `CNY 100.00`; *text* is in Unicode's form NFKC."""
    for match in _AFTER.finditer(text):
        yield _name(match[1], match[2], match[3])
    for match in _BEFORE.finditer(text):
        yield _name(match[2], match[3], match[1])


def _name(number: str, thousands: str, currency: str) -> str:
    value = Decimal(number.replace(",", "")) * _THOUSANDS.get(thousands, 1)
    return f"{_NAMES[currency.lower()]} {value:.2f}"
