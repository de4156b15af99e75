"""What other readers make of the mails in the corpus, in one shape.

Each group's expectation files are read here; nothing of them is kept in this project.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.errors import MessageError
from email.utils import parseaddr
from pathlib import Path
from xml.etree import ElementTree as ET

import yaml


@dataclass(frozen=True)
class Expectation:
    """What a mail is expected to say; None where the group does not tell.

    `files` are (name, size) of attachments, name or size None where unknown. `contents` are the
    decoded contents of parts.
    """

    sender: str | None = None
    subject: str | None = None
    texts: tuple[str, ...] | None = None
    files: tuple[tuple[str | None, int | None], ...] | None = None
    contents: tuple[bytes, ...] = field(default=())


def read_manifest(group: Path) -> list[Path]:
    """The mails of a group that exist as files."""
    entries = json.loads((group / "manifest.json").read_text("utf-8"))["files"]
    return [group / one["file"] for one in entries if one["role"] == "message"]


def find_expectations(group: Path) -> Iterator[tuple[Path, Expectation]]:
    """The mails of a group and what is expected of them."""
    readers = {
        "zammad": _read_zammad,
        "stalwart-mail-parser": _read_stalwart,
        "james-mime4j": _read_mime4j,
    }
    read = readers.get(group.name, _read_with_the_standard_library)
    for path in read_manifest(group):
        found = read(path)
        if found is not None:
            yield path, found


# Zammad: Ruby's YAML


class _RubyLoader(yaml.SafeLoader):
    pass


def _construct_ruby(loader, _suffix, node):
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


_RubyLoader.add_multi_constructor("!ruby/", _construct_ruby)
_RubyLoader.add_constructor("!binary", yaml.SafeLoader.construct_yaml_binary)


def _read_zammad(path: Path) -> Expectation | None:
    neutral, ruby = path.with_suffix(".expected.json"), path.with_suffix(".yml")
    if neutral.exists():
        said = json.loads(neutral.read_text("utf-8"))
    elif ruby.exists():
        # A safe loader, which makes no objects of what somebody wrote.
        said = yaml.load(ruby.read_text("utf-8"), _RubyLoader)
    else:
        return None
    files = []
    for one in said.get("attachments") or []:
        if (one.get("preferences") or {}).get("content-alternative"):
            continue
        data = one.get("data")
        size = one.get("size")
        if data is not None:
            size = len(data if isinstance(data, bytes) else data.encode())
        files.append((one.get("filename") or one.get("name"), size))
    return Expectation(
        sender=said.get("from_email"),
        subject=said.get("subject"),
        texts=(said.get("body") or "",),
        files=tuple(files),
    )


# Stalwart


def _read_stalwart(path: Path) -> Expectation | None:
    source = path.with_suffix(".json")
    if not source.exists():
        return None
    said = json.loads(source.read_text("utf-8"))
    parts = said["parts"]
    headers = {_name(one): one["value"] for one in parts[0]["headers"]}
    sender = headers.get("from", {})
    people = (sender if isinstance(sender, dict) else {}).get("Address", {}).get("List") or [{}]
    subject = headers.get("subject", {})
    return Expectation(
        sender=people[0].get("address"),
        subject=subject.get("Text") if isinstance(subject, dict) else None,
        texts=tuple(
            "\n".join(_text(parts[number]) for number in said[kind])
            for kind in ("text_body", "html_body")
        ),
        files=tuple(_stalwart_file(parts[number]) for number in said["attachments"]),
    )


def _name(header):
    return header["name"] if isinstance(header["name"], str) else header["name"]["other"].lower()


def _text(part):
    body = part["body"]
    if not isinstance(body, dict):
        return ""
    return body.get("Text") or body.get("Html") or ""


def _stalwart_file(part):
    name = None
    for header in part["headers"]:
        kind = header["value"].get("ContentType") if isinstance(header["value"], dict) else None
        for one in (kind or {}).get("attributes") or []:
            if one["name"] == "filename" or (one["name"] == "name" and name is None):
                name = one["value"]
    content = part["body"]
    data = content.get("Binary") or content.get("InlineBinary")
    return name, len(data) if data else None


# mime4j: the events of its parser, and the decoded parts


def _read_mime4j(path: Path) -> Expectation | None:
    source = path.with_suffix(".xml")
    if not source.exists():
        return None
    fields = _mime4j_headers(source)
    decoded = sorted(path.parent.glob(f"{path.stem}_decoded_*.*"))
    contents = [one.read_bytes() for one in decoded if one.suffix in {".txt", ".bin"}]
    return Expectation(
        sender=parseaddr(fields["from"])[1] if "from" in fields else None,
        subject=fields.get("subject"),
        contents=tuple(contents),
    )


def _mime4j_headers(source: Path) -> dict[str, str]:
    content = re.sub(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|&#x?[0-9a-f]+;", b"?", source.read_bytes())
    try:
        root = ET.fromstring(content)
    except ET.ParseError:
        root = ET.fromstring(content.decode("latin-1").encode())
    found: dict[str, str] = {}
    for one in root.findall("./header/field"):
        name, _, value = (one.text or "").strip().partition(":")
        found.setdefault(name.lower(), value.strip())
    return found


# The others tell nothing: Python's own reader, with its newest rules, is asked.


def _read_with_the_standard_library(path: Path) -> Expectation | None:
    try:
        found = message_from_bytes(path.read_bytes(), policy=policy.default)
        people = found["from"].addresses if found["from"] else ()
        return Expectation(
            sender=people[0].addr_spec if people else None,
            subject=str(found["subject"]) if found["subject"] is not None else None,
            files=tuple(
                (part.get_filename(), _size(part))
                for part in _leaves(found)
                if part.get_filename() and part.get_content_maintype() != "multipart"
            ),
        )
    except (MessageError, LookupError, ValueError, AttributeError, TypeError, IndexError):
        # It gives up on some of them, which is why it does not read our mail.
        return None


def _leaves(part):
    """Not what is inside a mail inside the mail."""
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        for child in part.iter_parts():
            yield from _leaves(child)
    else:
        yield part


def _size(part):
    content = part.get_payload(decode=True)
    return None if content is None else len(content)
