"""Build and deploy the template onto the local cloud with the SAM command line."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from caseweave.cli.local_stack import checkout
from caseweave.cli.local_stack.cloud import REGION, local_client, tool_environment
from caseweave.cli.local_stack.errors import FailedStepError
from caseweave.cli.local_stack.outputs import Outputs
from caseweave.cli.local_stack.processes import log_file, scratch_dir

ARTIFACTS_BUCKET = "caseweave-local-artifacts"


def build(state_dir: Path, template: Path, endpoint_url: str) -> None:
    _run_sam(
        state_dir,
        endpoint_url,
        "build",
        *("--template-file", template),
        *("--build-dir", state_dir / "sam" / "build"),
        *("--cached", "--cache-dir", state_dir / "sam" / "cache"),
    )


def deploy(
    state_dir: Path, stack_name: str, endpoint_url: str, parameters: Mapping[str, str]
) -> None:
    # a bucket of our own: the one that --resolve-s3 makes is a second stack to wait for
    local_client("s3", endpoint_url).create_bucket(Bucket=ARTIFACTS_BUCKET)
    _run_sam(
        state_dir,
        endpoint_url,
        "deploy",
        *("--template-file", state_dir / "sam" / "build" / "template.yaml"),
        *("--stack-name", stack_name, "--region", REGION, "--s3-bucket", ARTIFACTS_BUCKET),
        *("--capabilities", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"),
        *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"),
        *("--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())),
    )


def stack_outputs(stack_name: str, endpoint_url: str) -> Outputs:
    stacks = local_client("cloudformation", endpoint_url).describe_stacks(StackName=stack_name)
    return {item["OutputKey"]: item["OutputValue"] for item in stacks["Stacks"][0]["Outputs"]}


def _run_sam(state_dir: Path, endpoint_url: str, command: str, *arguments: str | Path) -> None:
    log = log_file(state_dir, f"sam-{command}")
    with log.open("wb") as output:
        finished = subprocess.run(
            [checkout.SAM, command, *arguments],
            env=_sam_environment(state_dir, endpoint_url),
            cwd=checkout.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if finished.returncode != 0:
        raise FailedStepError(f"sam {command} failed", log)


def _sam_environment(state_dir: Path, endpoint_url: str) -> dict[str, str]:
    return {
        **tool_environment(endpoint_url),
        # makefile builds call python3 and pip: they must be the project's own
        "PATH": os.pathsep.join([str(checkout.TOOLS), os.environ.get("PATH", os.defpath)]),
        "TMPDIR": str(scratch_dir(state_dir)),
        # wheels for this machine and interpreter, not for Lambda's
        "CASEWEAVE_LOCAL_BUILD": "1",
        # SAM's tables, which tell why a deployment failed, break the lines of their cells
        "COLUMNS": "180",
    }
