"""Four times the text takes about four times as long, whatever it is made of: every reader and
adapter on repeated pieces of hostile input. `python -m bench.linear_time`.

Only ratios are compared, of the shortest of several runs: how fast the machine is does not matter.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from struct import pack
from urllib.parse import quote_plus

from caseweave.channels.calendar_text import describe_invitation
from caseweave.channels.charsets import decode_text
from caseweave.channels.html_page import make_page
from caseweave.channels.html_text import html_to_text
from caseweave.channels.mail_reading import read_mail
from caseweave.channels.mail_reports import find_sent_ids
from caseweave.channels.reply_text import is_forward, split_reply
from caseweave.channels.request import WebhookRequest
from caseweave.channels.tnef import decompress_rtf, read_tnef
from caseweave.channels.wechat_xml import read_xml
from caseweave.domain.language import choose_language
from caseweave.domain.masking import find_secrets
from caseweave.domain.splitting import split_text
from caseweave.errors import UnparseableError
from tests.channels.test_hostile import outcome
from tests.contract.specimen import Specimen
from tests.contract.specimens import SPECIMENS

Read = Callable[[str], object]
# What the text is made into before the clock starts, and how that is read.
Prepare = Callable[[str], Callable[[], object]]
SMALLEST_TOLD = 0.002
MOST_TIMES = 10
RUNS = 5
PIECES = [
    *("<a ", "<", ">", "<a b='\"", '<a b="c" ', "</a", "<!--", "-->", "<script>", "<div>", "</p>"),
    *(
        "<![CDATA[",
        "]]>",
        "<x>",
        "On ",
        "On 1 ",
        "wrote:\n",
        "在 2026 年 ",
        "发件人: a\n",
        "写道：\n",
    ),
    *(
        "> \n",
        ">",
        "-- ",
        "-",
        "_\n",
        "--b\r\n",
        "\r\n",
        "\n",
        "\n ",
        "\n\n ",
        " ",
        "\t",
        "\r",
        ". ",
    ),
    *(
        "=?utf-8?b?",
        "=?utf-8?q?a?= ",
        "?=",
        "&",
        "&#",
        "&#1",
        "&amp;",
        "=",
        "%",
        "%e8",
        "(",
        ")",
        "[",
    ),
    *(
        "]",
        "{",
        "\\",
        '"',
        "'",
        '"a" ',
        ":",
        ";",
        "; a=",
        ";a*0*=",
        ",",
        "@",
        "a@",
        "a@b.c, ",
        "<a@b> ",
    ),
    *(
        "a",
        "aB1_",
        "1",
        "1.1",
        "-11",
        "5.1.1 ",
        "/",
        "\0",
        "。",
        "！ ",
        "‍",
        "́",
        "🇨🇳",
        "👨‍👩‍👧",
        "中",
    ),
    *(
        "4111 ",
        "4111-",
        "验证码",
        "验证码 1234 ",
        "卡密 A1 ",
        "code ",
        "A1-",
        "█1",
        "密码",
        "order ",
    ),
    *("BEGIN:VEVENT\r\n", "DTSTART;TZID=", "begin 644 a\n", "<@!1>", '<faceType=1,faceId="', "=\n"),
]


def header(name: str) -> Read:
    return lambda text: read_mail(
        f"{name}: {text}".replace("\r\n", " ").replace("\n", " ").encode() + b"\r\n\r\nhi"
    )


def body(kind: str, *others: str) -> Read:
    head = "\r\n".join((f"Content-Type: {kind}", *others)).encode() + b"\r\n\r\n"
    return lambda text: read_mail(head + text.encode())


def outlook(text: str) -> object:
    content = text.encode()
    whole = pack("<IHBII", 0x223E9F78, 1, 1, 0x0002800C, len(content)) + content + b"\0\0"
    return read_tnef(whole), read_tnef(whole[:7] + content)


def rtf(text: str) -> object:
    content = text.encode()
    return decompress_rtf(pack("<II", len(content) + 12, len(content)) + b"LZFu\0\0\0\0" + content)


def xml(text: str) -> None:
    for written in (f"<xml><a>{text}</a></xml>", f"<xml><a><![CDATA[{text}]]></a></xml>", text):
        try:
            read_xml(written.encode())
        except UnparseableError:
            continue


READERS: dict[str, Read] = {
    "text of HTML": html_to_text,
    "page of HTML": make_page,
    "reply": split_reply,
    "forward": lambda text: is_forward(text, text),
    "parts of 70": lambda text: split_text(text, 70),
    "parts of 1600": lambda text: split_text(text, 1600),
    "invitation": lambda text: describe_invitation(f"BEGIN:VEVENT\r\nSUMMARY:{text}\r\n{text}"),
    "ids that were sent": find_sent_ids,
    "secrets": find_secrets,
    "language": lambda text: choose_language(text, text),
    "charset": lambda text: decode_text(text.encode(), "iso-2022-jp"),
    "XML": xml,
    "winmail.dat": outlook,
    "RTF": rtf,
    "raw mail": lambda text: read_mail(text.encode()),
    "plain mail": body("text/plain; charset=utf-8"),
    "HTML mail": body("text/html; charset=utf-8"),
    "mail in parts": body("multipart/mixed; boundary=b"),
    "base64": body("text/plain", "Content-Transfer-Encoding: base64"),
    "quoted-printable": body("text/plain", "Content-Transfer-Encoding: quoted-printable"),
    "report": body("multipart/report; report-type=delivery-status; boundary=b"),
    **{
        name: header(name)
        for name in (
            *("From", "Subject", "References", "Date", "Message-ID", "Content-Type", "Received"),
            *("Content-Disposition", "Authentication-Results", "Reply-To"),
        )
    },
}


def shortest(prepare: Prepare, text: str, runs: int = RUNS) -> float:
    """Seconds of CPU."""
    best = float("inf")
    read = prepare(text)
    for _ in range(runs):
        started = time.process_time()
        read()
        best = min(best, time.process_time() - started)
    return best


def grows(read: Prepare, piece: str, most: int) -> float | None:
    """How many times as long four times the text takes; None if it is too quick to tell."""
    size = max(2_000 // len(piece), 1)
    while (taken := shortest(read, piece * size, 1)) < SMALLEST_TOLD * 2:
        if size * len(piece) * 4 > most:
            return None
        size *= 4 if taken < SMALLEST_TOLD else 2
    small = shortest(read, piece * size)
    if small < SMALLEST_TOLD:
        return None
    # One run that is quick enough is proof; noise only adds.
    for _ in range(RUNS):
        times = shortest(read, piece * size * 4, 1) / small
        if times < MOST_TIMES:
            return times
    return times


LONGEST = 200_000


def find_slow(read: Prepare, pieces: Sequence[str]) -> dict[str, float]:
    """The pieces with which *read* takes longer than it should."""
    found = {piece: grows(read, piece, LONGEST) for piece in pieces}
    known = {piece: times for piece, times in found.items() if times is not None}
    return {piece: times for piece, times in known.items() if times >= MOST_TIMES}


WORDS = "没到账"


def saying(specimen: Specimen, text: str) -> WebhookRequest:
    """The message of a specimen with *text* in it."""
    body = specimen.deliveries["message"].body
    for write in (lambda one: json.dumps(one)[1:-1], quote_plus, str):
        # What is inside another text is written twice.
        words = write(WORDS).encode()
        if words in body:
            changed = replace(
                specimen.deliveries["message"], body=body.replace(words, write(text).encode())
            )
            return specimen.sign(changed, "new")
    return specimen.sign(replace(specimen.deliveries["message"], body=text.encode()), "new")


def adapter(specimen: Specimen) -> Prepare:
    """What reads a provider's message, and one that is nothing but the text."""

    def prepare(text: str) -> Callable[[], object]:
        requests = saying(specimen, text), replace(specimen.signed(), body=text.encode())
        return lambda: [_parse(specimen, request) for request in requests]

    return prepare


def _parse(specimen: Specimen, request: WebhookRequest) -> object:
    return outcome(lambda _: specimen.parse(request), b"")


def plain(read: Read) -> Prepare:
    """A reader of the text alone."""
    return lambda text: lambda: read(text)


def look_back(text: str) -> object:
    """A reader that looks back at all it read: this must be found."""
    return sum(text[:at].count("x") for at in range(0, len(text), 50))


def run() -> None:
    """Raises SystemExit naming what takes longer than it should."""
    if not find_slow(plain(look_back), ["a"]):
        raise SystemExit("linear time: a slow reader is not told from a quick one here")
    adapters = {f"adapter {one.name}": adapter(one) for one in SPECIMENS}
    slow = {name: find_slow(plain(read), PIECES) for name, read in READERS.items()}
    slow |= {name: find_slow(read, PIECES[::3]) for name, read in adapters.items()}
    found = {name: pieces for name, pieces in slow.items() if pieces}
    if found:
        raise SystemExit(f"linear time: four times the text takes too long: {found}")
    print(
        f"linear time: {len(slow)} readers on {len(PIECES)} kinds of text: four times the text "
        f"took less than {MOST_TIMES} times as long"
    )


if __name__ == "__main__":
    run()
