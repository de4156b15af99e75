"""The folder that holds everything about one local stack: --state-dir of every command."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def state_dir_option(command: Command) -> Command:
    """Give a command the option --state-dir, as an absolute `state_dir: Path`."""
    option = click.option(
        "--state-dir",
        envvar="CASEWEAVE_STATE_DIR",
        default=".local",
        show_default=True,
        type=click.Path(file_okay=False, path_type=Path, resolve_path=True),
        help="Folder of the local stack: secrets, logs, outputs. Also CASEWEAVE_STATE_DIR.",
    )
    return option(command)
