"""The table as `infra/storage.yaml` makes it, on moto."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

# Before any import of a function: these read their environment at import.
os.environ.update(
    {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "POWERTOOLS_LOG_LEVEL": "WARNING",
    }
)
for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
    os.environ.pop(name, None)

from caseweave.storage.table import use_table  # noqa: E402 - after the environment

ROOT = Path(__file__).resolve().parent.parent


def make_table() -> str:
    """Deploy `infra/storage.yaml` and bind the rows to its table; inside `mock_aws` only."""
    formation = _formation()
    formation.create_stack(
        StackName="storage",
        TemplateBody=(ROOT / "infra" / "storage.yaml").read_text(),
        Parameters=[{"ParameterKey": "DeletionProtection", "ParameterValue": "false"}],
    )
    stack = formation.describe_stacks(StackName="storage")["Stacks"][0]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    name = outputs["TableName"]
    # For each write of a transaction moto copies the whole stream, which nobody here reads.
    dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].get_table(name).stream_shard = None
    use_table(name)
    return name


def clear_table(name: str) -> None:
    """Make the table as good as new; inside `mock_aws` only."""
    dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].get_table(name).items.clear()


@cache
def _formation() -> Any:
    """Making a client takes longer than making the table."""
    return boto3.client("cloudformation")


@pytest.fixture
def table() -> Iterator[str]:
    """A fresh table, with the rows bound to it; its name."""
    with mock_aws():
        yield make_table()
