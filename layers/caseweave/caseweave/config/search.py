"""`search.yaml`: the desk's own numbers, and how much of the texts is indexed."""

import re
from functools import cache

from caseweave.config.durations import read_duration
from caseweave.config.nodes import Node
from caseweave.domain.search_rules import MOST_TERMS, Scope, SearchRules

# Letters, digits, classes of them, and how often each comes. Nothing nests, counts are small and
# at most two may vary, so that every place of a text is done with after some hundred steps.
_ATOM = r"(?:\[[A-Za-z0-9_./#-]+\]|[A-Za-z0-9_/#-])"
_PATTERN = re.compile(rf"(?:{_ATOM}(?:\{{\d{{1,2}}(?:,\d{{1,2}})?\}}|\?)?)+")
_VARIABLE = re.compile(r"\{\d+,\d+\}|\?")
_COUNT = re.compile(r"\{(\d+)(?:,(\d+))?\}")
_MOST_VARIABLE = 2
_HIGHEST_COUNT = 32
_LONGEST_PATTERN = 100
_MOST_PATTERNS = 10
_COUNTRY_CODE = re.compile(r"[1-9]\d{0,2}", re.ASCII)
_PATTERN_ADVICE = (
    "write letters, digits, [classes] and counts up to {32}, of which at most two vary: "
    '"TX-[0-9]{8,12}"'
)


def read_search_rules(root: Node) -> SearchRules:
    """Raises InvalidConfigError with file, line and what to write instead."""
    root.mapping("order_numbers", "error_codes", "phones", "text")
    phones = root.find("phones")
    text = root.get("text").mapping("messages", "most_terms", "kept")
    kept = text.get("kept").convert(read_duration, "write a time such as 400d")
    if kept.days < 1:
        raise text.get("kept").fail("write at least 1d")
    return SearchRules(
        order_numbers=_read_patterns(root.find("order_numbers")),
        error_codes=_read_patterns(root.find("error_codes")),
        country_code=_read_country(phones) if phones else "",
        local_phone=_read_pattern(phones.get("local")) if phones else None,
        scope=Scope(text.get("messages").one_of([str(scope) for scope in Scope])),
        most_terms=text.get("most_terms").convert(
            _read_count, f"write a whole number from 1 to {MOST_TERMS}"
        ),
        kept=kept,
    )


def _read_country(node: Node) -> str:
    code = node.mapping("country_code", "local").get("country_code").text()
    if not _COUNTRY_CODE.fullmatch(code):
        raise node.get("country_code").fail('write the digits alone, in quotes: "86"')
    return code


def _read_patterns(node: Node | None) -> tuple[re.Pattern[str], ...]:
    found = tuple(_read_pattern(one) for one in node.each()) if node else ()
    if node and len(found) > _MOST_PATTERNS:
        raise node.fail(f"write at most {_MOST_PATTERNS} patterns")
    return found


def _read_pattern(node: Node) -> re.Pattern[str]:
    return node.convert(_compile, _PATTERN_ADVICE)


@cache
def _compile(source: str) -> re.Pattern[str]:
    counts = [int(one) for match in _COUNT.finditer(source) for one in match.groups() if one]
    if (
        len(source) > _LONGEST_PATTERN
        or not _PATTERN.fullmatch(source)
        or len(_VARIABLE.findall(source)) > _MOST_VARIABLE
        or max(counts, default=1) > _HIGHEST_COUNT
    ):
        raise ValueError(source)
    try:
        if re.fullmatch(source, ""):
            raise ValueError(source)
        return re.compile(rf"(?<![A-Za-z0-9-]){source}(?![A-Za-z0-9])", re.IGNORECASE)
    except re.error:
        raise ValueError(source) from None


def _read_count(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0
    if not 1 <= number <= MOST_TERMS:
        raise ValueError(text)
    return number
