"""`caseweave privacy`: what it asks the desk for, and doing deletions again after a restore."""

import pytest
from click.testing import CliRunner

from caseweave.cli import main
from caseweave.storage.deletions import DeletionState, list_unfinished, read_task
from tests.cli.stacks import deploy
from tests.usecases.conftest import *  # noqa: F403 - its fixtures
from tests.usecases.privacy_world import BUCKET, ask, find_marks, make_two, shredder

STACK = "restored-desk"


def run(*arguments):
    return CliRunner().invoke(main, ["privacy", *arguments])


@pytest.fixture
def stack(table):
    deploy(STACK, {"ApiUrl": "https://x", "MailBucket": "mail", "FilesBucket": BUCKET,
                   "TableName": table})  # fmt: skip
    return STACK


def test_after_a_restore_every_deletion_is_asked_for_again(stack, table, door, desk):
    ling, wang = make_two(door, desk)
    asked = ask(ling.customer_id())
    shredder().work_off()
    assert list_unfinished() == []

    result = run("reapply", "--stack", stack)

    assert (result.exit_code, result.output) == (
        0,
        "1 deletions in the log, 1 asked for again.\n",
    )
    assert [task.id for task in list_unfinished()] == [asked]
    assert run("reapply", "--stack", stack).output == "1 deletions in the log, 0 asked for again.\n"
    shredder().work_off()
    assert read_task(asked).state is DeletionState.DONE
    assert find_marks(ling) == []
    assert find_marks(wang)


def test_retention_is_only_shown_by_hand():
    result = run("retention")

    assert result.exit_code == 2
    assert "--preview" in result.output
