"""threading.yaml: what it says becomes the policy, and what is wrong is told with file and line."""

import json
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from caseweave.config.threading import COMPILED, compile_policy, load_threading, read_compiled
from caseweave.domain.message import Channel
from caseweave.domain.threading import After, ClosedRule, Several
from caseweave.errors import InvalidConfigError

CONFIG = Path(__file__).resolve().parents[2] / "config"
DAY = timedelta(days=1)


@pytest.fixture
def folder(tmp_path):
    for name in ("threading.yaml", "playbooks.yaml"):
        shutil.copy(CONFIG / name, tmp_path)
    return tmp_path


def change(folder, old, new):
    path = folder / "threading.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_shipped_file_is_the_policy_it_describes():
    policy = load_threading(CONFIG)

    assert policy.windows == {
        Channel.WEB: timedelta(0),
        Channel.EMAIL: timedelta(0),
        Channel.SMS: DAY,
        Channel.MESSENGER: DAY,
        Channel.VOICE: timedelta(minutes=30),
        Channel.OFFLINE: timedelta(0),
    }
    assert policy.default == policy.rule_of("question") == ClosedRule(7 * DAY, After.FOLLOW_UP)
    assert policy.rule_of("dispute") == ClosedRule(30 * DAY, After.FOLLOW_UP)
    assert policy.several is Several.LATEST
    assert policy.read_topic({"form": "topup"}) == "topup_fault"


def test_what_a_queue_is_about_is_a_category(folder):
    change(folder, "queue: {}", "queue: {billing: dispute}")
    change(folder, "several_open: latest", "several_open: new")

    policy = load_threading(folder)

    assert policy.read_topic({"queue": "billing"}) == "dispute"
    assert policy.several is Several.NEW


def test_the_compiled_policy_is_the_same(folder):
    change(folder, "queue: {}", "queue: {账单: dispute}")
    policy = load_threading(folder)

    assert read_compiled(json.loads(json.dumps(compile_policy(policy)))) == policy


def test_what_the_layers_build_writes_is_what_the_functions_read(folder):
    built = subprocess.run(
        [sys.executable, "-m", "caseweave.config.threading", folder],
        capture_output=True,
        check=True,
    )

    assert read_compiled(json.loads(built.stdout)) == load_threading(folder)


def test_a_function_reads_no_yaml_where_the_policy_is_compiled(folder):
    """In an interpreter of its own: which modules a cold start loads."""
    package = folder / "caseweave_config"
    package.mkdir()
    (package / COMPILED).write_text(json.dumps(compile_policy(load_threading(folder))))
    code = (
        "import sys; from caseweave.config.threading import deployed_threading;"
        "print(deployed_threading().several, 'ruamel.yaml' in sys.modules)"
    )
    path = [str(folder), *sys.path]
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = {path}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout == "latest False\n"


def test_without_the_compiled_policy_a_function_reads_the_yaml(folder, monkeypatch):
    package = folder / "caseweave_config"
    package.mkdir()
    for name in ("threading.yaml", "playbooks.yaml"):
        shutil.copy(CONFIG / name, package)
    code = (
        "from caseweave.config.threading import deployed_threading;"
        "print(deployed_threading().several)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = {[str(folder), *sys.path]}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout == "latest\n"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("sms: 1d", "sms: soon", "conversations.sms: write a time such as 0s, 30m, 12h or 7d"),
        ("sms: 1d", "sms: 31d", "conversations.sms: write at most 30d"),
        ("sms: 1d", "fax: 1d", "conversations.fax: unknown; use one of: "),
        ("  sms: 1d\n", "", "conversations: add `sms:`"),
        ("within: 30d", "within: 91d", "closed_cases.dispute.reopen_within: write at most 90d"),
        ("  dispute:", "  disputes:", "closed_cases.disputes: unknown; use one of: default, "),
        ("  default:", "  question:", "closed_cases: add `default:`"),
        ("after: follow_up", "after: never", "closed_cases.default.after: 'never' is unknown"),
        ("several_open: latest", "several_open: all", "several_open: 'all' is unknown; use one"),
        ("queue: {}", "queue: {billing: money}", "topics.queue.billing: 'money' is unknown"),
        ("queue: {}", "language: {}", "topics.language: unknown; use one of: queue, product"),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_what_to_write(folder, old, new, complaint):
    change(folder, old, new)
    # A mapping that lacks something is named by its own line.
    where = f"{complaint.partition(':')[0]}:" if ": add `" in complaint else new
    lines = (folder / "threading.yaml").read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if where in text)

    with pytest.raises(InvalidConfigError) as refused:
        load_threading(folder)

    assert str(refused.value).startswith(f"threading.yaml:{line}: {complaint}")
