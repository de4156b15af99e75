"""The files bucket: customers' files by their SHA-256, small pictures of them, fresh uploads."""

from hashlib import sha256

from caseweave.aws.mailbox import attachment_key
from caseweave.aws.objects import put_object, sign_get
from caseweave.domain.media import Links, served_type
from caseweave.domain.message import Attachment

UPLOADS = "uploads/"
_URL_SECONDS = 600


def keep_thumbnail(bucket: str, content: bytes, media_type: str) -> str:
    """Keep a small picture under its SHA-256, which is the answer. Raises UnavailableError."""
    digest = sha256(content).hexdigest()
    put_object(bucket, _thumbnail_key(digest), content, media_type)
    return digest


def sign_links(bucket: str, attachment: Attachment) -> Links:
    """Addresses that serve a stored file and its thumbnail for ten minutes.

    The file is a download, never shown in place, and under a type that no browser runs.
    """
    if attachment.state != "stored":
        return Links()
    file = sign_get(
        bucket,
        attachment_key(attachment.digest),
        _URL_SECONDS,
        ResponseContentDisposition=f'attachment; filename="{_quote(attachment.name)}"',
        ResponseContentType=served_type(attachment.media_type),
    )
    if not attachment.thumbnail:
        return Links(file)
    return Links(file, sign_get(bucket, _thumbnail_key(attachment.thumbnail), _URL_SECONDS))


def _quote(name: str) -> str:
    return "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in name)


def _thumbnail_key(digest: str) -> str:
    return f"thumbnails/{digest}"
