"""Which of the two languages we answer in."""

import re

CHINESE = "zh-CN"
ENGLISH = "en"

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")
_WEIGHT = re.compile(r"q=([01](?:\.\d{0,3})?)")


def choose_language(text: str, hint: str = "") -> str:
    """What the customer's own words show; where they show little, the *hint* (a locale)."""
    characters, words = len(_HAN.findall(text)), len(_LATIN_WORD.findall(text))
    if characters or words >= 2:
        # A Chinese name under an English mail, or a product's English name in a Chinese text.
        return CHINESE if characters >= words else ENGLISH
    return CHINESE if hint.lower().startswith("zh") else ENGLISH


def prefer_language(accepted: str) -> str:
    """The one of ours that an `Accept-Language` (or a single tag) asks for first; else English.

    https://www.rfc-editor.org/rfc/rfc9110#name-accept-language
    """
    ranked = []
    for position, entry in enumerate(accepted[:500].lower().split(",")):
        tag, _, parameter = entry.partition(";")
        weight = _WEIGHT.fullmatch(parameter.strip()) if parameter else None
        rank = float(weight.group(1)) if weight else 1.0
        for prefix, language in (("zh", CHINESE), ("en", ENGLISH)):
            if tag.strip().partition("-")[0] == prefix and rank > 0:
                ranked.append((-rank, position, language))
    return min(ranked)[2] if ranked else ENGLISH
