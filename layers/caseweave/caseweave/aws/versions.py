"""Ending objects for good: every version, locked or not."""

from typing import Any

from botocore.exceptions import ClientError

from caseweave.aws.clients import client
from caseweave.aws.objects import doing, find_versions


def end_every_version(bucket: str, key: str) -> int:
    """How many versions went, of one object, or of all in a folder (a *key* that ends in `/`).

    A lock in governance mode is passed: the caller is the one function that may. Raises
    UnavailableError.
    """
    ended = 0
    for version in list(find_versions(bucket, key)):
        if version["Key"] == key or key.endswith("/"):
            with doing("ended", version["Key"]):
                _end(bucket, version["Key"], version["VersionId"])
            ended += 1
    return ended


def _end(bucket: str, key: str, version: str) -> None:
    named: dict[str, Any] = {"Bucket": bucket, "Key": key, "VersionId": version}
    try:
        client("s3").delete_object(**named)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        # Locked: only then, since a bucket without locks refuses to hear of them.
        client("s3").delete_object(**named, BypassGovernanceRetention=True)
