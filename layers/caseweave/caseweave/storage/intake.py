"""The intake transaction: guard and effect of an inbound message commit together (P1–P3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pynamodb.exceptions import PynamoDBException

from caseweave.domain.case import Case
from caseweave.domain.case_links import CaseLink, LinkKind
from caseweave.domain.customer_change import CustomerChange, begin_customer_change
from caseweave.domain.event import Actor, CaseChange
from caseweave.domain.identity import Address, Link, Proof, ProvenAddress
from caseweave.domain.message import Contact, KnownAddress, KnownMail, Message
from caseweave.domain.open_cases import OpenCases
from caseweave.domain.opening import INTAKE
from caseweave.domain.outbound import MAIL_SENDER
from caseweave.domain.parts import PartGroup
from caseweave.errors import (
    ContentionError,
    DuplicateEventError,
    NotFoundError,
    UnavailableError,
)
from caseweave.storage import table
from caseweave.storage.case_links import put_links
from caseweave.storage.cases import put_change, put_entities
from caseweave.storage.customers import put_customer_change, read_customer_of
from caseweave.storage.items import IS_NEW, Item, batch_get, has, make_item
from caseweave.storage.ledger import LedgerState, RawInput, bound_event_id, ledger_item
from caseweave.storage.open_cases import PART, decode_open_cases, follow_moves
from caseweave.storage.outbox import parse_outbox_key
from caseweave.storage.parts import delete_group
from caseweave.storage.rows import address_item, read_address, read_case
from caseweave.storage.table import AddressRow, MailIdRow, OpenCasesRow, UsedTokenRow
from caseweave.storage.transaction import RefusedError, Transaction

# Of the ids that SES gives to mails; elsewhere than in us-east-1 the region stands before it.
_SES_DOMAIN = "amazonses.com"


@dataclass(frozen=True, slots=True)
class Landing:
    """Everything one inbound message writes beside the change of its case.

    `contact` is None where no answer can go.
    `noted` is the record of the customer's open cases as it is from now on, None if it stays;
    `merged` their own one, if that led to the record of the customer `listed_under`. `followed` is
    what happens to the case that a new one goes on from.
    `origin` is the customer's own known address that the message came from; None when it is not
    (or not yet) theirs. `mail_id` is the message's id, if it is a mail whose id is not known yet.
    """

    raw: RawInput
    event_id: str
    noted: OpenCases | None = None
    merged: OpenCases | None = None
    listed_under: str = ""
    followed: CaseChange | None = None
    contact: Contact | None = None
    origin: KnownAddress | None = None
    customers: Sequence[CustomerChange] = ()
    linked: Sequence[ProvenAddress] = ()
    moved: Sequence[Address] = ()
    used_token: str = ""
    mail_id: str = ""
    entities: Sequence[tuple[str, str]] = ()
    waiting: PartGroup | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known of a message that arrives: of its addresses, and of the messages it names."""

    addresses: Mapping[Address, KnownAddress]
    mails: Mapping[str, KnownMail]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The customer's own record of open cases, the one it leads to, and heads by case id."""

    own: OpenCases
    listed: OpenCases
    heads: Mapping[str, Case]


def read_arrival(
    raw: RawInput,
    event_id: str,
    addresses: Sequence[Address],
    mail_ids: Sequence[str] = (),
    answered: str = "",
    *,
    consistent: bool,
) -> Arrival:
    """Read 1: was this event taken in before, whose are these addresses, which mails are these,
    and is the message that a messenger says is *answered* ours?

    Raises DuplicateEventError if it was.
    """
    guard = table.ledger_key(raw.provider, raw.account, bound_event_id(event_id))
    names = {key: mail_id for mail_id in mail_ids for key in _mail_keys(mail_id)}
    if answered:
        names[table.sent_key(raw.provider, answered)] = answered
    keys = [guard, *(table.address_key(a.kind, a.value) for a in addresses), *names]
    known, mails = {}, {}
    for kind, values in _batch_get(keys, consistent=consistent):
        if kind == "ledger":
            raise DuplicateEventError(event_id)
        if kind == "address":
            found = read_address(values)
            known[found.address] = found
        else:
            mails[names[values["pk"], values["sk"]]] = _read_mail(kind, values)
    return Arrival(known, mails)


def _mail_keys(mail_id: str) -> list[table.Key]:
    """The names under which a mail may be known: by its own id, or by the one SES gave it."""
    local, _, domain = mail_id.strip("<>").rpartition("@")
    is_sent = bool(local) and (domain == _SES_DOMAIN or domain.endswith(f".{_SES_DOMAIN}"))
    return [
        table.mail_id_key(mail_id),
        *([table.sent_key(MAIL_SENDER, local)] if is_sent else []),
    ]


def _read_mail(kind: str, values: dict[str, Any]) -> KnownMail:
    if kind == "sent":
        return KnownMail(parse_outbox_key(values["outbox_key"]).case_id, is_ours=True)
    return KnownMail(values["case_id"], values["customer_id"])


def read_candidates(
    customer_id: str, listed_under: str, case_ids: Sequence[str], *, consistent: bool
) -> Candidates:
    """Read 2: the customer's open cases, and the heads of those that the message is near to.

    One read more for a customer who was merged into another one since *listed_under*, where theirs
    stood last, was noted: only their own record says where they stand.
    """
    owners = [customer_id, *filter(None, (listed_under,))]
    keys = [table.open_cases_key(owner) for owner in owners]
    found = {customer_id: OpenCases(customer_id)}
    heads = {}
    for kind, values in _batch_get(
        [*keys, *(table.case_key(one) for one in case_ids)], consistent=consistent
    ):
        if kind == PART:
            listed = decode_open_cases(values)
            found[listed.owner] = listed
        else:
            head = read_case(values)
            heads[head.id] = head
    own = found[customer_id]
    place = found.get(own.moved_to, own)
    return Candidates(own, follow_moves(place, consistent=consistent), heads)


