"""The anchor bucket: a day's digest is put there once and cannot be changed after."""

from collections.abc import Iterator
from datetime import date

from botocore.exceptions import ClientError

from caseweave.aws.clients import client
from caseweave.aws.objects import doing, read_object

_PREFIX = "digests/"
_TAKEN = ("PreconditionFailed", "ConditionalRequestConflict")


def anchor_digest(bucket: str, day: date, content: bytes) -> bool:
    """Put a day's digest; False, and nothing put, if that day has one. Raises UnavailableError."""
    key = _key(day)
    with doing("kept", key):
        try:
            client("s3").put_object(
                Bucket=bucket,
                Key=key,
                Body=content,
                ContentType="application/json",
                IfNoneMatch="*",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _TAKEN:
                return False
            raise
    return True


def read_anchored(bucket: str, day: date) -> bytes:
    """Raises NotFoundError or UnavailableError."""
    return read_object(bucket, _key(day))


def list_anchored(bucket: str, after: date) -> Iterator[date]:
    """The days after that one which have a digest, in order. Raises UnavailableError."""
    with doing("listed", _PREFIX):
        pages = client("s3").get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=bucket, Prefix=_PREFIX, StartAfter=_key(after)):
            for found in page.get("Contents", ()):
                yield date.fromisoformat(found["Key"].removeprefix(_PREFIX).removesuffix(".json"))


def _key(day: date) -> str:
    return f"{_PREFIX}{day.isoformat()}.json"
