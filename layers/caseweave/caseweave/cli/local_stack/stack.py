"""Start and stop the local stack."""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TypeAlias

from caseweave.cli.local_stack import checkout, deployment
from caseweave.cli.local_stack.cloud import REGION
from caseweave.cli.local_stack.outputs import Outputs, forget_outputs, write_outputs
from caseweave.cli.local_stack.ports import Ports, address
from caseweave.cli.local_stack.processes import ensure_running, require_startable, scratch_dir, stop
from caseweave.cli.local_stack.programs import NAMES, programs
from caseweave.cli.local_stack.provider_secrets import (
    ensure_secrets,
    put_parameters,
    record_webhook_urls,
)

# Called with what is about to be done; its context lasts as long as that takes.
Step: TypeAlias = Callable[[str], AbstractContextManager[None]]


def _silent(_text: str) -> AbstractContextManager[None]:
    return nullcontext()


def start_stack(
    state_dir: Path,
    ports: Ports,
    *,
    stack_name: str = "caseweave",
    step: Step = _silent,
) -> Outputs:
    """Bring up all programs, deploy the template, and write outputs.json.

    What already runs is kept, so a second call deploys only what has changed. Raises
    LocalStackError with the end of the log that tells why.
    """
    checkout.require_complete()
    state_dir = state_dir.resolve()  # programs are started with it as their working folder
    state_dir.mkdir(parents=True, exist_ok=True)
    secrets = ensure_secrets(state_dir)
    endpoint_url, prefix = address(ports.emulator), f"/caseweave/{stack_name}"

    needed = programs(state_dir, ports)
    for program in needed:  # before the first is started
        require_startable(state_dir, program)
    for program in needed:
        with step(f"Start the {program.name}"):
            ensure_running(state_dir, program)
    with step("Build the functions and layers"):
        deployment.build(state_dir, checkout.TEMPLATE, endpoint_url)
    with step("Deploy the stack"):
        put_parameters(endpoint_url, prefix, secrets)
        deployment.deploy(state_dir, stack_name, endpoint_url, _template_parameters(ports))
    with step("Tell the functions their own addresses"):
        outputs = _outputs(stack_name, ports)
        secrets = record_webhook_urls(state_dir, outputs["ApiUrl"])
        put_parameters(endpoint_url, prefix, secrets)
        write_outputs(state_dir, outputs)
    return outputs


def stop_stack(state_dir: Path) -> list[str]:
    """Stop what runs, and name it."""
    forget_outputs(state_dir)
    stopped = [name for name in reversed(NAMES) if stop(state_dir, name)]
    if stopped:
        shutil.rmtree(scratch_dir(state_dir))
    return stopped


def _template_parameters(ports: Ports) -> dict[str, str]:
    sink, platform = address(ports.sink), address(ports.platform)
    return {
        "Stage": "local",
        "ProviderApiUrl": sink,
        "PlatformUrl": platform,
        "PlatformJwksUrl": f"{platform}/.well-known/jwks.json",
        "PlatformIssuer": platform,
        "PlatformAudience": "caseweave",
        "SupportAddress": "support@desk.example",
        "DeletionProtection": "false",
        "LocalCloud": "true",
        "WebOrigins": platform,
    }


def _outputs(stack_name: str, ports: Ports) -> Outputs:
    endpoint_url = address(ports.emulator)
    outputs = deployment.stack_outputs(stack_name, endpoint_url)
    api_url = f"{endpoint_url}/restapis/{outputs['ApiId']}/{outputs['ApiStage']}/_user_request_"
    return {
        **outputs,
        "ApiUrl": api_url,
        "PortalUrl": f"{api_url}/portal",
        "ConsoleUrl": f"{api_url}/console",
        "EndpointUrl": endpoint_url,
        "Region": REGION,
        "StackName": stack_name,
        "SinkUrl": address(ports.sink),
        "PlatformUrl": address(ports.platform),
    }
