"""The files bucket: customers' files by their SHA-256, small pictures of them, fresh uploads."""

from hashlib import sha256

from botocore.exceptions import BotoCoreError, ClientError

from caseweave.aws.clients import client
from caseweave.aws.mailbox import attachment_key
from caseweave.domain.media import Links, served_type
from caseweave.domain.message import Attachment
from caseweave.errors import NotFoundError, UnavailableError

UPLOADS = "uploads/"
_URL_SECONDS = 600
_MISSING = ("NoSuchKey", "NotFound", "404")


def read_kept(bucket: str, key: str, most_bytes: int) -> bytes | None:
    """An object of ours; None if it is larger. Raises NotFoundError or UnavailableError."""
    try:
        found = client("s3").get_object(Bucket=bucket, Key=key)
        if found["ContentLength"] > most_bytes:
            found["Body"].close()
            return None
        content: bytes = found["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            raise NotFoundError(f"There is no object {key}.") from error
        raise UnavailableError(f"the object {key} cannot be read: {error}") from error
    except BotoCoreError as error:
        raise UnavailableError(f"the object {key} cannot be read: {error}") from error
    return content


def keep_thumbnail(bucket: str, content: bytes, media_type: str) -> str:
    """Keep a small picture under its SHA-256, which is the answer. Raises UnavailableError."""
    digest = sha256(content).hexdigest()
    try:
        client("s3").put_object(
            Bucket=bucket, Key=_thumbnail_key(digest), Body=content, ContentType=media_type
        )
    except (ClientError, BotoCoreError) as error:
        raise UnavailableError(f"the thumbnail {digest} cannot be kept: {error}") from error
    return digest


def delete_upload(bucket: str, key: str) -> None:
    """Deleting what is gone already is fine. Raises UnavailableError."""
    try:
        client("s3").delete_object(Bucket=bucket, Key=key)
    except (ClientError, BotoCoreError) as error:
        raise UnavailableError(f"the upload {key} cannot be deleted: {error}") from error


def sign_links(bucket: str, attachment: Attachment) -> Links:
    """Addresses that serve a stored file and its thumbnail for ten minutes.

    The file is a download, never shown in place, and under a type that no browser runs.
    """
    if attachment.state != "stored":
        return Links()
    file = _sign(
        bucket,
        attachment_key(attachment.digest),
        ResponseContentDisposition=f'attachment; filename="{_quote(attachment.name)}"',
        ResponseContentType=served_type(attachment.media_type),
    )
    if not attachment.thumbnail:
        return Links(file)
    return Links(file, _sign(bucket, _thumbnail_key(attachment.thumbnail)))


def _sign(bucket: str, key: str, **more: str) -> str:
    parameters = {"Bucket": bucket, "Key": key, **more}
    url: str = client("s3").generate_presigned_url(
        "get_object", Params=parameters, ExpiresIn=_URL_SECONDS
    )
    return url


def _quote(name: str) -> str:
    return "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in name)


def _thumbnail_key(digest: str) -> str:
    return f"thumbnails/{digest}"
