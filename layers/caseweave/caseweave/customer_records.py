"""What a message says of its sender goes into the customer's own records: addresses that became
theirs, and suggestions who they may be besides.

Nothing is read for a sender who is known by one address and claims nothing: the steady state.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from caseweave.admission import Standing
from caseweave.domain.customer_change import CustomerChange, begin_customer_change
from caseweave.domain.event import Actor
from caseweave.domain.identity import (
    Address,
    AddressKind,
    Customer,
    Family,
    Link,
    Suggestion,
    SuggestionKind,
    SuggestionState,
)
from caseweave.domain.message import InboundMessage, Message
from caseweave.errors import ContentionError
from caseweave.storage.customers import (
    find_platform_ids,
    read_customer_of,
    read_family,
    read_suggestions,
)

INTAKE = Actor("system", "intake")
CLAIMED = "claimed, not proven"


@dataclass(frozen=True, slots=True)
class Records:
    """`changes` are of the customer, and of the root they are merged into where that must be told;
    `suggestions` are those that an agent has not decided yet.
    """

    changes: tuple[CustomerChange, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()


def name_suggestion(address: Address, customer_id: str) -> str:
    """One name for the same suspicion, so that it is made once and dismissed for good."""
    said = f"{address}\0{customer_id}".encode("utf-8", "replace")
    return sha256(said).hexdigest()[:24]


def record_sender(
    inbound: InboundMessage,
    message: Message,
    standing: Standing,
    suggestions: Sequence[Suggestion],
    known: Collection[Address],
    seal: str,
) -> Records:
    """The records that go with *message*. *known* are the sender's addresses that are somebody's;
    *seal* is the one of a new customer. Raises ContentionError.
    """
    joining, at = standing.joining, message.received_at
    source = f"{inbound.channel}/{inbound.provider}"
    links = [
        Link(message.customer_id, entry.address, entry.proof, source, str(INTAKE), at)
        for entry in joining.linked
    ]
    unknown = [claim for claim in inbound.sender.claims if claim not in known]
    claimed = [Suggestion("", claim, CLAIMED, kind=SuggestionKind.LINK) for claim in unknown]
    if joining.customer_id is not None:
        if not links and not suggestions and not claimed:
            return Records()
        return _record_known(message, links, suggestions, claimed)
    change = CustomerChange(None, _new_customer(inbound, message, seal))
    for link in links:
        change = change.add_link(link, INTAKE)
    for suggestion in (*suggestions, *claimed):
        name = name_suggestion(suggestion.address, suggestion.customer_id)
        change = change.keep_suggestion(name, suggestion, INTAKE, at)
    return Records((change,), tuple(suggestions))


def _new_customer(inbound: InboundMessage, message: Message, seal: str) -> Customer:
    sender = inbound.sender
    return Customer(
        id=message.customer_id,
        name=sender.name,
        locale=sender.locale,
        tier=sender.tier,
        role=sender.role,
        created_at=message.received_at,
        seal=seal,
    )


def _record_known(
    message: Message,
    links: Sequence[Link],
    suggestions: Sequence[Suggestion],
    claimed: Sequence[Suggestion],
) -> Records:
    customer = read_customer_of(message.customer_id)
    family = read_family(customer.id)
    change = begin_customer_change(customer)
    for link in links:
        change = change.add_link(link, INTAKE)
    others = [one for one in suggestions if one.customer_id not in family.ids]
    change, undecided = _suggest(change, [*others, *claimed], message)
    changes = [change] if links or change.events else []
    if any(link.address.kind is AddressKind.PLATFORM for link in links):
        guard = guard_platform_id(customer, family, links)
        changes += [guard] if guard is not None else []
    return Records(tuple(changes), tuple(one for one in undecided if one.customer_id))


def _suggest(
    change: CustomerChange, suggestions: Sequence[Suggestion], message: Message
) -> tuple[CustomerChange, list[Suggestion]]:
    """The change with what was never suggested before, and all that nobody has decided yet."""
    names = [
        name_suggestion(one.address, owner)
        for one in suggestions
        for owner in (one.customer_id, "")
    ]
    made = read_suggestions(change.after.id, names)
    undecided = []
    for one in suggestions:
        name = name_suggestion(one.address, one.customer_id)
        earlier = made.get(name) or made.get(name_suggestion(one.address, ""))
        if earlier is None:
            change = change.keep_suggestion(name, one, INTAKE, message.received_at)
        if earlier is None or earlier.state is SuggestionState.OPEN:
            undecided.append(one)
    return change, undecided


def guard_platform_id(
    customer: Customer, family: Family, links: Sequence[Link]
) -> CustomerChange | None:
    """A platform id may only be linked where nobody of the family has another one; what must be
    written beside it, so that no merge and no other link happens at the same moment.

    To be called after the *customer* was read. Raises ContentionError.
    """
    new = {one.address.value for one in links if one.address.kind is AddressKind.PLATFORM}
    root = None
    if family.root != customer.id:
        before = read_customer_of(family.root)
        root = CustomerChange(before, replace(before, version=before.version + 1))
    if len(find_platform_ids(read_family(customer.id).ids) | new) > 1:
        raise ContentionError(f"customer {customer.id} has another platform id by now")
    return root
