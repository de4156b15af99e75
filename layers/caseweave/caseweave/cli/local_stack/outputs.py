"""What the deployed local stack tells its users: `outputs.json` in the state folder."""

import json
from pathlib import Path
from typing import TypeAlias

from caseweave.cli.local_stack.errors import LocalStackError

Outputs: TypeAlias = dict[str, str]


def write_outputs(state_dir: Path, outputs: Outputs) -> None:
    _file(state_dir).write_text(json.dumps(outputs, indent=2, sort_keys=True) + "\n")


def read_outputs(state_dir: Path) -> Outputs:
    """Raise LocalStackError when no stack is up."""
    try:
        outputs: Outputs = json.loads(_file(state_dir).read_text())
    except FileNotFoundError as error:
        raise LocalStackError(
            f"No local stack is up in {state_dir}. Start it with: caseweave up"
        ) from error
    return outputs


def forget_outputs(state_dir: Path) -> None:
    _file(state_dir).unlink(missing_ok=True)


def _file(state_dir: Path) -> Path:
    return state_dir / "outputs.json"
