"""Small pictures of pictures, and of what only claims to be one."""

import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from caseweave.thumbnails import MOST_PIXELS, make_thumbnail


def save(image, kind, **more):
    drawn = BytesIO()
    image.save(drawn, kind, **more)
    return drawn.getvalue()


def look(thumbnail):
    image = Image.open(BytesIO(thumbnail))
    image.load()
    return image


def is_near(pixel, expected):
    return all(abs(a - b) < 40 for a, b in zip(pixel, expected, strict=True))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_each_kind_becomes_a_small_jpeg(kind):
    small = look(
        make_thumbnail(save(Image.new("RGB", (1600, 800), "red"), kind), f"image/{kind.lower()}")
    )

    assert (small.format, small.mode, small.size) == ("JPEG", "RGB", (320, 160))
    assert is_near(small.getpixel((160, 80)), (255, 0, 0))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_each_mode_of_a_png_can_be_read(mode):
    small = look(make_thumbnail(save(Image.new(mode, (40, 30)), "PNG"), "image/png"))
    assert small.size == (40, 30)


def test_a_cmyk_jpeg_can_be_read():
    assert look(make_thumbnail(save(Image.new("CMYK", (9, 9)), "JPEG"), "image/jpeg")).size == (
        9,
        9,
    )


def test_what_shines_through_becomes_white():
    small = look(make_thumbnail(save(Image.new("RGBA", (9, 9), (0, 0, 0, 0)), "PNG"), "image/png"))
    assert is_near(small.getpixel((4, 4)), (255, 255, 255))


def test_of_an_animation_the_first_frame_is_taken():
    red, blue = Image.new("RGB", (64, 64), "red"), Image.new("RGB", (64, 64), "blue")
    for kind in ("GIF", "WEBP"):
        moving = save(red, kind, save_all=True, append_images=[blue], duration=100)
        small = look(make_thumbnail(moving, f"image/{kind.lower()}"))
        assert is_near(small.getpixel((32, 32)), (255, 0, 0))


def test_a_photo_stands_upright_and_keeps_nothing_of_its_camera():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "SecretCamera"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (31.0, 14.0, 0.0)
    photo = Image.new("RGB", (400, 200), "red")
    photo.paste("blue", (0, 0, 200, 200))
    content = save(photo, "JPEG", exif=exif, comment=b"SecretComment")

    thumbnail = make_thumbnail(content, "image/jpeg")

    small = look(thumbnail)
    assert small.size == (160, 320)
    # Turned by 90 degrees clockwise, what was left is on top.
    assert is_near(small.getpixel((80, 60)), (0, 0, 255))
    assert is_near(small.getpixel((80, 260)), (255, 0, 0))
    assert not small.getexif()
    assert b"Secret" not in thumbnail


def png_of(width, height):
    """The head of a picture of this size, with next to nothing in it."""

    def chunk(kind, data):
        mac = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + mac

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "size", [(50_000, 50_000), (MOST_PIXELS // 1000 + 1, 1000), (2**31 - 1, 2**31 - 1)]
)
def test_a_picture_too_large_to_unpack_is_not_unpacked(size):
    assert make_thumbnail(png_of(*size), "image/png") == b""


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"", "image/png"),
        (b"not a picture", "image/jpeg"),
        (save(Image.new("RGB", (9, 9)), "PNG")[:-30], "image/png"),
        (save(Image.new("RGB", (9, 9)), "BMP"), "image/bmp"),
        (save(Image.new("RGB", (9, 9)), "TIFF"), "image/jpeg"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "image/heic"),
        (b"%PDF-1.7", "application/pdf"),
    ],
)
def test_what_cannot_be_read_has_no_thumbnail_and_no_error(content, media_type):
    assert make_thumbnail(content, media_type) == b""


SAMPLES = [save(Image.effect_noise((60, 40), 50), kind) for kind in ("JPEG", "PNG", "GIF", "WEBP")]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SAMPLES), st.data())
def test_a_damaged_picture_never_raises(content, data):
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    for kind in ("jpeg", "png", "gif", "webp"):
        assert isinstance(make_thumbnail(bytes(damaged), f"image/{kind}"), bytes)