def commit_arrival(change: CaseChange, landing: Landing) -> None:
    """Write it all in one transaction.

    Raises DuplicateEventError if the event was taken in meanwhile, ContentionError if anything it
    was decided upon has changed: read and decide again.
    """
    case, message = change.after, change.messages[0]
    write = Transaction()
    write.put_new(
        "ledger",
        ledger_item(landing.raw, landing.event_id, LedgerState.PARSED, "", case.id, message.id),
    )
    put_change(write, change, landing.noted)
    if landing.followed is not None:
        put_change(write, landing.followed)
        followed = landing.followed.after
        put_links(
            write, CaseLink.between(case, LinkKind.FOLLOWS, followed, INTAKE, case.updated_at)
        )
    put_entities(write, case, landing.entities)
    _put_addresses(write, case, message, landing)
    for customer in landing.customers:
        put_customer_change(write, customer)
    if landing.merged is not None:
        still = has(OpenCasesRow, moved_to=landing.merged.moved_to)
        write.check(PART, table.open_cases_key(landing.merged.owner), still)
    if landing.mail_id:
        write.put_new("mail", _mail_item(landing, case))
    if landing.used_token:
        used = table.token_key(landing.used_token)
        write.put_new("token", make_item(UsedTokenRow, used, customer_id=case.customer_id))
    if landing.waiting is not None:
        delete_group(write, landing.waiting)
    try:
        write.commit()
    except RefusedError as error:
        if "ledger" in error.parts:
            raise DuplicateEventError(landing.event_id) from error
        raise ContentionError(str(error)) from error


def move_number(raw: RawInput, event_id: str, old: Address, new: Address) -> None:
    """The customer of *old* is reached under *new* from now on, and *old* is nobody's.

    Raises NotFoundError if nobody has *old* or somebody else has *new*, DuplicateEventError if it
    was done before, ContentionError if anything has changed meanwhile.
    """
    known = read_arrival(raw, event_id, [old, new], consistent=True).addresses
    if old not in known:
        raise NotFoundError(f"{old} is nobody's number here")
    owner = known[old]
    if new in known and known[new].customer_id != owner.customer_id:
        raise NotFoundError(f"{old} became {new}, which is another customer's already")
    write = Transaction()
    write.put_new("ledger", ledger_item(raw, event_id, LedgerState.PARSED, "", owner.case_id))
    write.delete(
        "address",
        table.address_key(old.kind, old.value),
        has(AddressRow, customer_id=owner.customer_id),
    )
    if new not in known:
        item = address_item(new, owner.customer_id, Proof.PROVIDER, owner.case_id, None)
        write.put("address", item, IS_NEW)
    put_customer_change(write, _change_links(owner, old, new, raw))
    try:
        write.commit()
    except RefusedError as error:
        if "ledger" in error.parts:
            raise DuplicateEventError(event_id) from error
        raise ContentionError(str(error)) from error


def _change_links(owner: KnownAddress, old: Address, new: Address, raw: RawInput) -> CustomerChange:
    """The customer's own record of it."""
    actor, source = Actor("provider", raw.provider), f"number change/{raw.provider}"
    change = begin_customer_change(read_customer_of(owner.customer_id))
    gone = Link(owner.customer_id, old, owner.proof, source, str(actor), raw.received_at)
    change = change.remove_link(gone, "the number was given up", actor, raw.received_at)
    return change.add_link(replace(gone, address=new, proof=Proof.PROVIDER), actor)


def _mail_item(landing: Landing, case: Case) -> Item:
    return make_item(
        MailIdRow,
        table.mail_id_key(landing.mail_id),
        case_id=case.id,
        customer_id=case.customer_id,
        expires_at=landing.raw.received_at + landing.raw.retention,
    )


def is_token_void(digest: str, customer_id: str) -> bool:
    """Was the link used before, or the customer whom it is for erased?"""
    keys = [table.token_key(digest), table.customer_key(customer_id)]
    found = dict(_batch_get(keys, consistent=True))
    return "used_token" in found or bool(found.get("customer", {}).get("erased_at"))


def _put_addresses(write: Transaction, case: Case, message: Message, landing: Landing) -> None:
    """The address the message came from is refreshed; newly proven ones are linked."""
    origin = landing.origin
    linked = {entry.address: entry.proof for entry in landing.linked}
    for address, proof in linked.items():
        own = landing.contact
        contact = own if own is not None and address == own.address else None
        place = landing.listed_under
        item = address_item(address, message.customer_id, proof, case.id, contact, place)
        write.put("address", item, None if address in landing.moved else IS_NEW)
    if origin is not None:
        item = address_item(
            origin.address,
            origin.customer_id,
            origin.proof,
            case.id,
            landing.contact,
            landing.listed_under,
        )
        write.put("address", item, has(AddressRow, customer_id=origin.customer_id))


def _batch_get(keys: Sequence[table.Key], *, consistent: bool) -> list[tuple[str, dict[str, Any]]]:
    try:
        return list(batch_get(keys, consistent=consistent))
    except PynamoDBException as error:
        raise UnavailableError(f"the store cannot be read: {error}") from error
