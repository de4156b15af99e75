"""The buckets: raw input, as SES and others deliver it, and attachments kept by their digest."""

from hashlib import sha256

from botocore.exceptions import BotoCoreError, ClientError

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
    except BotoCoreError as error:
        raise UnavailableError(f"the object {key} cannot be read: {error}") from error
    return body


def read_ref(ref: str, longest: int) -> bytes:
    """The first *longest* bytes of the object at s3://bucket/key. Raises as `read_object` does."""
    return read_object(*_split(ref), longest)


def keep_raw(bucket: str, body: bytes) -> str:
    """Keep a raw body that is too large for a record; its address. The same body is kept once."""
    key = f"raw/{sha256(body).hexdigest()}"
    try:
        client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    except (ClientError, BotoCoreError) as error:
        raise UnavailableError(f"the raw body {key} cannot be kept: {error}") from error
    return f"s3://{bucket}/{key}"


def hold_object(bucket: str, ref: str) -> str:
    """Copy an object to where no lifecycle rule ends it; the address of the copy, which is one
    however often it is made. Raises UnavailableError.
    """
    source_bucket, source_key = _split(ref)
    key = f"quarantined/{source_bucket}/{source_key}"
    source = {"Bucket": source_bucket, "Key": source_key}
    try:
        client("s3").copy_object(Bucket=bucket, Key=key, CopySource=source)
    except (ClientError, BotoCoreError) as error:
        raise UnavailableError(f"the object {ref} cannot be copied: {error}") from error
    return f"s3://{bucket}/{key}"


def end_held(ref: str) -> None:
    """End such a copy; one that is gone already is fine. Raises UnavailableError."""
    bucket, key = _split(ref)
    try:
        client("s3").delete_object(Bucket=bucket, Key=key)
    except (ClientError, BotoCoreError) as error:
        raise UnavailableError(f"the copy {ref} cannot be deleted: {error}") from error


def keep_attachment(bucket: str, digest: str, media_type: str, content: bytes) -> None:
    """Keep a file under its SHA-256; the same file twice is kept once."""
    try:
        client("s3").put_object(
            Bucket=bucket, Key=attachment_key(digest), Body=content, ContentType=media_type
        )
    except (ClientError, BotoCoreError) as error:
        raise UnavailableError(f"the attachment {digest} cannot be kept: {error}") from error


def attachment_key(digest: str) -> str:
    return f"attachments/{digest}"


def _split(ref: str) -> tuple[str, str]:
    """The bucket and the key."""
    bucket, _, key = ref.removeprefix("s3://").partition("/")
    return bucket, key
