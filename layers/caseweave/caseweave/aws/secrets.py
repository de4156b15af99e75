"""Provider accounts and signing keys, from SSM Parameter Store, kept for five minutes."""

import json
from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.utilities.parameters import get_parameter
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from caseweave.channels.credentials import Credentials
from caseweave.errors import MissingSecretError

# Within this many seconds a rotated secret is known everywhere.
_KEPT_SECONDS = 300


def read_credentials(prefix: str, provider: str) -> Credentials:
    """The account of a provider. Raises MissingSecretError."""
    return Credentials(provider, _read(f"{prefix}/providers/{provider}"))


def read_signing_keys(prefix: str) -> Sequence[bytes]:
    """The keys that sign our own tokens, the newest first. Raises MissingSecretError."""
    found = Credentials("caseweave", _read(f"{prefix}/keys"))
    return [bytes.fromhex(key) for key in found.live("signing")]


def read_platform_secrets(prefix: str) -> Sequence[str]:
    """The secrets that sign what we ask of the business's platform, the newest first. Raises
    MissingSecretError.
    """
    return Credentials("platform", _read(f"{prefix}/platform")).live("secret")


def _read(name: str) -> dict[str, Any]:
    try:
        value = json.loads(get_parameter(name, decrypt=True, max_age=_KEPT_SECONDS) or "")
    except GetParameterError as error:
        raise MissingSecretError(f"the parameter {name} cannot be read: {error}") from error
    except ValueError as error:
        raise MissingSecretError(f"the parameter {name} is not JSON") from error
    if not isinstance(value, dict):
        raise MissingSecretError(f"the parameter {name} is not a JSON object")
    return value
