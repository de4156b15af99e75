"""`template.yaml` against the code it deploys, and against its own promises."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.nodes import MappingNode, ScalarNode

ROOT = Path(__file__).resolve().parent.parent
Resources = dict[str, dict[str, Any]]

# In a process of its own: importing a function binds the store to its environment.
_LIST_ROUTES = """\
import importlib, json, sys
app = importlib.import_module(f"functions.api.{sys.argv[1]}").app
print(json.dumps([[method, path] for path, by in app.routes.items() for method in by]))
"""


class _CloudFormation(SafeConstructor):
    """`!Ref X` becomes `{"!Ref": "X"}`."""


def _construct_tag(loader: SafeConstructor, tag: str, node: Any) -> dict[str, Any]:
    if isinstance(node, ScalarNode):
        return {tag: loader.construct_scalar(node)}
    if isinstance(node, MappingNode):
        return {tag: loader.construct_mapping(node, deep=True)}
    return {tag: loader.construct_sequence(node, deep=True)}


_CloudFormation.add_multi_constructor("!", lambda loader, tag, node: _construct_tag(
    loader, str(tag) if str(tag).startswith("!") else f"!{tag}", node
))  # fmt: skip


def read_template(path: Path) -> dict[str, Any]:
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _CloudFormation
    template: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"))
    return template


TEMPLATE = read_template(ROOT / "template.yaml")
RESOURCES: Resources = TEMPLATE["Resources"]
NESTED = {path.name: read_template(path) for path in sorted((ROOT / "infra").glob("*.yaml"))}
STACKS: dict[str, Resources] = {
    "template.yaml": RESOURCES,
    **{name: template["Resources"] for name, template in NESTED.items() if "Resources" in template},
}


def of_type(resources: Resources, *kinds: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in resources.items():
        if resource["Type"] in kinds:
            yield name, resource.get("Properties", {})


def functions(resources: Resources) -> dict[str, dict[str, Any]]:
    return dict(of_type(resources, "AWS::Serverless::Function"))


def events(resources: Resources, *kinds: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(`Function.Event`, its properties) of every event of these types."""
    for name, function in functions(resources).items():
        for event_name, event in function.get("Events", {}).items():
            if event["Type"] in kinds:
                yield f"{name}.{event_name}", event["Properties"]


# ---------------------------------------------------------------- routes


CHALICE_APPS = [
    path.stem
    for path in sorted((ROOT / "functions" / "api").glob("*.py"))
    if "Chalice(" in path.read_text(encoding="utf-8")
]


def api_routes(resources: Resources, module: str = "app") -> set[tuple[str, str]]:
    """(method, path) of each event of the function that runs the Chalice app of *module*."""
    return {
        (event["Properties"]["Method"].upper(), event["Properties"]["Path"])
        for function in functions(resources).values()
        if (function["CodeUri"].rstrip("/"), function["Handler"])
        == ("functions/api", f"{module}.handler")
        for event in function["Events"].values()
        if event["Type"] == "Api"
    }


