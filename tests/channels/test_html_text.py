"""HTML as a reader sees it."""

import pytest

from caseweave.channels.html_text import html_to_text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("", ""),
        ("no markup", "no markup"),
        ("in <b>bold</b>, <i>odd</i>ly", "in bold, oddly"),
        ("one<br>two<BR/>three", "one\ntwo\nthree"),
        ("<p>one</p><p>two</p>three", "one\ntwo\nthree"),
        ("<div>one<div>two</div></div>", "one\ntwo"),
        ("a line\nof the source\r\n  goes on", "a line of the source goes on"),
        ("<ul><li>one<li>two</ul>", "one\ntwo"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><th>c</table>", "a b\nc"),
        ("<pre>one\n two</pre>three\nfour", "one\ntwo\nthree four"),
        ("&lt;b&gt; &amp;amp; &#20013;&#x56FD;&nbsp;!", "<b> &amp; 中国 !"),
        ("<style>p{}</style><STYLE type=x>p{}</Style >a", "a"),
        ("<script>if (a<b) '</p>'</script>a", "a"),
        ("<title>t</title>a", "a"),
        ("a<!-- b <p> --> c", "a c"),
        ("<!--[if mso]><p>Outlook</p><![endif]-->a<![if !mso]>b<![endif]>", "ab"),
        ("<style><!-- p{} --></style>a", "a"),
        ("<!DOCTYPE html><?xml version='1.0'?><html>a</html>", "a"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<o:p>a</o:p><my-tag>b</my-tag>", "ab"),
        ("<a href='https://x.example/?a=1&b=2'>link</a>", "link"),
        # Whatever is never closed hides the rest, as it does in a browser.
        ("a<!-- b", "a"),
        ("a<script>b", "a"),
        ("a<b", "a<b"),
        ("a<![foo", "a<![foo"),
        ("\0a\0b", "a\nb"),
        ("&#xD800;", "\ufffd"),
    ],
)
def test_html_is_read(markup, text):
    assert html_to_text(markup) == text
