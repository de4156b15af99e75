"""Files that customers upload themselves: straight to the bucket, within what was signed."""

import logging
from base64 import b64encode
from typing import Any

from botocore.exceptions import ClientError

from caseweave.aws.clients import client
from caseweave.errors import UnavailableError

logger = logging.getLogger(__name__)

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
        return int(client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"])
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 403:
            # Who may not list a bucket is told 403 for what is not there.
            logger.warning("the object %s is not there, or may not be read", key)
        if status in (403, 404):
            return None
        raise UnavailableError(f"the object {key} cannot be looked at: {error}") from error
