"""What a file is, by its bytes."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseweave.sniffing import Sniffed, sniff

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"


def zipped():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", "a")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        (b"GIF89a\x01\x00\x01\x00", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (HEIC, "image/heic"),
        (MP4, "video/mp4"),
        (b"#!AMR\n\x00", "audio/amr"),
        (b"\x02#!SILK_V3\x00", "audio/silk"),
        (b"%PDF-1.7\n", "application/pdf"),
        (zipped(), "application/zip"),
        (b"MZ\x90\x00", "application/x-msdownload"),
        (b"\x7fELF\x02\x01", "application/x-executable"),
        (b"\xcf\xfa\xed\xfe\x07\x00", "application/x-mach-binary"),
        (b"#!/bin/sh\nrm -rf /", "text/x-shellscript"),
        (b"<!DOCTYPE html><p>", "text/html"),
        (b"\xef\xbb\xbf \r\n<HTML >", "text/html"),
        (b"<script>alert(1)</script>", "text/html"),
        (b"<!-- --><b>x", "text/html"),
        (b"<svg onload=alert(1)>", "image/svg+xml"),
        (b'<?xml version="1.0"?><svg/>', "image/svg+xml"),
        (b'<?xml version="1.0"?><note/>', "text/xml"),
        ("还没到账".encode(), "text/plain"),
        (b"", "text/plain"),
        (b"\x00\x01\x02", "application/octet-stream"),
        ("\N{GRINNING FACE}".encode() * 2000, "text/plain"),
        (b"a" + "\N{GRINNING FACE}".encode() * 2000, "text/plain"),
        ("还没到账".encode("gbk"), "application/octet-stream"),
    ],
)
def test_bytes_tell_the_type(content, expected):
    assert sniff(content, "application/octet-stream", "file").media_type == expected


@pytest.mark.parametrize("declared", ["image/jpeg", "text/plain", "application/pdf", ""])
def test_a_claim_changes_nothing_about_what_is_known(declared):
    assert sniff(b"MZ\x90\x00", declared, "photo.jpg") == Sniffed("application/x-msdownload", True)
    assert sniff(b"<html>", declared, "photo.jpg") == Sniffed("text/html", False)


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("text/csv; charset=utf-8", "text/csv"),
        ("Application/JSON", "application/json"),
        ("text/html", "text/plain"),
        ("text/javascript", "text/plain"),
        ("image/png", "text/plain"),
    ],
)
def test_of_texts_only_harmless_claims_are_believed(declared, expected):
    assert sniff(b"a,b\n1,2\n", declared, "t").media_type == expected


@pytest.mark.parametrize(
    ("name", "is_executable"),
    [
        ("setup.exe", True),
        ("SETUP.EXE", True),
        ("invoice.pdf.js", True),
        ("invoice.js. ", True),
        ("wallet.apk", True),
        ("photo.jpg", False),
        ("exe", False),
        ("", False),
    ],
)
def test_a_name_that_would_be_run_is_flagged(name, is_executable):
    assert sniff(b"hello", "text/plain", name).is_executable is is_executable


@given(st.binary(max_size=5000), st.text(max_size=30), st.text(max_size=30))
def test_anything_is_something(content, declared, name):
    assert "/" in sniff(content, declared, name).media_type


@given(st.binary(max_size=200))
def test_what_begins_like_a_page_is_never_taken_for_harmless_text(rest):
    found = sniff(b"  <script>" + rest, "text/plain", "a.txt").media_type
    assert found in ("text/html", "image/svg+xml")
