"""A customer's screenshot: a small, real PNG, drawn here so that no binary lies in the sources.

https://www.w3.org/TR/png-3/#5Chunk-layout
"""

import struct
import zlib
from collections.abc import Iterator

WIDTH, HEIGHT = 240, 120
_PAPER, _TITLE, _LINE, _ALERT = b"\xf6\xf7\xf9", b"\x2b\x59\xc3", b"\xc3\xca\xd6", b"\xd9\x48\x3b"


def draw_screenshot() -> bytes:
    """An app's page: a title bar, three lines, a red badge."""
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)  # 8-bit RGB, not interlaced
    rows = b"".join(b"\0" + row for row in _draw_rows())
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows)), _chunk(b"IEND", b""))
    )


def _draw_rows() -> Iterator[bytes]:
    for y in range(HEIGHT):
        if y < 24:
            yield _TITLE * WIDTH
        elif 40 <= y < 90 and (y - 40) % 20 < 8:
            yield _PAPER * 16 + _LINE * 150 + _PAPER * (WIDTH - 166)
        elif 98 <= y < 112:
            yield _PAPER * 16 + _ALERT * 60 + _PAPER * (WIDTH - 76)
        else:
            yield _PAPER * WIDTH


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
