"""How many SMS parts a text takes: https://www.twilio.com/docs/glossary/what-sms-character-limit"""

# GSM 03.38: one septet each, and the extension table at two septets each.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")


def count_segments(text: str) -> int:
    if all(character in _BASIC or character in _EXTENDED for character in text):
        septets = len(text) + sum(character in _EXTENDED for character in text)
        return _parts(septets, alone=160, joined=153)
    return _parts(len(text.encode("utf-16-le")) // 2, alone=70, joined=67)


def _parts(length: int, *, alone: int, joined: int) -> int:
    return 1 if length <= alone else -(-length // joined)
