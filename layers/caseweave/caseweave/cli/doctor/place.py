"""Which desk is examined: the local stack, or a deployed one with the operator's own keys."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from caseweave.channels.request import ProviderAnswer, ProviderRequest, Refusal, Refused
from caseweave.cli.local_stack import local_client, read_outputs
from caseweave.cli.local_stack.errors import LocalStackError
from caseweave.cli.outside.http import call
from caseweave.errors import CaseweaveError


class UnreadableStackError(CaseweaveError):
    """AWS did not tell about the stack; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """`settings` are the stack's parameters; `provider_api_url` stands in for all providers, ""
    for their own.
    """

    api_url: str
    prefix: str
    mail_bucket: str
    settings: Mapping[str, str]
    provider_api_url: str
    read_parameter: Callable[[str], str | None]
    client: Callable[[str], Any]

    @property
    def is_local(self) -> bool:
        return bool(self.provider_api_url)


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
    """Raises LocalStackError when no stack is up."""
    outputs = read_outputs(state_dir)
    prefix = f"/caseweave/{outputs['StackName']}"

    def client(service: str) -> Any:
        return local_client(service, outputs["EndpointUrl"])

    return Place(
        api_url=outputs["ApiUrl"],
        prefix=prefix,
        mail_bucket=outputs["MailBucket"],
        settings={},
        provider_api_url=outputs["SinkUrl"],
        read_parameter=parameter_reader(client, prefix),
        client=client,
    )


def find_deployed(stack: str, region: str | None, api_url: str) -> Place:
    """Raises UnreadableStackError."""
    session = boto3.Session(region_name=region)
    try:
        found = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except (ClientError, BotoCoreError) as error:
        raise UnreadableStackError(
            f"The stack {stack} cannot be read: {error}. Set AWS_PROFILE, and --region where it is."
        ) from error
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
    settings = {
        one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", [])
    }
    prefix = f"/caseweave/{stack}"
    if not {"ApiUrl", "MailBucket"} <= set(outputs):
        raise UnreadableStackError(f"The stack {stack} is not one of Caseweave: it has no ApiUrl.")
    return Place(
        api_url=(api_url or settings.get("PublicUrl") or outputs["ApiUrl"]).rstrip("/"),
        prefix=prefix,
        mail_bucket=outputs["MailBucket"],
        settings=settings,
        provider_api_url="",
        read_parameter=parameter_reader(session.client, prefix),
        client=session.client,
    )


def ask(request: ProviderRequest) -> ProviderAnswer | Refused:
    """A function that starts cold may take its time."""
    try:
        reply = call(request.method, request.url, request.body or None, request.headers)
    except (LocalStackError, urllib3.exceptions.HTTPError) as error:
        return Refused(Refusal.UNKNOWN, type(error.__cause__ or error).__name__)
    headers = {name.lower(): value for name, value in reply.headers.items()}
    return ProviderAnswer(reply.status, reply.body, headers)
