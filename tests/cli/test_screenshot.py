import struct
import zlib

from caseweave.cli.outside.screenshot import HEIGHT, WIDTH, draw_screenshot


def test_the_screenshot_is_a_whole_png():
    image, chunks = draw_screenshot(), []

    position = 8
    while position < len(image):
        (size,) = struct.unpack_from(">I", image, position)
        content = image[position + 4 : position + 8 + size]
        (check,) = struct.unpack_from(">I", image, position + 8 + size)
        assert zlib.crc32(content) == check
        chunks.append((content[:4], content[4:]))
        position += size + 12

    assert image[:8] == b"\x89PNG\r\n\x1a\n"
    assert [kind for kind, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    assert struct.unpack(">II", chunks[0][1][:8]) == (WIDTH, HEIGHT)
    assert len(zlib.decompress(chunks[1][1])) == HEIGHT * (1 + 3 * WIDTH)
