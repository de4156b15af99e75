"""WeChat's XML: read as it is sent; nothing expanded, nothing fetched, in bounded time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.channels.wechat_xml import read_xml
from caseweave.errors import UnparseableError

LAUGHS = b"".join(b'<!ENTITY l%d "%b">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))


def test_each_innermost_element_is_known_by_its_path_below_the_root():
    body = (
        "<xml> <A><![CDATA[还没<到>账]]></A>\n<B>a&amp;b</B><C/>"
        "<D><E>1</E> <F><G>2</G></F></D><A>second</A></xml>"
    ).encode()

    assert read_xml(body) == {"A": "还没<到>账", "B": "a&b", "C": "", "D/E": "1", "D/F/G": "2"}


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (b"\xef\xbb\xbf<xml><A>1</A></xml>", {"A": "1"}),
        ('<?xml version="1.0" encoding="gbk"?><xml><A>中</A></xml>'.encode(), {"A": "中"}),
        (b"<xml><A>a\x08b\0\xff</A></xml>", {"A": "a\ufffdb\ufffd\ufffd"}),
        (b"<xml><A>\xed\xa0\x80</A></xml>", {"A": "\ufffd\ufffd\ufffd"}),
        (b"<xml>only text</xml>", {"": "only text"}),
    ],
)
def test_what_people_send_in_spite_of_xml_is_read(body, read):
    assert read_xml(body) == read


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{}", id="JSON"),
        pytest.param(b"<xml><A></xml>", id="not closed"),
        pytest.param(b"<xml><A>&a;</A></xml>", id="an entity of nobody"),
        pytest.param(b"<xml>&#xd800;</xml>", id="half a surrogate pair"),
        pytest.param(b"<!DOCTYPE xml><xml/>", id="a document type"),
        pytest.param(b'<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd"><x/>', id="one elsewhere"),
        pytest.param(b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', id="an entity"),
        pytest.param(
            b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>', id="a file"
        ),
        pytest.param(
            b'<!DOCTYPE x [<!ENTITY l0 "ha">' + LAUGHS + b"]><x>&l9;</x>", id="a billion laughs"
        ),
        pytest.param(
            b'<!DOCTYPE x [<!ENTITY a "' + b"a" * 100_000 + b'">]><x>' + b"&a;" * 40_000 + b"</x>",
            id="quadratic",
        ),
        pytest.param(b"<a>" * 80_000, id="80,000 deep"),
        pytest.param(b"<x>" + b"<a/>" * 60_000 + b"</x>", id="60,000 elements"),
        pytest.param(b"<x " + b'a="1" ' * 40_000 + b"/>", id="one attribute 40,000 times"),
    ],
)
def test_what_wechat_never_sends_is_refused_within_a_second(body):
    started = time.process_time()

    with pytest.raises(UnparseableError):
        read_xml(body)

    assert time.process_time() - started < 1


@given(
    st.binary()
    | st.text(st.sampled_from("<>/a&;![]CDAT\"' \ud800\0")).map(
        lambda t: t.encode("utf-8", "surrogatepass")
    )
)
def test_any_bytes_are_texts_or_refused(body):
    try:
        texts = read_xml(b"<xml>" + body + b"</xml>")
    except UnparseableError:
        return
    assert all(text.encode() is not None for pair in texts.items() for text in pair)
