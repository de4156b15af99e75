"""Daily digests: one signed statement a day of where the chains that changed ended (promise P9).

Whoever could rewrite the table, and every digest in it, cannot rewrite what was signed and anchored
elsewhere before. docs/evidence.md says it for those who check by hand.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Self

from caseweave.domain.event import Owner, OwnerKind
from caseweave.domain.evidence import GENESIS, canonical_json
from caseweave.domain.merkle import merkle_root, prove_inclusion

# What is signed begins with this, so that no signature of ours can stand for another thing.
STATEMENT_PREFIX = b"caseweave daily digest v1\n"


@dataclass(frozen=True, slots=True, order=True)
class Leaf:
    """Where a chain ended when the digest was made: the number and the digest of its last event."""

    kind: str
    id: str
    seq: int
    chain: str

    @property
    def owner(self) -> Owner:
        return Owner(OwnerKind(self.kind), self.id)

    def encode(self) -> bytes:
        return canonical_json(self.as_json())

    def as_json(self) -> dict[str, Any]:
        return {"chain": self.chain, "id": self.id, "kind": self.kind, "seq": self.seq}


@dataclass(frozen=True, slots=True)
class DailyDigest:
    """A day's statement as it was signed, by which key (DER), and the leaves under its root."""

    statement: bytes
    signature: bytes
    key: bytes
    leaves: tuple[Leaf, ...]

    @property
    def day(self) -> date:
        return date.fromisoformat(json.loads(self.statement)["day"])

    @property
    def digest(self) -> str:
        """By this the next day's statement follows this one."""
        return sha256(self.statement).hexdigest()

    def encode(self) -> bytes:
        """As it lies in the bucket."""
        return canonical_json(
            {
                "statement": self.statement.decode(),
                "signature": b64encode(self.signature).decode(),
                "key": b64encode(self.key).decode(),
                "leaves": [leaf.as_json() for leaf in self.leaves],
            }
        )

    @classmethod
    def decode(cls, stored: bytes) -> Self:
        said = json.loads(stored)
        return cls(
            said["statement"].encode(),
            b64decode(said["signature"]),
            b64decode(said["key"]),
            tuple(Leaf(**leaf) for leaf in said["leaves"]),
        )

    def prove(self, owner: Owner) -> dict[str, Any] | None:
        """The leaf of a chain with the proof that it is under the root; None if it has none."""
        found = (n for n, leaf in enumerate(self.leaves) if leaf.owner == owner)
        position = next(found, None)
        if position is None:
            return None
        records = [leaf.encode() for leaf in self.leaves]
        return {
            "leaf": self.leaves[position].as_json(),
            "position": position,
            "count": len(records),
            "proof": [digest.hex() for digest in prove_inclusion(records, position)],
        }


def key_name(key: bytes) -> str:
    """The SHA-256 of a public key (DER): by this it is compared with what the business tells."""
    return sha256(key).hexdigest()


def make_statement(
    day: date, leaves: Sequence[Leaf], key: bytes, previous: DailyDigest | None
) -> bytes:
    """What is signed of a day with a key. A statement follows the one before it."""
    return canonical_json(
        {
            "day": day.isoformat(),
            "count": len(leaves),
            "key": key_name(key),
            "root": merkle_root([leaf.encode() for leaf in leaves]).hex(),
            "previous": previous.digest if previous else GENESIS,
            "previous_day": previous.day.isoformat() if previous else None,
        }
    )


def signed_bytes(statement: bytes) -> bytes:
    return STATEMENT_PREFIX + statement


def choose_leaves(
    changed: Iterable[Leaf], late: Iterable[Leaf], previous: DailyDigest | None
) -> tuple[Leaf, ...]:
    """The leaves of a day, in their order: the chains that changed on it, and those of the day
    before that were written too late for its digest.
    """
    told = {(leaf.kind, leaf.id): leaf.seq for leaf in previous.leaves} if previous else {}
    missed = (leaf for leaf in late if told.get((leaf.kind, leaf.id), 0) < leaf.seq)
    chosen = {(leaf.kind, leaf.id): leaf for leaf in (*missed, *changed)}
    return tuple(sorted(chosen.values()))
