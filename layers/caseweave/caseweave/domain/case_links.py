"""Links between cases: what each is to the other, said in the chains of both."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from caseweave.domain.case import Case
from caseweave.domain.event import Actor, CaseChange, EventKind, begin_change
from caseweave.errors import InvalidRequestError

# A tree of problems that is deeper is no longer one that people look through.
MOST_ANCESTORS = 10


class LinkKind(StrEnum):
    """What the other case is to the one in whose record the link stands."""

    PARENT = "parent"
    CHILD = "child"
    DUPLICATE = "duplicate"
    CAUSED_BY = "caused-by"
    CAUSES = "causes"
    FOLLOWS = "follows"
    FOLLOWED_BY = "followed-by"
    # Made by splitting and merging alone.
    SPLIT_FROM = "split-from"
    SPLIT_INTO = "split-into"
    MERGED_FROM = "merged-from"
    MERGED_INTO = "merged-into"

    @property
    def inverse(self) -> "LinkKind":
        return _INVERSES[self]


_PAIRS = (
    (LinkKind.PARENT, LinkKind.CHILD),
    (LinkKind.DUPLICATE, LinkKind.DUPLICATE),
    (LinkKind.CAUSED_BY, LinkKind.CAUSES),
    (LinkKind.FOLLOWS, LinkKind.FOLLOWED_BY),
    (LinkKind.SPLIT_FROM, LinkKind.SPLIT_INTO),
    (LinkKind.MERGED_FROM, LinkKind.MERGED_INTO),
)
_INVERSES = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}
# What people may link and unlink.
BY_HAND = tuple(kind for pair in _PAIRS[:4] for kind in dict.fromkeys(pair))


@dataclass(frozen=True, slots=True)
class CaseLink:
    """The case `other_id` is a `kind` of `case_id`; `other_seq` is the number that the other's
    chain had reached then.
    """

    case_id: str
    kind: LinkKind
    other_id: str
    at: datetime
    actor: Actor
    other_seq: int

    @classmethod
    def between(
        cls, one: Case, kind: LinkKind, other: Case, actor: Actor, at: datetime
    ) -> tuple["CaseLink", "CaseLink"]:
        """The link as it stands in the records of both, after the change of both."""
        return (
            cls(one.id, kind, other.id, at, actor, other.seq),
            cls(other.id, kind.inverse, one.id, at, actor, one.seq),
        )


def link_cases(
    case: Case, kind: LinkKind, other: Case, actor: Actor, now: datetime
) -> tuple[CaseChange, CaseChange]:
    """The events in both chains. Raises InvalidRequestError for a case and itself."""
    _require_two(case, other)
    return _tell_both(EventKind.CASE_LINKED, case, kind, other, actor, now)


def unlink_cases(
    case: Case, kind: LinkKind, other: Case, actor: Actor, now: datetime
) -> tuple[CaseChange, CaseChange]:
    return _tell_both(EventKind.CASE_UNLINKED, case, kind, other, actor, now)


def require_tree(child: Case, parent: Case, own: Sequence[str], above: Sequence[str]) -> None:
    """Raises InvalidRequestError unless *parent* may become the parent of *child*.

    *own* are the child's parents as of now, *above* the ids of the parent's ancestors.
    """
    if own and parent.id not in own:
        advice = "remove the link to its present parent first"
        raise InvalidRequestError(f"{child.ref} has a parent already.", (("kind", advice),))
    if child.id in above:
        advice = f"{parent.ref} stands below {child.ref} already; link them the other way round"
        raise InvalidRequestError("No case is its own parent.", (("case", advice),))
    if len(above) >= MOST_ANCESTORS:
        advice = f"link it to a case with less than {MOST_ANCESTORS} cases above it"
        raise InvalidRequestError("The tree of cases is too deep.", (("case", advice),))


def _require_two(case: Case, other: Case) -> None:
    if case.id == other.id:
        raise InvalidRequestError(
            "A case is not linked to itself.", (("case", "name another case"),)
        )


def _tell_both(
    event: EventKind, case: Case, kind: LinkKind, other: Case, actor: Actor, now: datetime
) -> tuple[CaseChange, CaseChange]:
    return (
        begin_change(case).record(event, actor, now, describe_link(kind, other)),
        begin_change(other).record(event, actor, now, describe_link(kind.inverse, case)),
    )


def describe_link(kind: LinkKind, other: Case) -> dict[str, Any]:
    return {"kind": str(kind), "case_id": other.id, "ref": other.ref}
