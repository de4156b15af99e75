"""Which desk a command is about: the local stack, or a deployed one by the operator's own keys."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from caseweave.cli.local_stack import local_client, read_outputs
from caseweave.errors import CaseweaveError

Command = TypeVar("Command", bound=Callable[..., Any])


class UnreadableStackError(CaseweaveError):
    """AWS did not tell about the stack; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """`outputs` and `settings` are the stack's outputs and parameters; `provider_api_url` stands in
    for all providers, "" for their own.
    """

    api_url: str
    prefix: str
    outputs: Mapping[str, str]
    settings: Mapping[str, str]
    provider_api_url: str
    read_parameter: Callable[[str], str | None]
    client: Callable[[str], Any]

    @property
    def is_local(self) -> bool:
        return bool(self.provider_api_url)

    @property
    def mail_bucket(self) -> str:
        return self.outputs["MailBucket"]


def stack_options(command: Command) -> Command:
    """Give a command `stack: str | None` and `region: str | None`; without them it is the local
    one.
    """
    stack = click.option(
        "--stack", help="A deployed stack, asked with your AWS keys; else the local one."
    )
    region = click.option("--region", help="Where the stack is; else that of your AWS profile.")
    return stack(region(command))


def parameter_reader(client: Callable[[str], Any], prefix: str) -> Callable[[str], str | None]:
    """What reads the text of the parameter `<prefix>/<name>`; None where there is none.

    Raises UnreadableStackError.
    """

    def read(name: str) -> str | None:
        full = f"{prefix}/{name}"
        try:
            found = client("ssm").get_parameter(Name=full, WithDecryption=True)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ParameterNotFound":
                return None
            raise UnreadableStackError(f"{full} cannot be read: {error}") from error
        except BotoCoreError as error:
            raise UnreadableStackError(f"{full} cannot be read: {error}") from error
        return str(found["Parameter"]["Value"])

    return read


def find_local(state_dir: Path) -> Place:
    """Raises LocalStackError when no stack is up, UnreadableStackError."""
    outputs = read_outputs(state_dir)
    stack = outputs["StackName"]
    prefix = f"/caseweave/{stack}"

    def client(service: str) -> Any:
        return local_client(service, outputs["EndpointUrl"])

    described = _describe(client, stack, "Start it again: caseweave down, caseweave up.")
    return Place(
        api_url=outputs["ApiUrl"],
        prefix=prefix,
        outputs=outputs,
        settings=_parameters(described),
        provider_api_url=outputs["SinkUrl"],
        read_parameter=parameter_reader(client, prefix),
        client=client,
    )


def find_deployed(stack: str, region: str | None, api_url: str) -> Place:
    """Raises UnreadableStackError."""
    client = boto3.Session(region_name=region).client
    described = _describe(client, stack, "Set AWS_PROFILE, and --region where it is.")
    outputs = {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])}
    settings = _parameters(described)
    prefix = f"/caseweave/{stack}"
    if not {"ApiUrl", "MailBucket"} <= set(outputs):
        raise UnreadableStackError(f"The stack {stack} is not one of Caseweave: it has no ApiUrl.")
    return Place(
        api_url=(api_url or settings.get("PublicUrl") or outputs["ApiUrl"]).rstrip("/"),
        prefix=prefix,
        outputs=outputs,
        settings=settings,
        provider_api_url="",
        read_parameter=parameter_reader(client, prefix),
        client=client,
    )


def _describe(client: Callable[[str], Any], stack: str, advice: str) -> dict[str, Any]:
    try:
        return dict(client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0])
    except (ClientError, BotoCoreError) as error:
        raise UnreadableStackError(
            f"The stack {stack} cannot be read: {error}. {advice}"
        ) from error


def _parameters(described: Mapping[str, Any]) -> dict[str, str]:
    return {
        one["ParameterKey"]: one.get("ParameterValue", "")
        for one in described.get("Parameters", [])
    }
