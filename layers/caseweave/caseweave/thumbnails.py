"""Small pictures of pictures, by Pillow, which only the media function has (ImagingLayer).

HEIC is not read: Pillow needs another library for it, and its decoders have a history.
"""

import logging
import warnings
from io import BytesIO

from PIL import ExifTags, Image, ImageOps

logger = logging.getLogger(__name__)

LONGEST_SIDE = 320
# A picture of so many pixels takes 160 MB when it is unpacked.
MOST_PIXELS = 40_000_000
THUMBNAIL_TYPE = "image/jpeg"
_FORMATS = {
    "image/gif": "GIF",
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
}

Image.MAX_IMAGE_PIXELS = MOST_PIXELS


def make_thumbnail(content: bytes, media_type: str) -> bytes:
    """A JPEG of at most 320 × 320 without any metadata; b"" if there can be none.

    Of an animation the first frame; the right way up where the camera says how it was held.
    """
    kind = _FORMATS.get(media_type)
    if kind is None:
        return b""
    try:
        return _draw(content, kind)
    except Exception:
        # The process boundary for content: Pillow raises a dozen kinds of errors on what only
        # looks like a picture, and no file is lost for want of a thumbnail.
        logger.exception("a picture cannot be read")
        return b""


def _draw(content: bytes, kind: str) -> bytes:
    with warnings.catch_warnings():
        # Up to twice the limit Pillow only warns.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(BytesIO(content), formats=[kind]) as image:
            image.verify()
    with Image.open(BytesIO(content), formats=[kind]) as image:
        # Lets the JPEG decoder skip most of the work.
        image.draft("RGB", (2 * LONGEST_SIDE, 2 * LONGEST_SIDE))
        upright = ImageOps.exif_transpose(_shrink(image))
    # A new picture takes nothing over: no place, no camera, no comment.
    flat = Image.new("RGB", upright.size, "white")
    flat.paste(upright, mask=upright.getchannel("A") if upright.mode == "RGBA" else None)
    drawn = BytesIO()
    flat.save(drawn, "JPEG", quality=80)
    return drawn.getvalue()


def _shrink(image: Image.Image) -> Image.Image:
    """RGB, or RGBA where something shines through: a palette cannot be scaled well."""
    orientation = image.getexif().get(ExifTags.Base.Orientation)
    small = image.convert("RGBA" if image.has_transparency_data else "RGB")
    small.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    if orientation:
        small.getexif()[ExifTags.Base.Orientation] = orientation
    return small
