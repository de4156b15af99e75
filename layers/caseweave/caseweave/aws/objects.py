"""S3 objects: read, written, copied, ended; what can go wrong with them told in one place."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from caseweave.aws.clients import client
from caseweave.errors import NotFoundError, UnavailableError

_MISSING = ("NoSuchKey", "NotFound", "404")
# Who may not list a bucket is told this of what is not there, when asking for its headers alone.
_HIDDEN = "403"
logger = logging.getLogger(__name__)


@contextmanager
def doing(what: str, key: str) -> Iterator[None]:
    """Raises NotFoundError where the object is not there, UnavailableError for anything else."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == _HIDDEN:
            logger.warning("the object %s is not there, or may not be read", key)
        if code in (*_MISSING, _HIDDEN):
            raise NotFoundError(f"There is no object {key}.") from error
        raise UnavailableError(f"the object {key} cannot be {what}: {error}") from error
    except BotoCoreError as error:
        raise UnavailableError(f"the object {key} cannot be {what}: {error}") from error


def read_object(bucket: str, key: str, longest: int | None = None) -> bytes:
    """The object, or its first *longest* bytes. Raises NotFoundError or UnavailableError."""
    with doing("read", key):
        body: bytes = client("s3").get_object(Bucket=bucket, Key=key)["Body"].read(longest)
    return body


def read_whole(bucket: str, key: str, most_bytes: int) -> bytes | None:
    """The object; None if it is larger. Raises NotFoundError or UnavailableError."""
    with doing("read", key):
        found = client("s3").get_object(Bucket=bucket, Key=key)
        if found["ContentLength"] > most_bytes:
            found["Body"].close()
            return None
        content: bytes = found["Body"].read()
    return content


def put_object(bucket: str, key: str, content: bytes, media_type: str = "") -> None:
    """Raises UnavailableError."""
    named = {"ContentType": media_type} if media_type else {}
    with doing("kept", key):
        client("s3").put_object(Bucket=bucket, Key=key, Body=content, **named)


def has_object(bucket: str, key: str) -> bool:
    """Raises UnavailableError."""
    try:
        with doing("looked at", key):
            client("s3").head_object(Bucket=bucket, Key=key)
    except NotFoundError:
        return False
    return True


def copy_object(source: tuple[str, str], bucket: str, key: str) -> None:
    """From the bucket and key of *source*. Raises NotFoundError or UnavailableError."""
    with doing("copied", source[1]):
        client("s3").copy_object(
            Bucket=bucket, Key=key, CopySource={"Bucket": source[0], "Key": source[1]}
        )


def end_object(bucket: str, key: str) -> None:
    """Ending what is gone already is fine. Raises UnavailableError."""
    with doing("deleted", key):
        client("s3").delete_object(Bucket=bucket, Key=key)


def sign_get(bucket: str, key: str, seconds: int, **more: str) -> str:
    """An address that serves the object for a while."""
    url: str = client("s3").generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": key, **more}, ExpiresIn=seconds
    )
    return url


def find_versions(bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    """Every version and deletion mark under *prefix*. Raises UnavailableError."""
    with doing("listed", prefix):
        pages = client("s3").get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=bucket, Prefix=prefix):
            yield from page.get("Versions", ())
            yield from page.get("DeleteMarkers", ())
