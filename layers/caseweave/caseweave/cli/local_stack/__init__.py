"""The whole stack on this machine: local cloud, providers' stand-in, a sample platform.

Everything about one stack lives in its state folder, so two can run side by side on different
ports: the developer's own in `.local`, and the test suite's in a temporary folder.
"""

from caseweave.cli.local_stack.cloud import local_client
from caseweave.cli.local_stack.outputs import Outputs, read_outputs
from caseweave.cli.local_stack.ports import DEFAULT_PORTS, Ports
from caseweave.cli.local_stack.provider_secrets import read_secrets
from caseweave.cli.local_stack.stack import start_stack, stop_stack

__all__ = [
    "DEFAULT_PORTS",
    "Outputs",
    "Ports",
    "local_client",
    "read_outputs",
    "read_secrets",
    "start_stack",
    "stop_stack",
]
