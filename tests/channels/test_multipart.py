"""Forms with files: every byte of a part, whatever is in it."""

import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseweave.channels.multipart import Form, FormPart, read_parts
from caseweave.channels.request import WebhookRequest
from caseweave.errors import UnparseableError


def read(body, kind="multipart/form-data; boundary=b"):
    return read_parts(WebhookRequest(body=body, headers={"content-type": kind}))


def part(disposition, content, *, more=b""):
    head = b"--b\r\nContent-Disposition: form-data; " + disposition + more
    return head + b"\r\n\r\n" + content + b"\r\n"


def test_fields_and_files_come_out_as_they_were_put_in():
    body = (
        part(b'name="subject"', "还没到账".encode())
        + part(b'name="a"; filename="x.bin"', b"\0\xff\r\n\r\n--", more=b"\r\nContent-Type: x/y")
        + b"--b--\r\n"
    )

    assert read(body) == Form(
        (
            FormPart("subject", "还没到账".encode()),
            FormPart("a", b"\0\xff\r\n\r\n--", "x.bin", "x/y"),
        )
    )


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (b'name="f"; filename="\xe5\x8f\x91\xe7\xa5\xa8.pdf"', "发票.pdf"),
        (b"name=\"f\"; filename*=utf-8''%E5%8F%91%E7%A5%A8.pdf", "发票.pdf"),
        (b'name="f"; filename="a \\"b\\";c.txt"', 'a "b";c.txt'),
        (b"name=f; filename=plain.txt", "plain.txt"),
        (b'name="f"; filename=""', ""),
        (b'name="f"', None),
        (b"name=\"f\"; filename*=utf-8''%ED%A0%80", "\ufffd\ufffd\ufffd"),
    ],
)
def test_names_of_files(disposition, name):
    (found,) = read(part(disposition, b"x") + b"--b--").parts

    assert (found.name, found.file_name, found.content) == ("f", name, b"x")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n",
        b"\n",
        b"\r",
        b"x\r",
        b"x--b",
        b"\n--b\n",
        b"\r\n--bb\r\n",
        b"\r\n--b-\r\n",
        b"a\n--b\r\nb",
    ],
)
def test_what_only_looks_like_a_delimiter_is_content(content):
    form = read(part(b'name="f"', content) + part(b'name="g"', b"y") + b"--b--\r\n")

    assert form == Form((FormPart("f", content), FormPart("g", b"y")))


def test_a_form_with_bare_line_feeds_is_read_too():
    body = b'--b\nContent-Disposition: form-data; name="f"\n\nx\r\n\n--b--'

    assert read(body) == Form((FormPart("f", b"x\r\n"),))


@pytest.mark.parametrize(
    ("body", "names"),
    [
        pytest.param(part(b"name=f", b"x"), ["f"], id="no end"),
        pytest.param(part(b"name=f", b"x") * 2 + b"--b--", ["f", "f"], id="a name twice"),
        pytest.param(
            part(b"name=f", b"x\r\n--b--") + part(b"name=g", b"y") + b"--b--",
            ["f", "", "g"],
            id="an end inside a part",
        ),
        pytest.param(part(b"name=f", b"x") + b"--b--\r\nmore", ["f"], id="after the end"),
    ],
)
def test_a_form_that_somebody_may_have_written_into_is_not_clean(body, names):
    form = read(body)

    assert [one.name for one in form.parts] == names
    assert not form.is_clean


def test_the_first_and_the_last_of_a_name():
    form = read(b"a=1&b=2&a=3&c=%ff", "application/x-www-form-urlencoded")

    assert (form.first("a"), form.last("a"), form.first("z"), form.last("c")) == (
        *("1", "3", ""),
        "\ufffd",
    )
    assert form.find("b") == FormPart("b", b"2")
    assert form.find("z") is None


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (b"", "multipart/form-data; boundary=b", "without parts"),
        (b"x", "multipart/form-data; boundary=b", "without parts"),
        (part(b"name=f", b""), "multipart/form-data", "without boundary"),
        (part(b"name=f", b"") * 1_001 + b"--b--", "multipart/form-data; boundary=b", "more than"),
    ],
)
def test_what_is_no_form_is_unparseable(body, kind, reason):
    with pytest.raises(UnparseableError, match=reason):
        read(body, kind)


@pytest.mark.parametrize(
    "body",
    [
        b"--b\r\n" + b"\r\n--b" * 1_000_000,
        b"--b" * 1_500_000,
        b"\r\n" * 2_500_000,
        b"--b\r\n" + b"a: b\r\n" * 800_000 + b"--b--",
        part(b'name="' * 500_000, b"x"),
        part(b"name=f" + b"; a=b" * 900_000, b"x"),
        (b"--b\r\nContent-Disposition: form-data" + b'; a="' * 700 + b"\r\n\r\n\r\n") * 900,
    ],
)
def test_the_worst_forms_take_seconds_at_most(body):
    started = time.process_time()
    with suppress(UnparseableError):
        read(body)
    assert time.process_time() - started < 4


PIECES = st.sampled_from(
    [b"--b", b"--", b"\r\n", b"\n", b"\r", b"Content-Disposition: form-data", b"; name=", b'"']
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES | st.binary(max_size=4), max_size=30).map(b"".join))
def test_anything_is_a_form_or_unparseable(body):
    try:
        form = read(body)
    except UnparseableError:
        return
    for one in form.parts:
        f"{one.name}{one.file_name}{one.media_type}{one.text}".encode()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=40).filter(lambda content: b"--b" not in content)))
def test_any_bytes_survive(contents):
    body = b"".join(part(b'name="%d"' % n, content) for n, content in enumerate(contents))
    if contents:
        assert [one.content for one in read(body + b"--b--\r\n").parts] == contents
