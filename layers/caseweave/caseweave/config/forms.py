"""forms.yaml: the scenarios and guided fields of the web channel."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from caseweave.config.folder import config_folder
from caseweave.config.nodes import Node, read_file
from caseweave.domain.form_checking import OWN_NAMES
from caseweave.domain.forms import (
    ENTITIES,
    LONGEST_LINE,
    MESSAGE,
    Choice,
    Field,
    FieldKind,
    FileRule,
    Form,
)
from caseweave.domain.language import CHINESE, ENGLISH
from caseweave.domain.web_rules import CHAT

# Together with the message they have to fit into one record of the store.
LONGEST_MESSAGE = 100_000
LONGEST_FIELDS = 8_000
LARGEST_FILE = 40 * 1024 * 1024
MOST_FILES = 10
_FORM_NAME = re.compile(r"[a-z0-9-]{1,40}")
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+")
_SIZE = re.compile(r"(\d{1,3})(KB|MB)")
_UNITS = {"KB": 1024, "MB": 1024 * 1024}
# Letters, digits, classes of them, and how often each comes. Nothing nests and at most three may
# vary, so that no text takes long; and browsers read it the same way.
_ATOM = r"(?:\[[A-Za-z0-9 _./#-]+\]|[A-Za-z0-9 _/#-])"
_PATTERN = re.compile(rf"(?:{_ATOM}(?:\{{\d{{1,3}}(?:,\d{{1,3}})?\}}|[?+])?)+")
_VARIABLE = re.compile(r"\{\d+,\d+\}|[?+]")
_MOST_VARIABLE = 3
FILE_KEYS = ("media_types", "largest", "most_files")
_FIELD_KEYS = (
    "use",
    "type",
    "label",
    "hint",
    "required",
    "longest",
    "pattern",
    "least",
    "most",
    "choices",
    "entity",
    *FILE_KEYS,
)


@cache
def deployed_forms() -> dict[str, Form]:
    """The forms that were deployed with this function. Raises InvalidConfigError without any."""
    return load_forms(config_folder())


def load_forms(folder: Path) -> dict[str, Form]:
    """The forms by name. Raises InvalidConfigError with file, line and what to write instead."""
    root = read_file(folder / "forms.yaml").mapping("fields", "forms")
    shared = root.find("fields")
    bases = dict(shared.items()) if shared else {}
    for base in bases.values():
        _read_field("shared", base, {})
    return {name: _read_form(name, form, bases) for name, form in root.get("forms").items()}


def check_claims(folder: Path) -> None:
    """Every form that a playbook claims exists. Raises InvalidConfigError."""
    forms = load_forms(folder)
    claimed: dict[str, str] = {}
    for playbook in read_file(folder / "playbooks.yaml").get("playbooks").each():
        for form in _claims(playbook):
            name = form.one_of(forms)
            if name in claimed:
                raise form.fail(f"the playbook {claimed[name]!r} has this form already")
            claimed[name] = playbook.get("category").text()


def _claims(playbook: Node) -> Iterator[Node]:
    forms = playbook.find("forms")
    return forms.each() if forms else iter(())


def _read_form(name: str, node: Node, bases: dict[str, Node]) -> Form:
    if not _FORM_NAME.fullmatch(name):
        raise node.fail("name it with small letters, digits and dashes: it is part of an address")
    if name == CHAT:
        raise node.fail("this is what the live chat is called; use another name")
    node.mapping("title", "intro", "fields")
    fields = tuple(_read_field(key, field, bases) for key, field in node.get("fields").items())
    if MESSAGE not in {field.name for field in fields}:
        raise node.get("fields").fail(f"add `{MESSAGE}:`, what went wrong in the customer's words")
    if sum(_room(field) for field in fields) > LONGEST_FIELDS:
        raise node.get("fields").fail(
            f"all fields beside `{MESSAGE}` take at most {LONGEST_FIELDS} characters together; "
            "write smaller `longest:`"
        )
    return Form(name, _words(node.get("title")), _words(node.get("intro")), fields)


def _room(field: Field) -> int:
    return 0 if field.name == MESSAGE or field.files else field.longest


def _read_field(name: str, node: Node, bases: dict[str, Node]) -> Field:
    if not _FIELD_NAME.fullmatch(name):
        raise node.fail("name it with small letters, digits and _: it is the name of a field")
    if name in OWN_NAMES:
        raise node.fail("this name has a meaning of its own; use another")
    said = _Said(node.mapping(*_FIELD_KEYS), bases)
    kind = FieldKind(said.get("type").one_of([str(one) for one in FieldKind]))
    if name == MESSAGE and kind is not FieldKind.LONG_TEXT:
        raise said.get("type").fail("write long_text: it is the message that agents read")
    _check_keys(kind, said)
    required, entity = said.find("required"), said.find("entity")
    hint = said.find("hint")
    return Field(
        name=name,
        kind=kind,
        label=_words(said.get("label")),
        hint=_words(hint) if hint else {},
        is_required=required is not None and required.one_of(("yes", "no")) == "yes",
        longest=_read_longest(name, said),
        pattern=_read_pattern(said),
        least=_read_number(said.find("least")),
        most=_read_number(said.find("most")),
        choices=_read_choices(said) if kind is FieldKind.CHOICE else (),
        entity=entity.one_of(ENTITIES) if entity else _own_entity(name, kind),
        files=read_files(said) if kind is FieldKind.FILE else None,
    )


class _Said:
    """What a field says itself, and for the rest the shared field that it uses."""

    def __init__(self, node: Node, bases: dict[str, Node]) -> None:
        self._node, used = node, node.find("use")
        self._base = bases[used.one_of(bases)] if used else None

    def find(self, key: str) -> Node | None:
        return self._node.find(key) or (self._base.find(key) if self._base else None)

    def get(self, key: str) -> Node:
        return self.find(key) or self._node.get(key)


# What only some kinds of field have.
_KEYS_OF = {
    "longest": (FieldKind.TEXT, FieldKind.LONG_TEXT),
    "pattern": (FieldKind.TEXT, FieldKind.ORDER_NO),
    "least": (FieldKind.NUMBER,),
    "most": (FieldKind.NUMBER,),
    "choices": (FieldKind.CHOICE,),
    "media_types": (FieldKind.FILE,),
    "largest": (FieldKind.FILE,),
    "most_files": (FieldKind.FILE,),
}


def _check_keys(kind: FieldKind, said: _Said) -> None:
    for key, kinds in _KEYS_OF.items():
        found = said.find(key)
        if found is not None and kind not in kinds:
            raise found.fail(f"leave it out: a field of type {kind} has none")


def _own_entity(name: str, kind: FieldKind) -> str:
    if name in ENTITIES:
        return name
    return "order_no" if kind is FieldKind.ORDER_NO else ""


def _read_longest(name: str, said: _Said) -> int:
    node = said.find("longest")
    if node is None:
        return LONGEST_LINE if said.get("type").value != FieldKind.LONG_TEXT else 2_000
    most = LONGEST_MESSAGE if name == MESSAGE else LONGEST_FIELDS
    return _whole(node, most)


def _read_pattern(said: _Said) -> str:
    node = said.find("pattern")
    if node is None:
        return ""
    pattern = node.text()
    if not _PATTERN.fullmatch(pattern):
        raise node.fail(
            "write letters, digits and classes such as [A-Z0-9], each with {4}, {4,8}, ? or + "
            'behind it if it repeats: "[A-Z]{2}[0-9]{8,12}"'
        )
    if len(_VARIABLE.findall(pattern)) > _MOST_VARIABLE:
        raise node.fail(f"at most {_MOST_VARIABLE} parts may vary in length; write {{4}} for more")
    return node.convert(_compiled, "write a range such as [A-Z] and {4,8}, the smaller one first")


def _compiled(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error:
        raise ValueError(pattern) from None
    return pattern


def _read_choices(said: _Said) -> tuple[Choice, ...]:
    choices = tuple(
        Choice(value, _words(label)) for value, label in said.get("choices").mapping().items()
    )
    if not choices:
        raise said.get("choices").fail("write at least one choice")
    for one in choices:
        if len(one.value) > LONGEST_LINE:
            raise said.get("choices").fail(f"a choice has at most {LONGEST_LINE} characters")
    return choices


def read_files(said: "_Said | Node") -> FileRule:
    """Which files are taken: types, the largest, how many."""
    media_types = said.get("media_types")
    for one in media_types.each():
        if not _MEDIA_TYPE.fullmatch(one.text()):
            raise one.fail("write a media type such as image/png")
    if not media_types.texts():
        raise media_types.fail("write at least one media type")
    largest = said.get("largest").convert(_size, "write a size such as 500KB or 10MB")
    if not 0 < largest <= LARGEST_FILE:
        raise said.get("largest").fail(f"write at most {LARGEST_FILE // _UNITS['MB']}MB")
    return FileRule(media_types.texts(), largest, _whole(said.get("most_files"), MOST_FILES))


def _read_number(node: Node | None) -> float | None:
    return None if node is None else node.convert(_finite, "write a number")


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise ValueError(text)
    return number


def _whole(node: Node, most: int) -> int:
    number = node.convert(int, f"write a number from 1 to {most}")
    if not 1 <= number <= most:
        raise node.fail(f"write a number from 1 to {most}")
    return number


def _size(text: str) -> int:
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    return int(match.group(1)) * _UNITS[match.group(2)]


def _words(node: Node) -> dict[str, str]:
    node.mapping(CHINESE, ENGLISH)
    return {language: node.get(language).text() for language in (CHINESE, ENGLISH)}
