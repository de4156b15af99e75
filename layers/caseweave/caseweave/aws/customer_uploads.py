"""Files that customers upload themselves: straight to the bucket, within what was signed."""

from base64 import b64encode
from typing import Any

from caseweave.aws.clients import client
from caseweave.aws.objects import doing
from caseweave.errors import NotFoundError

UPLOAD_SECONDS = 900


def sign_upload(bucket: str, key: str, media_type: str, size: int, digest: str) -> dict[str, Any]:
    """What a browser posts a file of exactly this size and type with: `url` and `fields`.

    *digest* is the SHA-256 in hexadecimal that S3 compares the bytes with, "" for none.
    """
    fields = {"Content-Type": media_type}
    if digest:
        fields["x-amz-checksum-algorithm"] = "SHA256"
        fields["x-amz-checksum-sha256"] = b64encode(bytes.fromhex(digest)).decode()
    conditions = [*({name: value} for name, value in fields.items())]
    found: dict[str, Any] = client("s3").generate_presigned_post(
        Bucket=bucket,
        Key=key,
        Fields=fields,
        Conditions=[*conditions, ["content-length-range", size, size]],
        ExpiresIn=UPLOAD_SECONDS,
    )
    return found


def find_size(bucket: str, key: str) -> int | None:
    """The size of an object, None if it is not there. Raises UnavailableError."""
    try:
        with doing("looked at", key):
            return int(client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"])
    except NotFoundError:
        return None
