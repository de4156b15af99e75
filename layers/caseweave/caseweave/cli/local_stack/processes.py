"""Background programs of a local stack: started once, found again, stopped together.

A running program holds a lock on its pid file, which ends with it whatever way it ends. A pid
alone would not do: after a crash or a reboot it may belong to somebody else's program.
"""

import fcntl
import http.client
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from caseweave.cli.local_stack.errors import FailedStepError, LocalStackError
from caseweave.cli.local_stack.ports import HOST, require_free

START_PATIENCE = 30.0
STOP_PATIENCE = 15.0


@dataclass(frozen=True, slots=True)
class Program:
    """A server that runs in the background, and where it answers when it is well."""

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str]
    port: int
    health_path: str


@dataclass(frozen=True, slots=True)
class Running:
    """What the pid file of a running program says."""

    pid: int
    port: int


def require_startable(state_dir: Path, program: Program) -> None:
    """Raise LocalStackError when the port is not, or cannot become, the program's."""
    running = find_running(state_dir, program.name)
    if running is None:
        require_free(program.port, f"the {program.name}")
    elif running.port != program.port:
        raise LocalStackError(
            f"The {program.name} of this stack already runs, on port {running.port}. "
            "To move it, stop it first: caseweave down"
        )


def ensure_running(state_dir: Path, program: Program) -> None:
    """Start the program unless it runs, and wait until it answers."""
    if find_running(state_dir, program.name) is None:
        _spawn(state_dir, program)
    _wait_until_healthy(state_dir, program)


def find_running(state_dir: Path, name: str) -> Running | None:
    try:
        with _pid_file(state_dir, name).open("r+") as pid_file:
            fcntl.flock(pid_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        pid, port = _pid_file(state_dir, name).read_text().split()
        return Running(pid=int(pid), port=int(port))
    return None


def stop(state_dir: Path, name: str) -> bool:
    """Ask the program and its workers to end, and wait; False when it was not running."""
    running = find_running(state_dir, name)
    if running is None:
        return False
    pid = running.pid
    os.killpg(pid, signal.SIGTERM)
    if not _wait_until_gone(state_dir, name):
        os.killpg(pid, signal.SIGKILL)
        if not _wait_until_gone(state_dir, name):
            raise LocalStackError(f"The {name} (process {pid}) does not end. Try: kill -9 {pid}")
    _pid_file(state_dir, name).unlink(missing_ok=True)
    return True


def log_file(state_dir: Path, name: str) -> Path:
    path = state_dir / "logs" / f"{name.replace(' ', '-')}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def scratch_dir(state_dir: Path) -> Path:
    """Where programs put their temporary files; the state folder is all they may write to."""
    path = state_dir / "tmp"
    path.mkdir(parents=True, exist_ok=True)
    return path


def _spawn(state_dir: Path, program: Program) -> None:
    with (
        _pid_file(state_dir, program.name).open("w") as pid_file,
        log_file(state_dir, program.name).open("wb") as log,
    ):
        fcntl.flock(pid_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        process = subprocess.Popen(
            program.command,
            env=program.environment,
            cwd=state_dir,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal is not meant for it
            pass_fds=(pid_file.fileno(),),  # and with it the lock
        )
        pid_file.write(f"{process.pid} {program.port}")


def _wait_until_healthy(state_dir: Path, program: Program) -> None:
    deadline = time.monotonic() + START_PATIENCE
    while not _is_healthy(program):
        log = log_file(state_dir, program.name)
        if find_running(state_dir, program.name) is None:
            raise FailedStepError(f"The {program.name} ended at once", log)
        if time.monotonic() > deadline:
            raise FailedStepError(f"The {program.name} does not answer on {program.port}", log)
        time.sleep(0.1)


def _is_healthy(program: Program) -> bool:
    connection = http.client.HTTPConnection(HOST, program.port, timeout=2)
    try:
        connection.request("GET", program.health_path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _wait_until_gone(state_dir: Path, name: str) -> bool:
    deadline = time.monotonic() + STOP_PATIENCE
    while find_running(state_dir, name) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _pid_file(state_dir: Path, name: str) -> Path:
    return state_dir / f"{name.replace(' ', '-')}.pid"
