"""Links, suggestions and merges as the API tells them."""

from collections.abc import Mapping
from typing import Any

from caseweave.domain.customer_merging import Parting, Written
from caseweave.domain.identity import Family, KeptSuggestion, Link, SuggestionKind
from caseweave.domain.times import to_rfc3339


def describe_link(link: Link) -> dict[str, Any]:
    return {
        "customer_id": link.of,
        "kind": str(link.address.kind),
        "value": link.address.value,
        "proof": str(link.proof),
        "strength": link.proof.strength,
        "source": link.source,
        "actor": link.actor,
        "at": to_rfc3339(link.at),
    }


def describe_suggestion(
    kept: KeptSuggestion, kind: SuggestionKind, other_id: str
) -> dict[str, Any]:
    """*kind* and *other_id* are what accepting it would do now."""
    said = kept.suggestion
    return {
        "id": kept.id,
        "of": kept.of,
        "kind": str(kind),
        "customer_id": other_id or None,
        "address": {"kind": str(said.address.kind), "value": said.address.value},
        "case_id": said.case_id or None,
        "reason": said.reason,
        "state": str(kept.state),
        "made_at": to_rfc3339(kept.made_at),
    }


def describe_family(family: Family) -> dict[str, Any]:
    return {"customer_id": family.root, "members": list(family.members)}


def describe_parting(parting: Parting, written: list[Written]) -> dict[str, Any]:
    return {
        "customer_id": parting.root,
        "member": parting.member,
        "merged_at": to_rfc3339(parting.since),
        "written": [_describe_written(parting, one) for one in written],
    }


def _describe_written(parting: Parting, one: Written) -> Mapping[str, Any]:
    return {
        "what": str(one.what),
        "id": one.id,
        "case_id": one.case_id,
        "at": to_rfc3339(one.at),
        "proposed": parting.side(one.owner),
        "needs_choice": one.is_open,
    }
