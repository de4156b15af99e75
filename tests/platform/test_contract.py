"""docs/platform-connector.openapi.yaml: a valid document, which the sample platform keeps and the
connector understands.
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from ruamel.yaml import YAML

from caseweave.platform import reading
from caseweave.platform.signing import read_secret, sign, signed_content
from caseweave.platform.transport import Bounds, open_url
from tests.platform.sample import FIRST

DOCUMENT = YAML(typ="safe").load(
    (Path(__file__).parents[2] / "docs" / "platform-connector.openapi.yaml").read_text("utf-8")
)
REGISTRY = Registry().with_resource("urn:contract", Resource(DOCUMENT, DRAFT202012))
# What to ask the sample for, by path.
KNOWN = {
    "/.well-known/jwks.json": {},
    "/accounts/{user}": {"user": "u-1001"},
    "/accounts/{user}/orders": {"user": "u-1003"},
    "/orders/{order_no}": {"order_no": "T20261123-7731"},
    "/orders/{order_no}/snapshot": {"order_no": "K20261122-0457"},
    "/cards/{card}": {"card": "V-20261122-0457"},
    "/payments/{id}": {"id": "P20261123-7731-T"},
}
READERS = {
    "/accounts/{user}": lambda said: reading.read_account(said, said["user"]),
    "/accounts/{user}/orders": lambda said: reading.read_orders(
        said, said["orders"][0]["user"], 10
    ),
    "/orders/{order_no}": lambda said: reading.read_order(said, said["order_no"]),
    "/orders/{order_no}/snapshot": lambda said: reading.check_snapshot(
        said, said["order"]["order_no"]
    ),
    "/cards/{card}": lambda said: reading.read_card(said, said["digest"]),
    "/payments/{id}": lambda said: reading.read_payment(said, said["id"]),
}


def find_flaws(schema, value):
    """What of *value* does not fit the schema at a place of the document."""
    validator = Draft202012Validator(
        {"$ref": f"urn:contract#{schema}"}, registry=REGISTRY, format_checker=FormatChecker()
    )
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def place(path):
    escaped = path.replace("~", "~0").replace("/", "~1")
    return f"/paths/{escaped}/get/responses/200/content/application~1json/schema"


def ask(sample, target, *, signed=True):
    now = datetime.now(UTC)
    content = signed_content("GET", target)
    headers = sign([read_secret(FIRST)], "question-1", now, content) if signed else {}
    return open_url(sample.url + target, headers, Bounds(1, 2, 5, 1_000_000))


def test_the_document_is_valid_openapi():
    validate(DOCUMENT)


def test_every_path_is_one_the_sample_is_asked_for():
    assert DOCUMENT["paths"].keys() == KNOWN.keys()
    assert KNOWN.keys() - READERS.keys() == {"/.well-known/jwks.json"}


@pytest.mark.parametrize("path", KNOWN)
def test_the_sample_answers_every_path_as_its_schema_says(sample, path):
    reply = ask(sample, path.format(**KNOWN[path]))

    assert (reply.status, reply.headers["content-type"].partition(";")[0]) == (
        200,
        "application/json",
    )
    assert find_flaws(place(path), json.loads(reply.body)) == []


@pytest.mark.parametrize("path", READERS)
def test_the_sample_answers_nobody_else(sample, path):
    reply = ask(sample, path.format(**KNOWN[path]), signed=False)

    assert (reply.status, reply.headers["content-type"]) == (401, "application/problem+json")
    assert find_flaws("/components/schemas/Problem", json.loads(reply.body)) == []


@pytest.mark.parametrize("path", READERS)
def test_what_the_sample_does_not_know_is_a_problem_document(sample, path):
    reply = ask(sample, re.sub(r"\{\w+\}", "nothing", path))

    assert (reply.status, reply.headers["content-type"]) == (404, "application/problem+json")
    assert find_flaws("/components/schemas/Problem", json.loads(reply.body)) == []


@pytest.mark.parametrize("limit", ["0", "51", "-1", "many", "%D9%A3"])
def test_a_limit_out_of_bounds_is_a_problem_document(sample, limit):
    reply = ask(sample, f"/accounts/u-1001/orders?limit={limit}")

    assert (reply.status, reply.headers["content-type"]) == (400, "application/problem+json")


@pytest.mark.parametrize("path", KNOWN)
def test_every_example_fits_its_schema(path):
    content = DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]

    assert find_flaws(place(path), content["example"]) == []


@pytest.mark.parametrize("path", READERS)
def test_the_connector_understands_every_example(path):
    content = DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]

    READERS[path](content["example"])


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("/accounts/{user}", {"user": None}),
        ("/accounts/{user}", {"frozen": "no"}),
        ("/orders/{order_no}", {"amount": 98.5}),
        ("/orders/{order_no}", {"placed_at": "yesterday"}),
        ("/cards/{card}", {"state": None}),
        ("/payments/{id}", {"currency": "yuan"}),
    ],
)
def test_what_breaks_the_contract_fits_neither_the_schema_nor_the_connector(path, change):
    content = DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    broken = {**content["example"], **change}

    assert find_flaws(place(path), broken)
    with pytest.raises(reading.UnparseableError):
        READERS[path](broken)


def test_every_summary_is_in_both_languages():
    operations = [one["get"] for one in DOCUMENT["paths"].values()]

    for operation in operations:
        assert re.search(r"[A-Za-z]{3}.*[\u4e00-\u9fff]{2}", operation["summary"])
