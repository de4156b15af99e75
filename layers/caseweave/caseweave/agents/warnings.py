"""What an agent is told about a reply that says a secret: it leaves as it was written."""

from collections.abc import Iterable
from typing import Any

from caseweave.domain.language import CHINESE, ENGLISH
from caseweave.domain.masking import SecretKind

_WARNINGS = {
    SecretKind.CARD_SECRET: (
        "回复中含有卡密或密码，已按原文发出。请确认收件人就是购卡人。",
        (
            "The reply has a card secret or a password in it, and left as written. Make sure that "
            "it goes to who bought it."
        ),
    ),
    SecretKind.CODE: (
        "回复中含有验证码，已按原文发出。客服不应索取或转发客户的验证码。",
        (
            "The reply has a verification code in it, and left as written. Nobody at the desk "
            "should ask for a customer's code, or pass it on."
        ),
    ),
    SecretKind.PAYMENT_CARD: (
        "回复中含有银行卡号，已按原文发出。请只写末四位。",
        "The reply has a payment card number in it, and left as written. Write its last four only.",
    ),
    SecretKind.IDENTITY_NUMBER: (
        "回复中含有证件号码，已按原文发出。请只写末四位。",
        "The reply has an identity number in it, and left as written. Write its last four only.",
    ),
}


def warn_of(kinds: Iterable[SecretKind]) -> list[dict[str, Any]]:
    """A warning for each kind, in both languages."""
    return [
        {"kind": str(kind), CHINESE: _WARNINGS[kind][0], ENGLISH: _WARNINGS[kind][1]}
        for kind in sorted(kinds)
    ]
