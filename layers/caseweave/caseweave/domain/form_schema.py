"""A form as the customer's page gets it: JSON Schema with hints for drawing it.

https://json-schema.org/draft/2020-12 ; the server takes whatever this schema allows.
"""

from collections.abc import Mapping
from typing import Any

from caseweave.domain.forms import Field, FieldKind, Form, word

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_FORMATS = {FieldKind.EMAIL: "email"}
# What each kind is written like; the server also takes spaces around it.
PATTERNS = {
    FieldKind.EMAIL: r"[^\s@]{1,64}@[^\s@]{1,120}\.[^\s@]{2,15}",
    FieldKind.PHONE: r"\+?[0-9][0-9 ()-]{4,22}[0-9]",
    FieldKind.ORDER_NO: r"[A-Za-z0-9][A-Za-z0-9_-]{3,39}",
}
UPLOADS_PATH = "/intake/web/uploads"


def describe_form(form: Form, language: str, human_check: Mapping[str, str]) -> dict[str, Any]:
    """The schema of what is posted to the form.

    `x-order` is the order of the questions, `x-widget` how to ask each, and `x-human-check` (if
    anonymous customers have to pass one) the verifier and its site key.
    """
    schema: dict[str, Any] = {
        "$schema": DIALECT,
        "$id": f"/intake/web/forms/{form.name}",
        "title": word(form.title, language),
        "description": word(form.intro, language),
        "type": "object",
        "properties": {field.name: _describe(field, language) for field in form.fields},
        "required": [field.name for field in form.fields if field.is_required],
        "x-language": language,
        "x-order": [field.name for field in form.fields],
    }
    if human_check:
        schema["x-human-check"] = dict(human_check)
    return schema


def list_form(form: Form, language: str) -> dict[str, str]:
    """The line that leads to a form."""
    return {
        "name": form.name,
        "title": word(form.title, language),
        "description": word(form.intro, language),
        "schema": f"/intake/web/forms/{form.name}",
    }


def _describe(field: Field, language: str) -> dict[str, Any]:
    described: dict[str, Any] = {
        "title": word(field.label, language),
        "x-widget": str(field.kind),
        **_describe_value(field, language),
    }
    hint = word(field.hint, language)
    return described | {"description": hint} if hint else described


def _describe_value(field: Field, language: str) -> dict[str, Any]:
    if field.files is not None:
        return {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1 if field.is_required else 0,
            "maxItems": field.files.most,
            "x-upload": {
                "address": UPLOADS_PATH,
                "media_types": list(field.files.media_types),
                "largest": field.files.largest,
            },
        }
    if field.kind is FieldKind.NUMBER:
        bounds = {"minimum": field.least, "maximum": field.most}
        return {"type": "number"} | {k: v for k, v in bounds.items() if v is not None}
    if field.kind is FieldKind.CHOICE:
        options = [
            {"const": one.value, "title": word(one.label, language)} for one in field.choices
        ]
        return {"type": "string", "oneOf": options}
    return _describe_text(field)


def _describe_text(field: Field) -> dict[str, Any]:
    described: dict[str, Any] = {"type": "string", "maxLength": field.longest}
    pattern = field.pattern or PATTERNS.get(field.kind, "")
    if pattern:
        # A field that may be left out may also be left empty.
        described["pattern"] = f"^{pattern}$" if field.is_required else f"^({pattern})?$"
    elif field.is_required:
        described["pattern"] = r"\S"
    if field.kind in _FORMATS and field.is_required:
        described["format"] = _FORMATS[field.kind]
    return described
