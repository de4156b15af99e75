"""A provider account's secrets and settings, as ops stored them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from caseweave.errors import MissingSecretError


@dataclass(frozen=True, slots=True)
class Credentials:
    """Named values; a secret under rotation is a list, the newest first.

    Several numbers, pages or bots of one provider are `accounts`: by the id under which messages
    name them, the values that are their own; the others are shared.
    """

    provider: str
    values: Mapping[str, Any] = field(repr=False)

    def live(self, name: str) -> list[str]:
        """Every value that is valid now, of every account. Raises MissingSecretError."""
        found: list[str] = []
        for values in (self.values, *self._accounts().values()):
            value = values.get(name)
            found += [str(one) for one in (value if isinstance(value, list) else [value]) if one]
        if not found:
            raise MissingSecretError(f"{self.provider} has no {name}; see docs/channels.md")
        return found

    def current(self, name: str) -> str:
        """The newest value. Raises MissingSecretError."""
        return self.live(name)[0]

    def of_account(self, account: str) -> "Credentials":
        """What holds for one of several accounts; all of them where it has nothing of its own."""
        own = self._accounts().get(account)
        return self if own is None else replace(self, values=_shared(self.values) | own)

    def account_with(self, name: str, value: str) -> str:
        """The account whose live *name* is *value*; "" if it is the shared one, or nobody's."""
        for account, own in self._accounts().items():
            known = own.get(name)
            if value in (known if isinstance(known, list) else [known]):
                return account
        return ""

    def having(self, name: str, value: str) -> "Credentials":
        """The same with one value more."""
        return replace(self, values={**self.values, name: value})

    def _accounts(self) -> dict[str, dict[str, Any]]:
        accounts = self.values.get("accounts")
        if not isinstance(accounts, dict):
            return {}
        return {name: own for name, own in accounts.items() if isinstance(own, dict)}


def _shared(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "accounts"}
