"""What can go wrong with the local stack."""

from pathlib import Path

from caseweave.errors import CaseweaveError

LOG_LINES_SHOWN = 25


class LocalStackError(CaseweaveError):
    """The local stack cannot be started, built or used; the message says what to do."""


class FailedStepError(LocalStackError):
    """A program that the local stack needs has failed; the message ends with its last lines."""

    def __init__(self, what: str, log: Path) -> None:
        lines = log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
        shown = "\n".join(f"  {line}" for line in lines)
        super().__init__(f"{what}. The end of {log}:\n\n{shown}\n")
