"""Locked buckets and a signing key, on moto, for the tests of evidence."""

from functools import partial

import boto3
from botocore.client import BaseClient

from caseweave.daily_digests import Notary
from tests.usecases.world import crash_at_call

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


# Lets a call of any service but DynamoDB die.
crash_at_aws_call = partial(crash_at_call, client=BaseClient)
