"""Who a customer is, as agents see and settle it: links, suggestions, merging, un-merging."""

from collections.abc import Mapping
from typing import Any

from caseweave.agents.caller import ROLES, WRITERS, Caller, Moment
from caseweave.agents.fields import read_text
from caseweave.agents.identity_view import (
    describe_family,
    describe_link,
    describe_parting,
    describe_suggestion,
)
from caseweave.channels.identities import identify_email, identify_phone
from caseweave.customer_linking import LINKABLE, link_address, unlink_address
from caseweave.customer_merging import merge_into, preview_unmerge, unmerge
from caseweave.domain.desk import Desk
from caseweave.domain.identity import Address, AddressKind, Proof, SuggestionState
from caseweave.errors import InvalidRequestError
from caseweave.storage.cases import find_named_id
from caseweave.storage.customers import list_links, read_customer_of, read_family
from caseweave.suggestions import Weighed, settle_suggestion, weigh_suggestions
from caseweave.verifications import Claim, Codes, describe_start, start_verification

_DECISIONS = {"accept": SuggestionState.ACCEPTED, "dismiss": SuggestionState.DISMISSED}
_LONGEST_REASON = 500
_LONGEST_VALUE = 320


def show_links(customer_id: str, caller: Caller) -> dict[str, Any]:
    """Every address of the customer and of those merged with them."""
    caller.require(*ROLES)
    read_customer_of(customer_id)
    family = read_family(customer_id)
    links = [describe_link(link) for link in list_links(family.ids)]
    return {**describe_family(family), "items": links}


def add_link(
    customer_id: str, said: Mapping[str, Any], caller: Caller, moment: Moment
) -> dict[str, Any]:
    """An address that the agent knows to be the customer's. Raises InvalidRequestError for one that
    is somebody else's: those two may be merged.
    """
    caller.require(*WRITERS)
    address = read_address(said)
    link = link_address(customer_id, address, Proof.AGENT, "agent", caller.actor, moment.now)
    return describe_link(link)


def remove_link(
    customer_id: str, said: Mapping[str, Any], caller: Caller, moment: Moment
) -> dict[str, Any]:
    """The address is nobody's from now on: whoever writes from it next is a new customer."""
    caller.require(*WRITERS)
    reason = read_reason(said)
    unlink_address(customer_id, read_address(said), reason, caller.actor, moment.now)
    return show_links(customer_id, caller)


def show_suggestions(customer_id: str, caller: Caller) -> dict[str, Any]:
    """What nobody has decided yet, with what accepting it would do now."""
    caller.require(*ROLES)
    read_customer_of(customer_id)
    family = read_family(customer_id)
    open_ones = weigh_suggestions(family)
    return {**describe_family(family), "items": [_describe(one) for one in open_ones]}


def decide_suggestion(
    customer_id: str, name: str, said: Mapping[str, Any], caller: Caller, moment: Moment
) -> dict[str, Any]:
    """Accepted, the address is linked, or the two customers are merged; dismissed, it is never
    suggested again. Raises NotFoundError, InvalidRequestError for a conflict.
    """
    caller.require(*WRITERS)
    decision = read_text(said, "decision")
    if decision not in _DECISIONS:
        advice = f"write {' or '.join(_DECISIONS)}"
        raise InvalidRequestError("That is no decision.", (("decision", advice),))
    settle_suggestion(customer_id, name, _DECISIONS[decision], caller.actor, moment.now)
    return show_links(customer_id, caller)


def merge(
    customer_id: str, said: Mapping[str, Any], caller: Caller, moment: Moment
) -> dict[str, Any]:
    """The customer that is named goes into this one. Raises NotFoundError, InvalidRequestError."""
    caller.require(*WRITERS)
    reason, other = read_reason(said), read_text(said, "customer_id")
    return describe_family(merge_into(customer_id, other, reason, caller.actor, moment.now))


def show_unmerge(customer_id: str, member: str, caller: Caller) -> dict[str, Any]:
    """What was written since the two were merged, for somebody to say whose it is."""
    caller.require(*WRITERS)
    return describe_parting(*preview_unmerge(customer_id, member))


def part(
    customer_id: str, said: Mapping[str, Any], caller: Caller, desk: Desk, moment: Moment
) -> dict[str, Any]:
    """Take a merge back. Raises InvalidRequestError that names each choice that is missing."""
    caller.require(*WRITERS)
    member, reason = read_text(said, "member"), read_reason(said)
    parting = unmerge(
        customer_id,
        member,
        _read_choices(said),
        reason,
        caller.actor,
        desk,
        moment.now,
        moment.entropy,
    )
    return {
        "customer_id": parting.root,
        "member": parting.member,
        "families": [describe_family(read_family(one)) for one in (parting.root, parting.member)],
    }


def verify_address(
    customer_id: str, said: Mapping[str, Any], caller: Caller, codes: Codes
) -> dict[str, Any]:
    """Send a code to an address that the customer claims, to be said in their case. The answer is
    the same whether anybody has the address or nobody. Raises what `start_verification` raises.
    """
    caller.require(*WRITERS)
    case_id = find_named_id(read_text(said, "case"))
    written = read_text(said, "value").strip()
    claim = Claim(case_id, customer_id, read_address(said), written)
    start_verification(claim, caller.actor, codes)
    return describe_start()


def _read_choices(said: Mapping[str, Any]) -> dict[str, str]:
    value = said.get("choices", {})
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        advice = 'write {"<id of the case or message>": "<customer id>"}'
        raise InvalidRequestError("The choices are not usable.", (("choices", advice),))
    return value


def read_reason(said: Mapping[str, Any]) -> str:
    reason = read_text(said, "reason") if "reason" in said else ""
    if len(reason) > _LONGEST_REASON:
        advice = f"write at most {_LONGEST_REASON} characters"
        raise InvalidRequestError("The reason is too long.", (("reason", advice),))
    return reason


def read_address(said: Mapping[str, Any]) -> Address:
    """`kind` and `value`, in whatever spelling. Raises InvalidRequestError."""
    kind, value = read_text(said, "kind"), read_text(said, "value").strip()
    if kind not in LINKABLE:
        advice = f"use one of: {', '.join(LINKABLE)}"
        raise InvalidRequestError("Such an address is not linked by hand.", (("kind", advice),))
    return Address(AddressKind(kind), _read_value(AddressKind(kind), value))


def _read_value(kind: AddressKind, value: str) -> str:
    if kind is AddressKind.PHONE:
        number = identify_phone(value)
        if not number.startswith("+") or not 8 <= len(number) <= 16:
            advice = "write it with its country code: +8613800138000"
            raise InvalidRequestError("That is no phone number.", (("value", advice),))
        return number
    if kind is AddressKind.EMAIL:
        value = identify_email(value)
        if not all(value.rpartition("@")) or any(c.isspace() for c in value):
            advice = "write an address such as ling@example.com"
            raise InvalidRequestError("That is no mail address.", (("value", advice),))
    if not 1 <= len(value) <= _LONGEST_VALUE:
        advice = f"write 1 to {_LONGEST_VALUE} characters"
        raise InvalidRequestError("That is no address.", (("value", advice),))
    return value


def _describe(one: Weighed) -> dict[str, Any]:
    return describe_suggestion(one.kept, one.kind, one.other_id)
