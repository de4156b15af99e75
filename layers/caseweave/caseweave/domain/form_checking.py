"""Is a form filled in rightly, and if not, what to write in which field, in the asked language."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from caseweave.domain.continuing import CONTINUED_BY, CONTINUES
from caseweave.domain.form_advice import advise, refuse
from caseweave.domain.form_schema import PATTERNS
from caseweave.domain.forms import (
    ENTITIES,
    LONGEST_LINE,
    MESSAGE,
    SUBJECT,
    Field,
    FieldKind,
    Form,
    word,
)

# What a page adds of its own is kept with the message, up to here; the ledger has all of it.
MOST_EXTRAS = 20
_EXTRA_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}", re.ASCII)
# Names with a meaning of their own, beside the text itself: nobody outside may set these.
OWN_NAMES = frozenset(
    {"form", "body", "contact", "locale", "human_check", "reference", "member", "tier", "role"}
    | {CONTINUES, CONTINUED_BY}
)
# Contact details are claims of their own, whether typed at the top or under `contact`.
CONTACT_NAMES = ("name", "email", "phone")


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was filled in: what is wrong in it was refused before.

    `uploads` are (field, token) pairs, `contact` what was typed of name, email and phone.
    """

    form: str
    message: str
    subject: str
    locale: str
    fields: Mapping[str, str]
    uploads: tuple[tuple[str, str], ...]
    contact: Mapping[str, str]


class FieldError(ValueError):
    """What is wrong with one field, as a key of the advice and what it is about."""

    def __init__(self, advice: str, about: str = "") -> None:
        super().__init__(advice)
        self.advice, self.about = advice, about


def check_form(form: Form, said: Mapping[str, Any], language: str) -> Filled:
    """What the customer filled in. Raises InvalidRequestError, which names each wrong field."""
    typed = _with_contact(said)
    if MESSAGE not in typed and "body" in typed:
        typed = {**typed, MESSAGE: typed["body"]}
    values: dict[str, str] = {}
    uploads: list[tuple[str, str]] = []
    errors: list[tuple[str, str]] = []
    for field in form.fields:
        try:
            if field.files is not None:
                tokens = _read_tokens(field, typed.get(field.name))
                uploads += [(field.name, token) for token in tokens]
            else:
                values[field.name] = _read_value(field, typed.get(field.name), language)
        except FieldError as error:
            errors.append((field.name, advise(error.advice, language, error.about)))
    if errors:
        raise refuse(language, *errors)
    extras = _read_extras(form, typed)
    return Filled(
        form=form.name,
        message=values.get(MESSAGE, ""),
        subject=values.get(SUBJECT) or as_text(typed.get(SUBJECT))[:LONGEST_LINE],
        locale=as_text(typed.get("locale"))[:20],
        fields={"form": form.name, **extras, **_name_fields(form, values)},
        uploads=tuple(uploads),
        contact=_read_contact(typed),
    )


def as_text(value: Any) -> str:
    """A text or a number as text; "" for anything else. Half a surrogate pair cannot be stored."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return str(value) if _is_number(value) else ""


def _with_contact(said: Mapping[str, Any]) -> Mapping[str, Any]:
    contact = said.get("contact")
    if not isinstance(contact, dict):
        return said
    return {**said, **{name: contact[name] for name in CONTACT_NAMES if name in contact}}


def _read_contact(typed: Mapping[str, Any]) -> dict[str, str]:
    """A name may be cut; an address that is cut would be somebody else's."""
    said = {name: as_text(typed.get(name)) for name in CONTACT_NAMES}
    return {
        name: text[:LONGEST_LINE] if name == "name" else text
        for name, text in said.items()
        if name == "name" or len(text) <= LONGEST_LINE
    }


def _read_value(field: Field, value: Any, language: str) -> str:
    """The value as text, "" for none. Raises FieldError."""
    if not (value is None or isinstance(value, str) or _is_number(value)):
        raise FieldError("text")
    text = as_text(value)
    if field.kind is not FieldKind.LONG_TEXT:
        text = text.strip()
    if not text.strip():
        if field.is_required:
            raise FieldError("required")
        return text
    if len(text) > field.longest:
        raise FieldError("long", str(field.longest))
    if field.kind is FieldKind.CHOICE:
        return _read_choice(field, text, language)
    if field.kind is FieldKind.NUMBER:
        return _read_number(field, text)
    pattern = field.pattern or PATTERNS.get(field.kind, "")
    if pattern and re.fullmatch(pattern, text) is None:
        if field.pattern:
            raise FieldError("pattern", word(field.hint or field.label, language))
        raise FieldError(str(field.kind))
    return text


def _read_choice(field: Field, text: str, language: str) -> str:
    if text not in {one.value for one in field.choices}:
        known = ", ".join(f"{one.value} ({word(one.label, language)})" for one in field.choices)
        raise FieldError("choice", known)
    return text


def _read_number(field: Field, text: str) -> str:
    try:
        number = float(text)
    except ValueError:
        raise FieldError("number") from None
    if not math.isfinite(number):
        raise FieldError("number")
    if field.least is not None and number < field.least:
        raise FieldError("least", f"{field.least:g}")
    if field.most is not None and number > field.most:
        raise FieldError("most", f"{field.most:g}")
    return text


def _read_tokens(field: Field, value: Any) -> tuple[str, ...]:
    """The upload tokens of a field of files: a list, or the only one. Raises FieldError."""
    if value is None or value == "":
        value = []
    tokens = value if isinstance(value, list) else [value]
    if not all(isinstance(token, str) and token for token in tokens):
        raise FieldError("files")
    if field.is_required and not tokens:
        raise FieldError("required")
    if field.files is not None and len(tokens) > field.files.most:
        raise FieldError("most_files", str(field.files.most))
    return tuple(dict.fromkeys(tokens))


def _read_extras(form: Form, typed: Mapping[str, Any]) -> dict[str, str]:
    """What the page sent beside the form's own fields, as far as it is short and plain.

    `order_no`, `product` and `error_code` are understood from every form, so they come first.
    """
    declared = {field.name for field in form.fields}
    names = sorted(typed, key=lambda name: name not in ENTITIES)
    extras: dict[str, str] = {}
    for name in names:
        is_ours = name in {*declared, MESSAGE, SUBJECT, *CONTACT_NAMES} or name in OWN_NAMES
        text = as_text(typed[name])[:LONGEST_LINE]
        if not is_ours and text and _EXTRA_NAME.fullmatch(name) and len(extras) < MOST_EXTRAS:
            extras[name] = text
    return extras


def _name_fields(form: Form, values: Mapping[str, str]) -> dict[str, str]:
    """The values for agents by field, and for triage and search by what they mean."""
    known = {
        name: value
        for name, value in values.items()
        if value and name not in (MESSAGE, SUBJECT, *CONTACT_NAMES)
    }
    meant = {
        field.entity: values[field.name]
        for field in form.fields
        if field.entity and values.get(field.name) and field.entity not in known
    }
    return {**known, **meant}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
