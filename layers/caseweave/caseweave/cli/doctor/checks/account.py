"""What every check is given: one account of a provider, and where we and the provider are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from caseweave.channels.credentials import Credentials
from caseweave.channels.request import ProviderAnswer, read_json_object
from caseweave.channels.setting_up import PATHS
from caseweave.errors import UnparseableError


@dataclass(frozen=True, slots=True)
class Account:
    """`name` is that under `accounts`, "" for the only one."""

    name: str
    credentials: Credentials
    base_url: str
    api_url: str

    def address(self, provider: str) -> str:
        """Our webhook for *provider*."""
        return self.api_url + PATHS[provider]

    def text(self, field: str) -> str:
        """The current value, "" for none."""
        value = self.credentials.values.get(field)
        first = value[0] if isinstance(value, list) and value else value
        return str(first) if isinstance(first, str | int) else ""


def read_object(answer: ProviderAnswer) -> dict[str, Any]:
    """The JSON object of an answer; empty for anything else."""
    try:
        return read_json_object(answer.body)
    except UnparseableError:
        return {}


def texts_in(said: Mapping[str, Any], name: str) -> list[str]:
    value = said.get(name)
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
