"""The arrows of the design: functions → use cases → {channels, storage, aws, platform} → domain.

Every import of every module is looked at as it is written; nothing is imported here.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "layers" / "caseweave" / "caseweave"
FUNCTIONS = ROOT / "functions"

# What each part may import of the package. A part that is not named here is a use case.
ALLOWED = {
    "domain": ("domain", "errors"),
    "errors": (),
    "config": ("config", "domain", "errors"),
    "channels": ("channels", "domain", "errors"),
    "storage": ("storage", "domain", "errors"),
    "aws": ("aws", "channels.request", "channels.credentials", "domain", "errors"),
    "platform": ("platform", "domain", "errors"),
}
# What is nobody's to import but the command's: it stands outside, as ops do.
OUTSIDE = ("cli",)
# Who may import these; everybody else asks them.
OWNERS = {
    "pynamodb": ("storage",),
    "boto3": ("aws", "cli"),
    "botocore": ("aws", "cli"),
    "chalice": ("functions", "api_edge"),
}
# Of the standard library, what would make a rule depend on when and where it runs.
IMPURE = frozenset(
    {"asyncio", "http", "io", "locale", "logging", "multiprocessing", "os", "pathlib", "platform",
     "random", "secrets", "shutil", "socket", "sqlite3", "ssl", "subprocess", "tempfile",
     "threading", "time", "urllib", "uuid"}
)  # fmt: skip
CLOCKS = frozenset({"now", "utcnow", "today", "open", "input", "print"})


def find_violations(module: str, source: str) -> list[str]:
    """What in *source*, the text of *module* (`caseweave.domain.case`), points the wrong way."""
    tree = ast.parse(source)
    part = _part(module)
    found = [
        f"{module}:{line} imports {name}"
        for line, name in _imports(module, tree)
        if not _may_import(part, name)
    ]
    if part == "domain":
        found += [f"{module}:{line} calls {name}()" for line, name in _impure_calls(tree)]
    return found


def _part(module: str) -> str:
    """`domain`, `storage`, …; `functions`; or the name of a use case."""
    names = module.split(".")
    return names[1] if names[0] == "caseweave" and len(names) > 1 else names[0]


def _imports(module: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: -node.level] if node.level else []
            source = ".".join([*above, *filter(None, [node.module])])
            yield from ((node.lineno, f"{source}.{alias.name}") for alias in node.names)


def _impure_calls(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in CLOCKS:
                yield node.lineno, name


def _may_import(part: str, name: str) -> bool:
    top, _, rest = name.partition(".")
    if top == "functions":
        return False
    if top == "caseweave":
        allowed = ALLOWED.get(part)
        if allowed is None:
            return part in OUTSIDE or rest.partition(".")[0] not in OUTSIDE
        return any(f"{rest}.".startswith(f"{one}.") for one in allowed)
    if top in OWNERS:
        return part in OWNERS[top]
    if part == "domain":
        return top in sys.stdlib_module_names - IMPURE
    return True


def _modules() -> Iterator[tuple[str, Path]]:
    for root, name in ((PACKAGE, "caseweave"), (FUNCTIONS, "functions")):
        for path in sorted(root.rglob("*.py")):
            inner = path.relative_to(root).with_suffix("").parts
            yield ".".join([name, *inner]).removesuffix(".__init__"), path


MODULES = dict(_modules())


def test_every_part_was_found():
    parts = {_part(module) for module in MODULES}
    assert {*ALLOWED, *OUTSIDE, "functions", "intake", "router", "agents"} <= parts
    assert len(MODULES) > 60


@pytest.mark.parametrize("module", MODULES)
def test_imports_follow_the_arrows(module):
    assert find_violations(module, MODULES[module].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("caseweave.domain.case", "import requests"),
        ("caseweave.domain.case", "import ruamel.yaml"),
        ("caseweave.domain.case", "from caseweave.storage import cases"),
        ("caseweave.domain.case", "from caseweave.channels.request import Sent"),
        ("caseweave.domain.case", "from caseweave import storage"),
        ("caseweave.domain.case", "from .. import storage"),
        ("caseweave.domain.case", "from ..storage.cases import read_head"),
        ("caseweave.domain.case", "from caseweave.config.desk import load_desk"),
        ("caseweave.domain.case", "import os"),
        ("caseweave.domain.case", "import random"),
        ("caseweave.domain.case", "def f():\n    from time import time"),
        ("caseweave.domain.case", "from datetime import datetime\nx = datetime.now()"),
        ("caseweave.domain.case", "x = open('a')"),
        ("caseweave.errors", "from caseweave.domain.case import Case"),
        ("caseweave.config.desk", "from caseweave.storage import cases"),
        ("caseweave.channels.twilio", "from caseweave.storage import outbox"),
        ("caseweave.channels.twilio", "from caseweave.aws.secrets import read_credentials"),
        ("caseweave.channels.twilio", "import boto3"),
        ("caseweave.channels.twilio", "from caseweave.intake import take_in"),
        ("caseweave.storage.cases", "from caseweave.aws import queues"),
        ("caseweave.storage.cases", "from caseweave.channels.request import Sent"),
        ("caseweave.storage.cases", "from botocore.exceptions import ClientError"),
        ("caseweave.aws.mailer", "from caseweave.storage.outbox import OutboxKey"),
        ("caseweave.aws.mailer", "from caseweave.channels import ses"),
        ("caseweave.aws.mailer", "from caseweave.channels.requests import Sent"),
        ("caseweave.aws.mailer", "from pynamodb.models import Model"),
        ("caseweave.platform.sign_in", "from caseweave.storage import cases"),
        ("caseweave.intake", "import boto3"),
        ("caseweave.intake", "if True:\n    import pynamodb.models"),
        ("caseweave.intake", "from functions.api.app import app"),
        ("caseweave.intake", "from caseweave.cli import main"),
        ("caseweave.http", "from chalice.app import Response"),
        ("caseweave.agents.cases", "from chalice import Chalice"),
        ("functions.api.app", "import boto3"),
        ("functions.api.app", "from pynamodb.models import Model"),
        ("functions.api.app", "from caseweave.cli import main"),
        ("functions.router.stream", "from functions.relay.stream import handler"),
    ],
)
def test_an_arrow_the_wrong_way_is_found(module, source):
    assert len(find_violations(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("caseweave.domain.case", "from caseweave.domain.clocks import Clock\nimport re"),
        ("caseweave.domain.case", "from caseweave.errors import NotFoundError"),
        ("caseweave.domain.case", "from .clocks import Clock"),
        ("caseweave.aws.mailer", "from caseweave.channels.request import Sent\nimport boto3"),
        ("caseweave.storage.cases", "from pynamodb.models import Model"),
        ("caseweave.channels.telegram", "import json\nfrom bs4 import BeautifulSoup"),
        ("caseweave.intake", "from caseweave.storage import cases\nfrom caseweave.aws import bus"),
        ("caseweave.api_edge", "from chalice.app import Response"),
        ("caseweave.cli.down", "import boto3\nfrom caseweave.cli.state_dir import x"),
        ("functions.api.app", "from chalice.app import Chalice\nfrom caseweave.agents import x"),
    ],
)
def test_an_arrow_the_right_way_is_not(module, source):
    assert find_violations(module, source) == []


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("functions.")])
def test_every_function_has_the_logger_that_masks(module):
    source = MODULES[module].read_text(encoding="utf-8")
    calls = {
        ast.unparse(node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)
    }
    advice = "write `logger = start_logging()` (caseweave.logs): no secret may get into a log"
    assert "start_logging()" in calls, advice
    assert not {call for call in calls if call.startswith(("Logger(", "print("))}, advice
