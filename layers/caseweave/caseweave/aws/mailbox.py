"""The buckets: raw input, as SES and others deliver it, and attachments kept by their digest."""

from hashlib import sha256

from caseweave.aws.objects import copy_object, end_object, put_object, read_object
from caseweave.errors import NotFoundError, UnavailableError


def read_ref(ref: str, longest: int) -> bytes:
    """The first *longest* bytes of the object at s3://bucket/key. Raises as `read_object` does."""
    return read_object(*_split(ref), longest)


def keep_raw(bucket: str, body: bytes) -> str:
    """Keep a raw body that is too large for a record; its address. The same body is kept once."""
    key = f"raw/{sha256(body).hexdigest()}"
    put_object(bucket, key, body)
    return f"s3://{bucket}/{key}"


def hold_object(bucket: str, ref: str) -> str:
    """Copy an object to where no lifecycle rule ends it; the address of the copy, which is one
    however often it is made. Raises UnavailableError.
    """
    source_bucket, source_key = _split(ref)
    key = f"quarantined/{source_bucket}/{source_key}"
    try:
        copy_object((source_bucket, source_key), bucket, key)
    except NotFoundError as error:
        raise UnavailableError(f"{ref} cannot be copied: {error}") from error
    return f"s3://{bucket}/{key}"


def end_held(ref: str) -> None:
    """End such a copy; one that is gone already is fine. Raises UnavailableError."""
    end_object(*_split(ref))


def keep_attachment(bucket: str, digest: str, media_type: str, content: bytes) -> None:
    """Keep a file under its SHA-256; the same file twice is kept once."""
    put_object(bucket, attachment_key(digest), content, media_type)


def attachment_key(digest: str) -> str:
    return f"attachments/{digest}"


def _split(ref: str) -> tuple[str, str]:
    """The bucket and the key."""
    bucket, _, key = ref.removeprefix("s3://").partition("/")
    return bucket, key
