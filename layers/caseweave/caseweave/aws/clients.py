"""boto3 clients, one of each, made when first needed: a cold start pays only for what it uses."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

# Shorter than the Lambda that waits. S3 URLs need the v4 signature to be checked everywhere.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=10,
    retries={"total_max_attempts": 3, "mode": "standard"},
    signature_version="v4",
)
# Whoever asks again may send again: what sends to customers asks once (promise P6).
_SENDERS = frozenset({"pinpoint-sms-voice-v2", "sesv2"})
_ONCE = _CONFIG.merge(Config(retries={"total_max_attempts": 1, "mode": "standard"}))
_S3_CONFIG = _CONFIG.merge(Config(signature_version="s3v4", s3={"addressing_style": "path"}))


@cache
def client(name: str) -> Any:
    """The client of an AWS service, by boto3's name for it."""
    config = _S3_CONFIG if name == "s3" else _ONCE if name in _SENDERS else _CONFIG
    return boto3.client(name, config=config)
