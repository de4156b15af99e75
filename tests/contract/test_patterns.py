"""No regular expression of ours can be made to try exponentially many ways.

Every pattern is read as the automaton of its characters. Where a text leads from one character
back to it by two ways, each repetition of that text doubles what a failing match has to try.
"""

import ast
import importlib
import pkgutil
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from re import _constants as sre
from re import _parser as sre_parser

import pytest

import caseweave

TAKES_PATTERN = ("compile", "search", "match", "fullmatch", "split", "findall", "finditer")
TAKES_PATTERN += ("sub", "subn")
# What is only known when it is used, and why no text makes it slow.
BUILT_LATER = {
    "caseweave.channels.html_page": "of its own list of tags, all of which are checked as built",
    "caseweave.channels.html_text": "of its own list of tags, all of which are checked as built",
    "caseweave.channels.mime_parts": "an escaped boundary before a pattern that repeats no repeat",
    "caseweave.channels.ses_verdicts": "of its own list of checks, which are checked as built",
    "caseweave.config.forms": "a pattern of the desk, which forms.py has read: nothing in it nests",
    "caseweave.config.search": "a pattern of the desk, in which nothing nests and counts are small",
    "caseweave.domain.form_checking": "a pattern of the desk, which forms.py has let in",
    "caseweave.storage.leftovers": "escaped addresses, one or the other, which repeat nothing",
    "caseweave.domain.triage": "an escaped word of the desk, which repeats nothing",
}
SOME = [*map(chr, range(128)), *"é中文。：１ａ\u2028\u3000\u00a0\ud7ff\U0001f600"]
CATEGORIES = {
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
}
REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)
LONGEST_WRITTEN_OUT = 8


@dataclass
class Automaton:
    """One state a character of the pattern; how often each follows which."""

    flags: int
    alphabet: list[str]
    reads: list[frozenset[str]] = field(default_factory=list)
    follows: Counter = field(default_factory=Counter)
    is_ambiguous: bool = False

    def add(self, pattern):
        """(can it be empty, states it begins with, states it ends with) of a sequence."""
        empty, first, last = True, set(), set()
        for operation, argument in pattern:
            may_skip, begins, ends = self._add_one(operation, argument)
            self.follows.update(product(last, begins))
            first |= begins if empty else set()
            last = ends | (last if may_skip else set())
            empty = empty and may_skip
        return empty, first, last

    def _add_one(self, operation, argument):
        match operation:
            case sre.AT | sre.ASSERT | sre.ASSERT_NOT:
                return True, set(), set()
            case sre.SUBPATTERN:
                return self.add(argument[-1])
            case sre.ATOMIC_GROUP:
                return self.add(argument)
            case sre.BRANCH:
                ways = [self.add(way) for way in argument[1]]
                # `a|a` is read as an `a` and two ways to go on with nothing.
                self.is_ambiguous |= sum(way[0] for way in ways) > 1
                return (
                    any(way[0] for way in ways),
                    set().union(*(way[1] for way in ways)),
                    set().union(*(way[2] for way in ways)),
                )
            case repeat if repeat in REPEATS:
                return self._repeat(*argument)
        self.reads.append(self._characters(operation, argument))
        return False, {len(self.reads) - 1}, {len(self.reads) - 1}

    def _repeat(self, least, most, body):
        if least == most <= LONGEST_WRITTEN_OUT:
            return self.add([one for _ in range(least) for one in body])
        may_skip, begins, ends = self.add(body)
        # A bound is a big number: up to it, it is as slow as without.
        if most > 1:
            self.follows.update(product(ends, begins))
        return may_skip or not least, begins, ends

    def _characters(self, operation, argument):
        found = {one for one in self.alphabet if self._is_read(operation, argument, one)}
        if self.flags & re.IGNORECASE:
            found |= {other for one in found for other in (one.lower(), one.upper())}
        return frozenset(found)

    def _is_read(self, operation, argument, one):
        match operation:
            case sre.LITERAL:
                return ord(one) == argument
            case sre.NOT_LITERAL:
                return ord(one) != argument
            case sre.ANY:
                return one != "\n" or bool(self.flags & re.DOTALL)
            case sre.RANGE:
                return argument[0] <= ord(one) <= argument[1]
            case sre.CATEGORY:
                return re.match(CATEGORIES[argument], one, self.flags & re.ASCII) is not None
            case sre.IN:
                negated = argument[0][0] is sre.NEGATE
                listed = any(self._is_read(*each, one) for each in argument[negated:])
                return listed != negated
        raise AssertionError(f"{operation} is not known to this check")


def reached(starts, edges):
    found, waiting = set(), list(starts)
    while waiting:
        for after in edges.get(waiting.pop(), ()):
            if after not in found:
                found.add(after)
                waiting.append(after)
    return found


def assertions(pattern):
    """What is looked for ahead and behind: matched by itself, from one place."""
    for operation, argument in pattern:
        if operation in (sre.ASSERT, sre.ASSERT_NOT):
            yield argument[1]
        if operation is sre.BRANCH:
            inner = argument[1]
        elif operation in REPEATS or operation in (sre.SUBPATTERN, sre.ASSERT, sre.ASSERT_NOT):
            inner = [argument[-1]]
        else:
            inner = [argument] if operation is sre.ATOMIC_GROUP else []
        for one in inner:
            yield from assertions(one)


