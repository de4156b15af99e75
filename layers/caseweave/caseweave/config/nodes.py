"""A YAML value with its place, so that every complaint says file, line and what to write."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode
from ruamel.yaml.reader import ReaderError

from caseweave.errors import InvalidConfigError

T = TypeVar("T")

_PLAIN_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a configuration file, and where it stands."""

    value: Any
    file: str
    line: int
    path: str

    def fail(self, advice: str) -> InvalidConfigError:
        return InvalidConfigError(f"{self.file}:{self.line}: {self.path or 'the file'}: {advice}")

    def mapping(self, *allowed: str) -> "Node":
        """This node, if it is a mapping whose keys are all in *allowed* (none given: any)."""
        if not isinstance(self.value, dict):
            raise self.fail("write `key: value` lines here")
        for key in self.value:
            if allowed and key not in allowed:
                raise self.child(key).fail(f"unknown; use one of: {', '.join(allowed)}")
        return self

    def get(self, key: str) -> "Node":
        """The value under *key*, which must be there."""
        self.mapping()
        if key not in self.value:
            raise self.fail(f"add `{key}:`")
        return self.child(key)

    def find(self, key: str) -> "Node | None":
        return self.child(key) if key in self.mapping().value else None

    def items(self) -> Iterator[tuple[str, "Node"]]:
        for key in self.mapping().value:
            yield str(key), self.child(key)

    def each(self) -> Iterator["Node"]:
        if not isinstance(self.value, list):
            raise self.fail("write a list: [one, two], or a `- ` line for each")
        for position, value in enumerate(self.value):
            line = _line(partial(_item_place, self.value, position), self.line)
            yield Node(value, self.file, line, f"{self.path}[{position}]")

    def text(self) -> str:
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.fail("write a text")
        return str(self.value)

    def texts(self) -> tuple[str, ...]:
        return tuple(node.text() for node in self.each())

    def convert(self, convert: Callable[[str], T], advice: str) -> T:
        """What *convert* makes of the text; its ValueError becomes *advice*."""
        try:
            return convert(str(self.value))
        except ValueError:
            raise self.fail(advice) from None

    def one_of(self, known: Any) -> str:
        if str(self.value) not in known:
            raise self.fail(f"{self.value!r} is unknown; use one of: {', '.join(sorted(known))}")
        return str(self.value)

    def child(self, key: str) -> "Node":
        line = _line(partial(_key_place, self.value, key), self.line)
        path = f"{self.path}.{key}" if self.path else str(key)
        return Node(self.value.get(key), self.file, line, path)


class _Constructor(RoundTripConstructor):
    """Takes every value as the text it is: whoever reads it knows whether it is a date."""

    def construct_object(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002
        if isinstance(node, ScalarNode):
            return node.value
        if node.tag not in _PLAIN_TAGS:
            raise ConstructorError(None, None, f"leave out {node.tag}", node.start_mark)
        keys = [key for key, _ in node.value] if isinstance(node, MappingNode) else []
        for key in keys:
            if not isinstance(key, ScalarNode):
                raise ConstructorError(None, None, "write a name before the :", key.start_mark)
        return super().construct_object(node, deep)


def read_file(path: Path) -> Node:
    """The root of a file. Raises InvalidConfigError if it is missing or no YAML."""
    try:
        content = path.read_bytes()
    except OSError:
        raise InvalidConfigError(f"{path.name} is missing in {path.parent}") from None
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidConfigError(f"{path.name}:{line}: save the file as UTF-8") from None
    return Node(_load(text, path.name), path.name, 1, "")


def _load(text: str, file: str) -> Any:
    yaml = YAML(typ="rt", pure=True)
    yaml.Constructor = _Constructor
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, problem = mark.line + 1 if mark else 1, error.problem
    except ReaderError as error:
        line, problem = text.count("\n", 0, error.position) + 1, error.reason
    except (YAMLError, RecursionError, AssertionError) as error:
        # ruamel asserts that a `%YAML` line asks for a version it knows.
        line, problem = 1, str(error)
    raise InvalidConfigError(f"{file}:{line}: not YAML: {problem}")


def _item_place(value: Any, position: int) -> tuple[int, int]:
    place: tuple[int, int] = value.lc.item(position)
    return place


def _key_place(value: Any, key: str) -> tuple[int, int]:
    place: tuple[int, int] = value.lc.key(key)
    return place


def _line(find: Callable[[], tuple[int, int]], default: int) -> int:
    """The line as people count; plain values know none and stand where their parent does."""
    try:
        return find()[0] + 1
    except (AttributeError, KeyError, TypeError):
        return default
