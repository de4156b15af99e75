"""Masking with the desk's own shapes: of what agents are shown, and of what the bus is told."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from caseweave.config.privacy import deployed_shapes
from caseweave.domain.masking import Masked, SecretKind, find_secrets, mask_field, mask_text
from caseweave.domain.message import Message

# Made by us, and of no use to anybody once changed.
_NAMES = ("_id", "digest", "chain", "sha256")


def mask_shown(text: str) -> Masked:
    """A text as agents are shown it."""
    return mask_text(text, deployed_shapes())


def find_shown(text: str) -> frozenset[SecretKind]:
    """What kinds of secrets are in a text."""
    return frozenset(finding.kind for finding in find_secrets(text, deployed_shapes()))


def mask_message(message: Message) -> tuple[Message, frozenset[SecretKind]]:
    """The message as lists and timelines show it, and what was masked in it."""
    kinds: set[SecretKind] = set()

    def mask(text: str) -> str:
        masked = mask_shown(text)
        kinds.update(masked.kinds)
        return masked.text

    shapes = deployed_shapes()
    fields = {name: mask_field(name, value, shapes) for name, value in message.fields.items()}
    kinds.update(*(field.kinds for field in fields.values()))
    shown = replace(
        message,
        subject=mask(message.subject),
        body=mask(message.body),
        quoted=mask(message.quoted),
        author=mask(message.author),
        fields={name: field.text for name, field in fields.items()},
        attachments=tuple(replace(one, name=mask(one.name)) for one in message.attachments),
        quick_replies=tuple(map(mask, message.quick_replies)),
    )
    return shown, frozenset(kinds)


def describe_mask(kinds: Iterable[SecretKind]) -> dict[str, Any]:
    """How the API says what was masked in what it shows."""
    listed = sorted(map(str, kinds))
    return {"masked": bool(listed), "masked_kinds": listed}


def mask_values(value: Any) -> Any:
    """A JSON value with every text in it masked, but for ids and digests."""
    if isinstance(value, Mapping):
        return {
            name: inner if name.endswith(_NAMES) else _mask_named(name, inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [mask_values(inner) for inner in value]
    return mask_shown(value).text if isinstance(value, str) else value


def _mask_named(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return mask_field(name, value, deployed_shapes()).text
    return mask_values(value)