def app_routes(module: str) -> set[tuple[str, str]]:
    environment = {
        **os.environ,
        "TABLE_NAME": "table",
        "PARAMETER_PREFIX": "/caseweave/test",
        "FILES_BUCKET": "files",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    listed = subprocess.run(
        [sys.executable, "-c", _LIST_ROUTES, module],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert listed.returncode == 0, listed.stderr
    return {(method, path) for method, path in json.loads(listed.stdout)}


@pytest.mark.parametrize("module", CHALICE_APPS)
def test_every_route_of_an_app_is_an_event_and_every_event_is_a_route(module):
    routes = app_routes(module)
    assert routes
    assert api_routes(RESOURCES, module) == routes


def test_the_apps_were_found():
    assert {"app", "search"} <= set(CHALICE_APPS)
    assert ("GET", "/v1/cases") in api_routes(RESOURCES)


def find_open_doors(resources: Resources) -> list[str]:
    """Routes that anybody may call, other than those of providers and customers."""
    found = []
    for api, properties in of_type(resources, "AWS::Serverless::Api"):
        auth = properties.get("Auth", {})
        if auth.get("DefaultAuthorizer") not in auth.get("Authorizers", {}):
            found.append(f"{api} lets everybody in by default")
    for name, event in events(resources, "Api", "HttpApi"):
        is_public = event["Path"].startswith(("/intake/", "/portal/"))
        if event.get("Auth") and not is_public:
            found.append(f"{name} has an Auth of its own: {event['Path']}")
        if event["Path"].startswith("/v1") and "!Ref" not in event["RestApiId"]:
            found.append(f"{name} belongs to no API of this template")
    return found


def test_every_route_of_the_agents_needs_a_token():
    assert find_open_doors(RESOURCES) == []


def test_every_function_is_there_with_its_handler():
    for name, function in functions(RESOURCES).items():
        module, _, handler = function["Handler"].rpartition(".")
        path = ROOT / function["CodeUri"] / f"{module}.py"
        assert f"def {handler}(" in path.read_text(encoding="utf-8"), name


def find_ruleless_functions(resources: Resources) -> list[str]:
    """Functions that take messages in, and lack the layer with config/threading.yaml."""
    return [
        name
        for name, function in functions(resources).items()
        if {"!Ref": "ConfigLayer"} not in function.get("Layers", [])
        and _TAKES_IN.search(_source_of(function))
    ]


def _source_of(function: dict[str, Any]) -> str:
    module = function["Handler"].rpartition(".")[0]
    return (ROOT / function["CodeUri"] / f"{module}.py").read_text(encoding="utf-8")


_TAKES_IN = re.compile(r"\b(make_door|replayer|web_desk|wecom_source|deployed_threading)\b")


def test_every_function_that_takes_messages_in_has_the_rules_which_case_they_join():
    assert find_ruleless_functions(RESOURCES) == []
    worse = _change(STACKS, "template.yaml/IntakeSmsFunction/Properties/Layers", None)
    assert find_ruleless_functions(worse["template.yaml"]) == ["IntakeSmsFunction"]


# ---------------------------------------------------------------- permissions


def find_wide_permissions(resources: Resources) -> list[str]:
    found = []
    for name, function in functions(resources).items():
        policies = function.get("Policies") or [{}]
        for policy in policies if isinstance(policies, list) else [policies]:
            if not isinstance(policy, dict) or not policy.get("Statement"):
                found.append(f"{name} has no statements of its own: {policy}")
                continue
            for statement in policy["Statement"]:
                found += [f"{name}: {problem}" for problem in _widths(statement)]
    return found


def _widths(statement: dict[str, Any]) -> Iterator[str]:
    if {"Effect", "Action", "Resource"} != statement.keys() - {"Sid", "Condition"}:
        yield f"says more or less than effect, action and resource: {sorted(statement)}"
    for action in _as_list(statement.get("Action", "*")):
        if "*" in action:
            yield f"any action: {action}"
    for resource in _as_list(statement.get("Resource", "*")):
        if str(resource) == "*" or resource == {"!Sub": "*"}:
            yield "any resource"


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_no_lifecycle_rule_ends_what_is_quarantined():
    bucket = STACKS["storage.yaml"]["FilesBucket"]["Properties"]
    prefixes = [rule["Prefix"] for rule in bucket["LifecycleConfiguration"]["Rules"]]

    assert prefixes
    assert not any("quarantined/".startswith(prefix) for prefix in prefixes)


def test_each_function_may_do_only_what_it_is_for():
    assert find_wide_permissions(RESOURCES) == []


# ---------------------------------------------------------------- streams and queues


def find_fragile_sources(resources: Resources) -> list[str]:
    """Stream and queue sources in which one bad record could block or lose the others."""
    found = []
    for name, source in events(resources, "DynamoDB", "Kinesis"):
        if source.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            found.append(f"{name} reports no partial failures")
        if source.get("BisectBatchOnFunctionError") is not True:
            found.append(f"{name} does not bisect")
        if not 0 < source.get("MaximumRetryAttempts", -1) <= 20:
            found.append(f"{name} retries without a limit")
        if "OnFailure" not in source.get("DestinationConfig", {}):
            found.append(f"{name} has nowhere to put what it gives up")
    for name, source in events(resources, "SQS"):
        if source.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            found.append(f"{name} reports no partial failures")
    return found


def test_a_poison_record_blocks_and_loses_nothing():
    assert len(list(events(RESOURCES, "DynamoDB"))) >= 2
    assert find_fragile_sources(RESOURCES) == []


def find_dead_ends(stacks: dict[str, Resources]) -> list[str]:
    """Queues without a dead-letter queue that are none themselves, and those nobody watches.

    The last stop of what was given up (a dead-letter queue, an on-failure destination) has an
    alarm instead.
    """
    destinations = json.dumps(
        [
            found.get("DestinationConfig", {})
            for _, function in of_type(stacks["template.yaml"], "AWS::Serverless::Function")
            for found in (
                function.get("EventInvokeConfig", {}),
                *(event["Properties"] for event in function.get("Events", {}).values()),
            )
        ]
    )
    found = []
    for stack, resources in stacks.items():
        queues = dict(of_type(resources, "AWS::SQS::Queue"))
        redrives = {
            name: queue["RedrivePolicy"]["deadLetterTargetArn"]["!GetAtt"].partition(".")[0]
            for name, queue in queues.items()
            if "RedrivePolicy" in queue
        }
        watched = json.dumps(
            [alarm["Dimensions"] for _, alarm in of_type(resources, "AWS::CloudWatch::Alarm")]
        )
        for name in queues:
            is_last_stop = name in redrives.values() or f".{name}Arn" in destinations
            if name not in redrives and not is_last_stop:
                found.append(f"{stack}: {name} has no dead-letter queue")
            if is_last_stop and f'"{name}.QueueName"' not in watched:
                found.append(f"{stack}: nobody watches {name}")
    return found


def test_every_queue_has_a_dead_letter_queue_with_an_alarm():
    assert sum(len(list(of_type(stack, "AWS::SQS::Queue"))) for stack in STACKS.values()) >= 9
    assert find_dead_ends(STACKS) == []


# ---------------------------------------------------------------- that these checks can fail


def _change(stacks: dict[str, Resources], path: str, value: Any) -> dict[str, Resources]:
    """A copy with the value at *path* (`template.yaml/Api/Properties/…`) set, or gone if None."""
    changed: Any = deepcopy(stacks)
    *above, last = path.split("/")
    place = changed
    for name in above:
        place = place[int(name) if name.isdigit() else name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return dict(changed)


_ROUTER = "template.yaml/RouterFunction/Properties"
_STREAM = f"{_ROUTER}/Events/Stream/Properties"
_FIRST = f"{_ROUTER}/Policies/0/Statement/0"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("template.yaml/Api/Properties/Auth/DefaultAuthorizer", None),
        ("template.yaml/Api/Properties/Auth/DefaultAuthorizer", "Nobody"),
        (
            "template.yaml/ApiFunction/Properties/Events/ListCases/Properties/Auth",
            {"Authorizer": "NONE"},
        ),
        (f"{_ROUTER}/Policies", None),
        (f"{_ROUTER}/Policies", ["AmazonDynamoDBFullAccess"]),
        (f"{_FIRST}/Action", ["dynamodb:*"]),
        (f"{_FIRST}/Action", "*"),
        (f"{_FIRST}/Resource", "*"),
        (f"{_FIRST}/Resource", ["*"]),
        (f"{_FIRST}/Resource", None),
        (f"{_STREAM}/FunctionResponseTypes", None),
        (f"{_STREAM}/BisectBatchOnFunctionError", False),
        (f"{_STREAM}/MaximumRetryAttempts", None),
        (f"{_STREAM}/DestinationConfig", None),
        ("outbound.yaml/SmsQueue/Properties/RedrivePolicy", None),
        ("outbound.yaml/SmsDeadAlarm", None),
        ("outbound.yaml/FailuresAlarm", None),
    ],
)
def test_a_worse_template_is_noticed(path, value):
    worse = _change(STACKS, path, value)
    problems = [
        *find_open_doors(worse["template.yaml"]),
        *find_wide_permissions(worse["template.yaml"]),
        *find_fragile_sources(worse["template.yaml"]),
        *find_dead_ends(worse),
    ]
    assert problems


def test_a_route_that_is_missing_in_the_template_is_noticed():
    worse = _change(STACKS, "template.yaml/ApiFunction/Properties/Events/ListCases", None)
    assert api_routes(RESOURCES) - api_routes(worse["template.yaml"]) == {("GET", "/v1/cases")}
