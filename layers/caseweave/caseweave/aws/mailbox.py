"""The buckets: raw mails as SES delivers them, and attachments kept by their digest."""

from hashlib import sha256

from botocore.exceptions import ClientError

from caseweave.aws.clients import client
from caseweave.errors import NotFoundError, UnavailableError


def read_object(bucket: str, key: str, longest: int | None = None) -> bytes:
    """The object, or its first *longest* bytes. Raises NotFoundError or UnavailableError."""
    try:
        body: bytes = client("s3").get_object(Bucket=bucket, Key=key)["Body"].read(longest)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            raise NotFoundError(f"There is no object {key}.") from error
        raise UnavailableError(f"the object {key} cannot be read: {error}") from error
    return body


def keep_raw(bucket: str, body: bytes) -> str:
    """Keep a raw body that is too large for a record; its address. The same body is kept once."""
    key = f"raw/{sha256(body).hexdigest()}"
    try:
        client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    except ClientError as error:
        raise UnavailableError(f"the raw body {key} cannot be kept: {error}") from error
    return f"s3://{bucket}/{key}"


def keep_attachment(bucket: str, digest: str, media_type: str, content: bytes) -> None:
    """Keep a file under its SHA-256; the same file twice is kept once."""
    try:
        client("s3").put_object(
            Bucket=bucket, Key=attachment_key(digest), Body=content, ContentType=media_type
        )
    except ClientError as error:
        raise UnavailableError(f"the attachment {digest} cannot be kept: {error}") from error


def attachment_key(digest: str) -> str:
    return f"attachments/{digest}"
