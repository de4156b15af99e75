"""Who asks, and when."""

from dataclasses import dataclass
from datetime import datetime

from caseweave.domain.event import Actor
from caseweave.domain.ulid import make_ulid
from caseweave.errors import ForbiddenError
from caseweave.intake import Entropy

ROLES = ("agent", "lead", "admin", "auditor")
WRITERS = ("agent", "lead", "admin")
DECLARERS = ("lead", "admin")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the verified token says. Nobody without a role gets anything."""

    name: str
    roles: tuple[str, ...]

    @property
    def actor(self) -> Actor:
        return Actor("agent", self.name)

    def require(self, *roles: str) -> None:
        """Raises ForbiddenError unless the caller has one of *roles*."""
        if not set(roles) & set(self.roles):
            raise ForbiddenError(f"This needs the role {' or '.join(roles)}.")


@dataclass(frozen=True, slots=True)
class Moment:
    """When a write happens, and what its new ids are drawn from."""

    now: datetime
    entropy: Entropy

    def new_id(self) -> str:
        return make_ulid(self.now, self.entropy(10))
