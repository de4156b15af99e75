"""winmail.dat, packed as Outlook packs it."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.channels.mail_reading import MailPart, read_mail
from caseweave.channels.tnef import TnefFile, decompress_rtf, read_tnef

BODY, PROPERTIES, CODE_PAGE = 0x0002800C, 0x00069003, 0x00069007
START, TITLE, DATA, FILE_PROPERTIES = 0x00069002, 0x00018010, 0x0006800F, 0x00069005


def tnef(*attributes):
    packed = [
        pack("<BII", 1, number, len(content)) + content + pack("<H", sum(content) & 0xFFFF)
        for number, content in attributes
    ]
    return b"\x78\x9f\x3e\x22\x01\x00" + b"".join(packed)


def properties(*entries):
    """(type, id, bytes) of variable length."""
    packed = [
        pack("<HHII", kind, name, 1, len(value)) + value + b"\0" * (-len(value) % 4)
        for kind, name, value in entries
    ]
    return pack("<I", len(entries)) + b"".join(packed)


WINMAIL = tnef(
    (CODE_PAGE, pack("<II", 936, 0)),
    (BODY, "见附件\0".encode("gbk")),
    (START, b"\0" * 14),
    (TITLE, b"ORDER~1.PDF\0"),
    (DATA, b"%PDF"),
    (
        FILE_PROPERTIES,
        properties(
            (0x1F, 0x3707, "订单.pdf\0".encode("utf-16-le")),
            (0x1E, 0x370E, b"application/pdf\0"),
            (0x1E, 0x3712, b"a@b\0"),
        ),
    ),
    (START, b"\0" * 14),
    (TITLE, b"../a.txt\0"),
    (DATA, b"words"),
)


def test_a_winmail_has_its_text_and_its_files():
    found = read_tnef(WINMAIL)

    assert (found.text, found.is_whole) == ("见附件", True)
    assert found.files == [
        TnefFile("订单.pdf", "application/pdf", "a@b", b"%PDF"),
        TnefFile("../a.txt", "", "", b"words"),
    ]


def test_the_files_in_a_winmail_are_files_of_the_mail():
    raw = b"Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\n" + WINMAIL

    found = read_mail(raw)

    assert found.text == "见附件"
    assert found.files == (
        MailPart("订单.pdf", "application/pdf", b"%PDF", "a@b"),
        MailPart(".._a.txt", "application/octet-stream", b"words"),
    )


def test_a_winmail_that_breaks_off_is_kept_beside_what_could_be_read():
    raw = b"Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\n" + WINMAIL[:-10]

    assert [file.name for file in read_mail(raw).files] == ["订单.pdf", "winmail.dat"]


def test_the_html_of_a_winmail_is_its_page():
    html = properties((0x102, 0x1013, b"<p>Hi <script>x</script></p>"))
    raw = b"Content-Type: application/ms-tnef\r\n\r\n" + tnef((PROPERTIES, html))

    found = read_mail(raw)

    assert found.text == "Hi"
    assert b"<p>Hi </p>" in found.page.content
    assert found.files == ()


def test_named_and_fixed_properties_are_passed_over():
    named = pack("<HH", 3, 0x8001) + b"\0" * 16 + pack("<II", 0, 7) + pack("<I", 5)
    string_named = (
        pack("<HH", 0xB, 0x8002) + b"\0" * 16 + pack("<II", 1, 5) + b"abcde\0\0\0" + b"\1\0\0\0"
    )
    multiple = pack("<HHI", 0x1003, 0x1234, 2) + b"\0" * 8
    text = properties((0x1E, 0x1000, b"Hi\0"))[4:]
    block = pack("<I", 4) + named + string_named + multiple + text

    found = read_tnef(tnef((PROPERTIES, block)))

    assert (found.text, found.is_whole) == ("Hi", True)


def test_compressed_rtf_is_unpacked():
    # The example that the specification prints.
    packed = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232"
        "0af32068656c0900206277"
        "05b06c647d0a800fa0"
    )

    assert decompress_rtf(packed) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"


@pytest.mark.parametrize("content", [b"", b"\x78\x9f\x3e\x22", b"x" * 100, WINMAIL[:40]])
def test_what_is_no_winmail_is_kept_as_it_is(content):
    raw = b"Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\n" + content

    assert MailPart("winmail.dat", "application/ms-tnef", content) in read_mail(raw).files


@given(st.data())
def test_no_winmail_stops_the_reader(data):
    content = bytearray(WINMAIL)
    for _ in range(data.draw(st.integers(0, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

    read_tnef(bytes(content))
    read_tnef(tnef((PROPERTIES, data.draw(st.binary(max_size=60)))))


@given(st.binary(max_size=200))
def test_no_rtf_stops_the_reader(packed):
    head = pack("<IIII", len(packed), 1_000, 0x75465A4C, 0)

    assert len(decompress_rtf(head + packed)) <= 1_000
