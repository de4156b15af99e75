"""The programs of a local stack, and how each is started."""

import os
import sys
from pathlib import Path

from caseweave.cli.local_stack import checkout
from caseweave.cli.local_stack.cloud import tool_environment
from caseweave.cli.local_stack.ports import HOST, Ports, address
from caseweave.cli.local_stack.processes import Program, scratch_dir

NAMES = EMULATOR, SINK, PLATFORM = ("local cloud", "provider sink", "sample platform")


def programs(state_dir: Path, ports: Ports) -> tuple[Program, ...]:
    """All of them, in the order in which they are started."""
    return (_emulator(state_dir, ports), _sink(state_dir, ports), _platform(state_dir, ports))


def _emulator(state_dir: Path, ports: Ports) -> Program:
    return Program(
        name=EMULATOR,
        command=[checkout.EMULATOR_PYTHON, checkout.LAUNCHER],
        # from nothing: whatever is set here can be seen by every function
        environment={
            "PATH": os.defpath,
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "TMPDIR": str(scratch_dir(state_dir)),
            "STATE_DIR": str(state_dir / "cloud"),
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(ports.emulator),
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            # a function may do here what its policy says, as on AWS
            "AUTH": "true",
            "LAMBDA_EXECUTOR": "local",
            "LAMBDA_WARM_TTL_SECONDS": "300",
        },
        port=ports.emulator,
        health_path="/_ministack/health",
    )


def _sink(state_dir: Path, ports: Ports) -> Program:
    return Program(
        name=SINK,
        command=[
            *(sys.executable, checkout.SINK, "--port", str(ports.sink)),
            *("--secrets", state_dir / "secrets.json"),
        ],
        environment=tool_environment(address(ports.emulator)),
        port=ports.sink,
        health_path="/health",
    )


def _platform(state_dir: Path, ports: Ports) -> Program:
    return Program(
        name=PLATFORM,
        command=[
            *(sys.executable, checkout.PLATFORM, "--port", str(ports.platform)),
            *("--secrets", state_dir / "secrets.json"),
            *("--database", state_dir / "platform.sqlite3"),
        ],
        environment=tool_environment(address(ports.emulator)),
        port=ports.platform,
        health_path="/health",
    )
