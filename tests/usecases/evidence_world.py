"""Locked buckets and a signing key, on moto, for the tests of evidence."""

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.client import BaseClient

from caseweave.daily_digests import Notary
from tests.usecases.world import CrashError

FILES, EVIDENCE, ANCHORS = "files-bucket", "evidence-bucket", "anchor-bucket"


def make_buckets() -> None:
    """As infra/evidence.yaml makes them; moto's CloudFormation leaves the lock out."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=FILES)
    for bucket, mode in ((EVIDENCE, "GOVERNANCE"), (ANCHORS, "COMPLIANCE")):
        s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
        rule = {"DefaultRetention": {"Mode": mode, "Days": 30}}
        s3.put_object_lock_configuration(
            Bucket=bucket,
            ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule},
        )


def make_notary() -> Notary:
    key = boto3.client("kms").create_key(KeySpec="RSA_3072", KeyUsage="SIGN_VERIFY")
    return Notary(key["KeyMetadata"]["Arn"], ANCHORS)


@contextmanager
def crash_at_aws_call(number: int, *, after: bool) -> Iterator[list[str]]:
    """Let the *number*-th call of any service but DynamoDB die, before or after its effect."""
    calls: list[str] = []
    original = BaseClient._make_api_call

    def dying(self: BaseClient, operation: str, arguments: dict) -> dict:
        calls.append(operation)
        is_fatal = len(calls) == number
        if is_fatal and not after:
            raise CrashError(operation)
        answer = original(self, operation, arguments)
        if is_fatal:
            raise CrashError(operation)
        return answer

    BaseClient._make_api_call = dying
    try:
        yield calls
    finally:
        BaseClient._make_api_call = original
