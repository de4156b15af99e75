"""The page of a mail: whoever opens it runs nothing and tells nobody."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.channels.html_page import make_page


def body(markup):
    page = make_page(markup).decode()
    return page.partition("<body>")[2].removesuffix("</body></html>")


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("<p>您好 <b>17</b></p>", "<p>您好 <b>17</b></p>"),
        ("<p>one<p>two", "<p>one</p><p>two</p>"),
        ("<b>bold <i>both</b> odd</i>", "<b>bold <i>both</i></b> odd"),
        ("1 < 2 & 3 > 2", "1 &lt; 2 &amp; 3 &gt; 2"),
        ("&lt;script&gt;", "&lt;script&gt;"),
        ("a<script>alert(1)</script>b<style>p{}</style>c<title>t</title>", "abc"),
        ("<ScRiPt src=x></sCrIpT >a", "a"),
        ("<p onclick='x()' id=a class=b>a</p>", "<p>a</p>"),
        ('<a href="javascript:alert(1)">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href="&#106;avascript:x">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href="data:text/html,x">a</a>', '<a rel="noopener noreferrer">a</a>'),
        (
            '<a href="https://x.example/?a=1&amp;b=2" target="_blank">a</a>',
            '<a href="https://x.example/?a=1&amp;b=2" rel="noopener noreferrer">a</a>',
        ),
        # A picture of the mail stays, one from elsewhere does not.
        ('<img src="cid:a@b" alt="pic">', '<img src="cid:a@b" alt="pic">'),
        ('<img src="data:image/png;base64,AA==">', '<img src="data:image/png;base64,AA==">'),
        ('<img src="data:image/svg+xml;base64,AA==">', "<img>"),
        ('<img src="https://t.example/open.gif" alt="pic">', '<img alt="pic">'),
        ('<img srcset="https://t.example/a 2x">', "<img>"),
        (
            '<div style="color:red;background:url(https://t.example)">a</div>',
            '<div style="color:red">a</div>',
        ),
        ('<table background="https://t.example/a.gif"><tr><td>1<td>2</table>',
         "<table><tbody><tr><td>1</td><td>2</td></tr></tbody></table>"),
        ("<iframe src=https://x.example></iframe><form><input>a</form>", "a"),
        ("<svg><script>1</script></svg><math><mi>x</mi></math>a", "a"),
        ("<base href=https://x.example><meta http-equiv=refresh content=0>a<link>", "a"),
        ("<!-- b <p> -->a<!DOCTYPE html><?xml version='1.0'?>", "a"),
        ("a<!-- b", "a"),
        ("a<b title='", "a"),
        ('<p title="a>b">c</p>', '<p title="a&gt;b">c</p>'),
        ("&#" + "9" * 10_000 + ";", "\ufffd"),
        ("</p></div>a", "a"),
    ],
)  # fmt: skip
def test_a_page_shows_what_is_harmless(markup, shown):
    assert body(markup) == shown


def test_a_page_tells_the_browser_to_load_nothing():
    page = make_page("a").decode()

    assert page.startswith('<!DOCTYPE html><html><head><meta charset="utf-8">')
    assert "default-src 'none'; img-src data: cid:; style-src 'unsafe-inline'" in page


PIECES = st.sampled_from(
    [
        *("<script>", "</script>", "<img src=", "https://t.example/x", "<a href=", "javascript:x"),
        *("<svg>", "<math>", "<style>", "</style", "<!--", "-->", "<p ", "onerror=", "x()", ">"),
        *('"', "'", "<", "</", "/>", "&lt;", "&#60;", "\0", "<td>", "<table>", "<b>", "</b>", "="),
        *(
            "<template>",
            "<noscript>",
            "<textarea>",
            "<title>",
            "<xmp>",
            "<select>",
            "style=",
            "url(",
        ),
    ]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=30).map("".join))
def test_no_markup_makes_a_page_run_or_load_anything(markup):
    tags = re.findall(r"<[a-z][^>]*>", body(markup))

    for tag in tags:
        assert not re.match(r"<(script|style|svg|math|iframe|object|template|link|meta|form)", tag)
        assert not re.search(
            r"\son[a-z]+=|\ssrc=\"(?!cid:|data:image/)|url\(",
            re.sub(r'(title|alt|face)="[^"]*"', "", tag),
        )


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "<",
            "<a ",
            "<a b='",
            '<a "',
            "<b>",
            "<div>",
            "<table><td>",
            "<b><p>",
            "&",
            "&#1",
            "\xa0",
        ),
        *("<div><table><td></div></td></table>", "<div><marquee></div></marquee>", "<!--", "</a "),
        *("<svg><style>", "<style></styl", "<p style='color:red'>", "</x></b>", "<a =", "& ", "<!"),
    ],
)
def test_the_worst_markup_takes_seconds(piece):
    started = time.process_time()

    make_page(piece * (1_000_000 // len(piece)))

    assert time.process_time() - started < 6


def test_many_different_fonts_do_not_multiply():
    markup = "".join(f"<font color=c{n}>" for n in range(20_000)) + "<p>" * 100_000
    started = time.process_time()

    assert len(make_page(markup)) < 100_000
    assert time.process_time() - started < 6
