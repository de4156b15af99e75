"""`caseweave demo` checks itself as it goes; here it runs as a newcomer's first command does."""

import pytest
from click.testing import CliRunner

from caseweave.cli import main


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_scripted_day_ends_with_everything_as_it_should_be(stack, language):
    arguments = ["demo", "--state-dir", str(stack.state_dir), "--lang", language]

    result = CliRunner().invoke(main, arguments)

    assert result.exit_code == 0, result.output
    assert "http" in result.output
