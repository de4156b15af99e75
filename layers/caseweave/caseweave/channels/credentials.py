"""A provider account's secrets and settings, as ops stored them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from caseweave.errors import MissingSecretError


@dataclass(frozen=True, slots=True)
class Credentials:
    """Named values; a secret under rotation is a list, the newest first."""

    provider: str
    values: Mapping[str, Any] = field(repr=False)

    def live(self, name: str) -> list[str]:
        """Every value that is valid now, never none. Raises MissingSecretError."""
        value = self.values.get(name)
        found = [str(one) for one in (value if isinstance(value, list) else [value]) if one]
        if not found:
            raise MissingSecretError(f"{self.provider} has no {name}; see docs/channels.md")
        return found

    def current(self, name: str) -> str:
        """The newest value. Raises MissingSecretError."""
        return self.live(name)[0]
