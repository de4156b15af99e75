"""Where the programs of the local stack are: it runs from a checkout of the project."""

import sys
from pathlib import Path

from caseweave.cli.local_stack.errors import LocalStackError

ROOT = Path(__file__).resolve().parents[5]

TEMPLATE = ROOT / "template.yaml"
LAUNCHER = ROOT / "infra" / "local" / "launcher.py"
SINK = ROOT / "examples" / "provider_sink" / "server.py"
PLATFORM = ROOT / "examples" / "platform" / "server.py"
EMULATOR_PYTHON = ROOT / ".local" / "emulator" / "bin" / "python"
SAM = ROOT / ".local" / "sam" / "bin" / "sam"
TOOLS = Path(sys.executable).parent


def require_complete() -> None:
    """Raise LocalStackError when a part is missing, naming what brings it."""
    for path in (TEMPLATE, LAUNCHER, SINK, PLATFORM):
        if not path.exists():
            raise LocalStackError(
                f"{path} is missing. The local stack runs from a checkout of the project, with "
                "the package installed from it: make up"
            )
    for path in (EMULATOR_PYTHON, SAM):
        if not path.exists():
            raise LocalStackError(f"{path} is missing. Install it and start the stack: make up")
