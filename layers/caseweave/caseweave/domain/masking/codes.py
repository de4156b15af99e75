"""Verification codes: four to eight digits near a word for one. Nothing of them is shown."""

import re
from bisect import bisect_left
from dataclasses import dataclass

from caseweave.domain.masking.text import BLOCK, Atom, Finding, SecretKind, found, list_number_runs

_WORD = re.compile(
    r"验证码|校验码|认证码|动态码|动态密码|动态口令|短信码|安全码|提取码|登录码|確認碼|驗證碼|"
    r"(?<![0-9A-Za-z\u2588])(?:otp|passcode|cvv2?|cvc2?|pin(?: code)?|2fa|one[- ]time[- ]password|"
    r"(?:verification|security|login|access|confirmation|authentication|one[- ]time)"
    r" (?:code|pin)s?|"
    # A code of these is no secret.
    r"(?<!error )(?<!status )(?<!country )(?<!area )(?<!zip )(?<!postal )(?<!post )(?<!exit )"
    r"(?<!response )(?<!return )(?<!qr )(?<!bar )(?<!product )(?<!item )(?<!source )(?<!bank )"
    r"(?<!swift )(?<!sort )(?<!tax )(?<!http )(?<!reason )(?<!fault )(?<!result )"
    r"codes?)(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_NEAR = 24
_FEWEST, _MOST = 4, 8
_DIRECTLY = re.compile(
    r"[\s:=,.，。：、\"'“”‘’「『（(【\[<>!！~-]*(?:(?:是|为|即|is|was)[\s:=\"'-]*)?", re.IGNORECASE
)
_CALLED_OTHERWISE = re.compile(
    r"(?:订单|单号|流水|金额|余额|电话|手机|尾号|编号|错误码|错误代码|客服|热线|"
    r"(?<![0-9A-Za-z\u2588])(?:order|amount|phone|tel|error|ref|reference|ticket|ending in))"
    r"[\s号码是为:#.]{0,4}(?:(?:no|number|is)[\s:#.]{0,3})?$|[¥￥$€£#]\s?$",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"\s?(?:元|块|圆|円|分钟|小时|秒|天|年|月|日|次|个|条|点|%|(?:usd|cny|rmb|eur|minutes?|hours?"
    r"|seconds?|days?|times|points?|yuan|dollars?)(?![A-Za-z0-9]))",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:19|20)\d\d[ -]?(?:0?[1-9]|1[0-2])[ -]?(?:0?[1-9]|[12]\d|3[01])|(?:19|20)\d\d"
)
_LABEL_WINDOW = 32


@dataclass(frozen=True, slots=True)
class _Number:
    start: int
    end: int
    atoms: list[Atom]


def find_codes(folded: str) -> list[Finding]:
    words = [(match.start(), match.end()) for match in _WORD.finditer(folded)]
    if not words:
        return []
    numbers = _list_numbers(folded)
    starts = [number.start for number in numbers]
    codes: dict[int, _Number] = {}
    for start, end in words:
        # Of the sign "code: 1234" the number comes after; only where none does, it came before.
        first, last = bisect_left(starts, end), bisect_left(starts, end + _NEAR)
        after = [one for one in numbers[first:last] if _may_be_code(folded, end, one)]
        if not after and BLOCK not in folded[end : end + _NEAR + _MOST]:
            earliest = bisect_left(starts, start - _NEAR - 2 * _MOST)
            after = [
                one
                for one in numbers[earliest : bisect_left(starts, start)]
                if one.end >= start - _NEAR and _is_no_other(folded, one)
            ]
        codes.update((one.start, one) for one in after)
    return [found(SecretKind.CODE, one.atoms) for _, one in sorted(codes.items())]


def _list_numbers(folded: str) -> list[_Number]:
    numbers = [_Number(run[0].start, run[-1].end, run) for run in list_number_runs(folded)]
    return [
        number
        for number in numbers
        if _FEWEST <= sum(len(atom.value) for atom in number.atoms) <= _MOST
        and not _is_fraction(folded, number)
        and not _is_part_of_name(folded, number)
        and _UNIT.match(folded, number.end) is None
    ]


def _is_fraction(folded: str, number: _Number) -> bool:
    """A part of an amount, of a time, of a version: with a digit behind a point beside it."""
    before = folded[max(0, number.start - 2) : number.start]
    after = folded[number.end : number.end + 2]
    return (len(before) == 2 and before[0].isdecimal() and before[1] in ".:/") or (
        len(after) == 2 and after[1].isdecimal() and after[0] in ".:/"
    )


def _is_part_of_name(folded: str, number: _Number) -> bool:
    """Of a case's reference, of an article: `C-7K3F-2913`. But G-482913 is a code."""
    before = folded[max(0, number.start - 3) : number.start]
    after = folded[number.end : number.end + 2]
    is_prefixed = before[-1:] == "-" and before[-2:-1].isalnum() and before[-2:].isascii()
    is_code = len(number.atoms) == 1 and not before[-3:-2].isalnum()
    continues = after[:1] == "-" and after[1:].isalnum() and after.isascii()
    return (is_prefixed and not is_code) or continues


def _may_be_code(folded: str, word_end: int, number: _Number) -> bool:
    between = folded[word_end : number.start]
    return _DIRECTLY.fullmatch(between) is not None or _is_no_other(folded, number)


def _is_no_other(folded: str, number: _Number) -> bool:
    before = folded[max(0, number.start - _LABEL_WINDOW) : number.start]
    return (
        _CALLED_OTHERWISE.search(before) is None
        and _DATE.fullmatch(folded, number.start, number.end) is None
    )
