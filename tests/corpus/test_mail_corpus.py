"""Mails that others collected, read by us and by them; every disagreement has its reason."""

import re
import time
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import yaml

from caseweave.channels import ses
from caseweave.channels.html_text import html_to_text
from caseweave.channels.mail_reading import LONGEST_HEADER, read_mail
from caseweave.channels.mime_parts import find_parts
from caseweave.channels.reply_text import split_reply
from caseweave.domain.message import MailReport
from tests.corpus.expectations import find_expectations, read_manifest
from tests.vectors import VECTORS, needs_vectors

CORPUS = VECTORS / "email"
EXPLAINED = Path(__file__).with_name("disagreements.yaml")
FIELDS = ("sender", "subject", "text", "file names", "file sizes", "contents")

pytestmark = needs_vectors


def groups():
    return sorted(path.parent for path in CORPUS.rglob("manifest.json")) if CORPUS.is_dir() else []


by_group = pytest.mark.parametrize("group", groups(), ids=lambda group: group.name)


@cache
def explanations():
    return yaml.safe_load(EXPLAINED.read_text("utf-8"))


def words(text):
    """What a reader reads: the same, however it is broken into lines and marked as quoted."""
    return "".join(text.replace(">", "").replace("\ufeff", "").split())


def readings(text):
    """A body as text, whether it was given as HTML or not."""
    return {words(text), words(html_to_text(text))}


def compare(raw, expected):
    """The fields that the expectation tells, and whether we agree.

    What has a replacement character in it was not read, so it tells nothing.
    """
    mail = read_mail(raw)
    found = {}
    if is_told(expected.sender):
        ours = mail.senders[0][1] if mail.senders else ""
        # An address has an @; the name of a machine, or `<>`, is nobody's.
        theirs = expected.sender.strip() if "@" in expected.sender else ""
        found["sender"] = ours.lower() == theirs.lower()
    if is_told(expected.subject):
        ours, theirs = words(mail.subject), words(expected.subject)
        is_cut = len(mail.subject) == LONGEST_HEADER
        found["subject"] = theirs.startswith(ours) if is_cut else ours == theirs
    if expected.texts is not None and all(map(is_told, expected.texts)):
        ours = readings(mail.text)
        if mail.page is not None:
            ours |= readings(mail.page.content.decode())
        found["text"] = any(ours & readings(text) for text in expected.texts)
    if expected.files is not None:
        names = Counter(plain(name) for name, _ in expected.files if name and is_told(name))
        sizes = [size for _, size in expected.files if size is not None]
        found["file names"] = not names - Counter(plain(one.name) for one in mail.kept_files)
        found["file sizes"] = all(size in possible_sizes(mail) for size in sizes)
    if expected.contents:
        parts = set(contents(raw))
        found["contents"] = all(_lines(content) in parts for content in expected.contents)
    return found


def is_told(value):
    return value is not None and "\ufffd" not in value


def plain(name):
    """A file name without what separates folders, which every reader treats in its own way."""
    return re.sub(r"[\s_/\\]", "", name)


def possible_sizes(mail):
    """Some readers count a line end as one."""
    return {
        size
        for one in mail.kept_files
        for size in (len(one.content), len(one.content.replace(b"\r\n", b"\n")))
    }


def contents(raw, depth=6):
    """The parts of a mail, and of the mails in it."""
    for part in find_parts(raw).parts:
        content = part.decode()
        yield _lines(content)
        if depth and part.head.get_content_maintype() == "message":
            yield from contents(content, depth - 1)


def _lines(content):
    return content.replace(b"\r\n", b"\n").strip()


@by_group
def test_we_agree_with_others_or_say_why_not(group):
    agreed, told, unexplained, used = Counter(), Counter(), [], set()
    known = explanations().get(group.name, {})
    for path, expected in find_expectations(group):
        name = str(path.relative_to(group))
        for field, is_agreed in compare(path.read_bytes(), expected).items():
            told[field] += 1
            agreed[field] += is_agreed
            if is_agreed:
                continue
            if field in known.get(name, {}):
                used.add((name, field))
            else:
                unexplained.append((name, field))
    report = ", ".join(f"{one} {agreed[one]}/{told[one]}" for one in FIELDS if told[one])
    print(f"{group.name}: {report}; {len(used)} disagreements explained")
    assert unexplained == []


@by_group
def test_no_explanation_is_stale(group):
    disagreed = {
        (str(path.relative_to(group)), field)
        for path, expected in find_expectations(group)
        for field, is_agreed in compare(path.read_bytes(), expected).items()
        if not is_agreed
    }
    known = explanations().get(group.name, {})

    assert {
        (name, field) for name, fields in known.items() for field in fields
    } - disagreed == set()


@by_group
def test_no_mail_is_lost_and_none_of_its_words(group):
    counts, slowest = Counter(), 0.0
    for path in read_manifest(group):
        raw = path.read_bytes()
        started = time.process_time()
        (event,), files = ses.parse(raw, "s3objectid")
        slowest = max(slowest, time.process_time() - started)
        mail = read_mail(raw)
        if isinstance(event, MailReport):
            # Sisimai's are sorted into bounces and what is none.
            assert path.parent.name != "not", path
        else:
            assert event.body + event.quoted == mail.text
            assert files == mail.kept_files
            for text in (event.body, event.subject, *(file.name for file in mail.files)):
                assert text.encode() is not None
            counts["with a quotation apart"] += bool(event.quoted)
        assert "".join(split_reply(mail.text)) == mail.text
        counts["mails"] += 1
        counts["with text"] += bool(mail.text.strip())
        counts["with files"] += bool(mail.files)
        counts["with a page"] += mail.page is not None
        counts["bounces and complaints"] += isinstance(event, MailReport)
        counts["not read whole"] += bool(mail.notes)
    print(f"{group.name}: {dict(counts)}, slowest {slowest:.3f} s")
    assert slowest < 2
