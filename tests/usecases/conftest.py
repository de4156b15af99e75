"""The desk, the door and a stored world for the use cases."""

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from caseweave.config.desk import load_desk
from caseweave.config.threading import load_threading
from caseweave.domain.desk import Desk
from caseweave.intake import Door
from tests.conftest import make_table

ROOT = Path(__file__).resolve().parents[2]
KEYS = [b"k" * 32]
THREADING = load_threading(ROOT / "config")


@pytest.fixture(scope="session")
def desk() -> Desk:
    return load_desk(ROOT / "config")


@pytest.fixture
def door() -> Door:
    return Door("frontline", KEYS, os.urandom, threading=THREADING)


@pytest.fixture(scope="module")
def shared_table() -> Iterator[str]:
    """One table for a whole file, which clears it for each test: making one takes longer."""
    with mock_aws():
        yield make_table()


@pytest.fixture
def dump(table: str) -> Callable[[], list[dict]]:
    """Every record of the table, sorted: what "nothing changed" is compared by."""

    def scan() -> list[dict]:
        items: list[dict] = []
        for page in boto3.client("dynamodb").get_paginator("scan").paginate(TableName=table):
            items += page["Items"]
        return sorted(items, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))

    return scan


@pytest.fixture
def make_empty(table: str) -> Callable[[], str]:
    """Makes another table with the keys and indexes of the first."""
    dynamodb = boto3.client("dynamodb")
    known = dynamodb.describe_table(TableName=table)["Table"]
    indexes = [
        {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
        for index in known["GlobalSecondaryIndexes"]
    ]

    numbers = count()

    def make() -> str:
        name = f"rebuilt-{next(numbers)}"
        dynamodb.create_table(
            TableName=name,
            KeySchema=known["KeySchema"],
            AttributeDefinitions=known["AttributeDefinitions"],
            GlobalSecondaryIndexes=indexes,
            BillingMode="PAY_PER_REQUEST",
        )
        return name

    return make
