"""Which of the two languages we answer in."""

import re

CHINESE = "zh-CN"
ENGLISH = "en"

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")


def choose_language(text: str, hint: str = "") -> str:
    """What the customer's own words show; where they show little, the *hint* (a locale)."""
    characters, words = len(_HAN.findall(text)), len(_LATIN_WORD.findall(text))
    if characters or words >= 2:
        # A Chinese name under an English mail, or a product's English name in a Chinese text.
        return CHINESE if characters >= words else ENGLISH
    return CHINESE if hint.lower().startswith("zh") else ENGLISH
