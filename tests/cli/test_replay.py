"""`caseweave replay`: what it is asked for, and a rebuild of a stack that it finds by itself."""

import json

import boto3
import pytest
from click.testing import CliRunner

from caseweave.cli import main
from tests.cli.stacks import deploy
from tests.usecases.conftest import KEYS
from tests.usecases.test_rebuild import dump_table
from tests.usecases.test_replay import ACCOUNT, take
from tests.usecases.world import NOON

# Its parameters are kept by powertools for minutes: no other test may have this name.
STACK = "rebuilt-desk"


def run(*arguments, **env):
    # `None` takes a variable away.
    unset = dict.fromkeys(("TABLE_NAME", "PARAMETER_PREFIX", "FILES_BUCKET"))
    return CliRunner().invoke(main, ["replay", *arguments], env={**unset, **env})


@pytest.fixture
def stack(table):
    """A deployed stack with that table and the parameters that a rebuild reads."""
    outputs = {"ApiUrl": "https://x", "MailBucket": "mail", "FilesBucket": "files"}
    settings = {"RawRetentionDays": "365", "DefaultTeam": "frontline", "SupportAddress": "s@d.cn"}
    deploy(STACK, {**outputs, "TableName": table}, **settings)
    signing = {"signing": [key.hex() for key in KEYS]}
    for name, values in {"keys": signing, "providers/telegram": dict(ACCOUNT.values)}.items():
        boto3.client("ssm").put_parameter(
            Name=f"/caseweave/{STACK}/{name}", Value=json.dumps(values), Type="SecureString"
        )
    return STACK


def test_a_rebuild_finds_table_parameters_and_settings_of_the_stack(stack, table, make_empty, door):
    take(door, 1, 1, NOON)
    take(door, 1, 2, NOON)
    target = make_empty()

    result = run("--into", target, "--stack", stack)

    assert (result.exit_code, result.output) == (0, f"2 entries taken into {target}.\n")
    assert dump_table(target) == dump_table(table)


def test_the_environment_may_name_another_table(stack, table, make_empty, door):
    take(door, 1, 1, NOON)
    other, target = make_empty(), make_empty()

    result = run("--into", target, "--stack", stack, TABLE_NAME=other)

    assert (result.exit_code, result.output) == (0, f"0 entries taken into {target}.\n")


def test_a_table_with_records_is_refused_with_what_to_write(stack, table, door):
    take(door, 1, 1, NOON)

    result = run("--into", table, "--stack", stack)

    assert result.exit_code == 1
    assert "The table has records" in result.output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "Say what: --from"),
        (["--into", "x", "--quarantined"], "leave --quarantined out"),
        (["--into", "x", "--from", "noon"], "write 2026-11-23T05:24:33Z"),
        (["--quarantined", "--stack", "x"], "--stack is for --into"),
    ],
)
def test_wrong_arguments_are_explained(arguments, complaint):
    result = run(*arguments)

    assert result.exit_code == 2
    assert complaint in result.output


@pytest.mark.parametrize("arguments", [["--quarantined"], ["--into", "x"]])
def test_without_a_stack_it_says_how_to_start_one(arguments, tmp_path):
    result = run(*arguments, CASEWEAVE_STATE_DIR=str(tmp_path))

    assert result.exit_code == 1
    assert "Start it with: caseweave up" in result.output
