"""A mail as an agent sees it: the new words, what they quote, and the page."""

from caseweave.agents.caller import Caller
from caseweave.agents.cases import read_case
from caseweave.channels import ses
from caseweave.domain.media import Links
from tests.usecases.world import NOON, receive

MAIL = (
    b"From: Lin <lin@example.com>\r\nSubject: Re: order\r\nMessage-ID: <m1@example.com>\r\n"
    b'Content-Type: multipart/related; boundary="="\r\n\r\n'
    b"--=\r\nContent-Type: text/html\r\n\r\n"
    b'Not yet<img src="cid:pic@x"><blockquote>Has it arrived?</blockquote>\r\n'
    b"--=\r\nContent-Type: image/png\r\nContent-ID: <pic@x>\r\n\r\npng\r\n--=--\r\n"
)
LEAD = Caller("ling", ("lead",))


def test_a_mail_is_shown_with_what_it_quotes_and_its_page(table, door):
    (inbound,), (_, page) = ses.parse(MAIL, "s3objectid")
    landed = receive(inbound, door)

    def sign(file):
        return Links(f"https://{file.digest}/{file.name}")

    case = read_case(landed.ref, LEAD, sign, NOON)

    (shown,) = case["messages"]
    assert (shown["body"], shown["quoted"]) == ("Not yet", "\n> Has it arrived?")
    assert shown["page_url"] == f"https://{page.digest}/message.html"
    (picture,) = shown["attachments"]
    assert (picture["content_id"], picture["size"]) == ("pic@x", 3)
