"""Asking Amazon Connect who is at the other end of a contact."""

from botocore.exceptions import BotoCoreError, ClientError

from caseweave.aws.clients import client
from caseweave.errors import UnavailableError


def describe_caller(instance_id: str, contact_id: str) -> tuple[str, str, str]:
    """Kind, address and name of the caller; empty for a contact that Connect has forgotten.

    Raises UnavailableError.
    """
    try:
        answer = client("connect").describe_contact(InstanceId=instance_id, ContactId=contact_id)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return "", "", ""
        raise UnavailableError(f"Connect cannot be asked: {error}") from error
    except BotoCoreError as error:
        raise UnavailableError(f"Connect cannot be asked: {error}") from error
    contact = answer["Contact"]
    endpoint = contact.get("CustomerEndpoint") or {}
    kind, address, name = (endpoint.get(key, "") for key in ("Type", "Address", "DisplayName"))
    return kind, address, name
