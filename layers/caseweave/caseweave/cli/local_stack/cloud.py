"""The local cloud's account, kept well apart from any real one."""

import os
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def local_client(service: str, endpoint_url: str) -> Any:
    """A boto3 client for the local cloud, whatever profile or proxy the caller's shell has."""
    no_profile = {"profile": (None, None, None, None)}
    session = boto3.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
        botocore_session=botocore.session.Session(session_vars=no_profile),
    )
    return session.client(service, endpoint_url=endpoint_url, config=Config(proxies={}))


def tool_environment(endpoint_url: str) -> dict[str, str]:
    """The caller's environment for command-line tools, turned towards the local cloud."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **kept,
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        # a profile of the caller could name another endpoint
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "SAM_CLI_TELEMETRY": "0",
    }