def characters_of(source):
    return sorted({*SOME, *source, *(chr(min(ord(one) + 1, 0x10FFFF)) for one in source)})


def is_exponential(source, flags=0):
    parsed = sre_parser.parse(source, flags)
    text = source.decode("latin-1") if isinstance(source, bytes) else source
    return any(
        _has_two_ways_round(one, parsed.state.flags, characters_of(text))
        for one in (parsed, *assertions(parsed))
    )


def _has_two_ways_round(pattern, flags, alphabet):
    automaton = Automaton(flags, alphabet)
    automaton.add(pattern)
    edges = {}
    for before, after in automaton.follows:
        edges.setdefault(before, []).append(after)
    reach = {state: reached([state], edges) for state in edges}
    in_loop = {
        (one, other): times
        for (one, other), times in automaton.follows.items()
        if one in reach.get(other, ())
    }
    if automaton.is_ambiguous or any(times > 1 for times in in_loop.values()):
        return True
    onward = {}
    for before, after in in_loop:
        onward.setdefault(before, []).append(after)
    return any(_leaves_and_returns(state, onward, automaton.reads) for state in onward)


def _leaves_and_returns(state, onward, reads):
    """Do two different ways lead from *state* to itself with the same text?"""
    pairs, waiting, back = {(state, state)}, [(state, state)], {}
    while waiting:
        here = waiting.pop()
        for there in product(onward.get(here[0], ()), onward.get(here[1], ())):
            if reads[there[0]] & reads[there[1]]:
                back.setdefault(there, []).append(here)
                if there not in pairs:
                    pairs.add(there)
                    waiting.append(there)
    return any(one != other for one, other in reached([(state, state)], back))


def patterns_of(module):
    """(name, pattern, flags) of all that a module compiles, and the lines it builds later."""
    found, later = [], []
    for node in ast.walk(ast.parse(Path(module.__file__).read_text("utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        called = node.func
        is_of_re = isinstance(called.value, ast.Name) and called.value.id == "re"
        if not (is_of_re and called.attr in TAKES_PATTERN):
            continue
        try:
            pattern, *others = (_evaluate(one, module) for one in (node.args[0], *_flags(node)))
        except NameError:
            later.append(node.lineno)
        else:
            found.append((f"{module.__name__}:{node.lineno}", pattern, *(others or [0])))
    for name, value in vars(module).items():
        held = value.values() if isinstance(value, dict) else [value]
        for one in held:
            if isinstance(one, re.Pattern):
                flags = one.flags & ~(re.UNICODE if isinstance(one.pattern, str) else 0)
                found.append((f"{module.__name__}.{name}", one.pattern, flags))
    return found, later


def _flags(call):
    if call.func.attr == "compile" and len(call.args) > 1:
        return [call.args[1]]
    return [one.value for one in call.keywords if one.arg == "flags"]


def _evaluate(node, module):
    return eval(compile(ast.Expression(node), module.__file__, "eval"), vars(module))


MODULES = [
    importlib.import_module(one.name)
    for one in pkgutil.walk_packages(caseweave.__path__, "caseweave.")
    if "import re\n" in Path(importlib.util.find_spec(one.name).origin).read_text("utf-8")
]
FOUND = {module.__name__: patterns_of(module) for module in MODULES}
PATTERNS = [one for found, _ in FOUND.values() for one in found]


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            r"(a+)+b",
            r"(a*)*b",
            r"(a|a)*b",
            r"(a|ab|b)*c",
            r"(\s*x\s*)+y",
            r"(a*b*)*c",
            r"(?:a?b?)*",
        ),
        *(r"([a-z]+[0-9a-z]*)*!", r"(\w+\s?)+:", r"x(?=(a+)+b)", r"(?i)(ab|Ab)+c", r"(.|xx)*y"),
        *(r"(a{1,50}){1,50}b", r"(?:[^<]|<[^>]*>|>)*(?:<a*a*)*", rb"(aa|\w)*-", r"(?:a(b|c+)*)+c"),
    ],
)
def test_a_pattern_of_exponentially_many_ways_is_found(pattern):
    assert is_exponential(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"a+b+", r"(ab)*a", r"(?:-\d{2,})*", r"^((re|回复)\s*[:：]\s*)+", r"(\d{1,3}\.){3}\d"),
        *(
            r"(?:[^\"'>]|\"[^\"]*\")*>",
            r"(?:a|b)*",
            r"(?:[0-9a-f]{2})*",
            r".*\bfor .*;",
            r"\s*\n\s*",
        ),
    ],
)
def test_a_pattern_with_one_way_through_every_loop_is_not(pattern):
    assert not is_exponential(pattern)


@pytest.mark.parametrize(("name", "pattern", "flags"), PATTERNS, ids=[one[0] for one in PATTERNS])
def test_no_pattern_of_ours_has_exponentially_many_ways(name, pattern, flags):
    assert not is_exponential(pattern, flags), f"{name}: {pattern!r}"


def test_every_pattern_is_looked_at_or_named_with_its_reason():
    assert {name for name, (_, later) in FOUND.items() if later} == set(BUILT_LATER)
    assert len(PATTERNS) > 150
