"""Whose message it is, and which case it may join: by what is proven, or by a token (P4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from caseweave.domain.case import Case
from caseweave.domain.identity import Address, AddressKind, Proof
from caseweave.domain.joining import Joining, Person, Ticket, join_customer
from caseweave.domain.message import InboundMessage, KnownAddress, Remark
from caseweave.domain.open_cases import list_case
from caseweave.domain.threading import ThreadingPolicy
from caseweave.domain.tokens import read_link_token, read_reply_token
from caseweave.errors import NotFoundError
from caseweave.storage.cases import read_current
from caseweave.storage.customers import read_people
from caseweave.storage.intake import is_token_void
from caseweave.storage.ledger import RawInput, find_case_of
from caseweave.storage.open_cases import read_open_cases


@dataclass(frozen=True, slots=True)
class Signed:
    """The case that a token of ours names, and in words which token it is."""

    case_id: str
    because: str
    proof: Proof


@dataclass(frozen=True, slots=True)
class Admission:
    """The case by which a message has its customer, without making the sender's address theirs."""

    case: Case
    proof: Proof


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a message stands before it is kept.

    `origin` is what is known of the address it came from; `used_token` the digest of the link that
    it used up, "" for none. What is `signed` counts among the customer's own cases only.
    """

    joining: Joining
    origin: KnownAddress | None = None
    signed: Signed | None = None
    admission: Admission | None = None
    used_token: str = ""


def find_standing(
    inbound: InboundMessage,
    known: Mapping[Address, KnownAddress],
    raw: RawInput,
    keys: Sequence[bytes],
    policy: ThreadingPolicy,
) -> Standing:
    """Decide from what is proven, what is *known* of the addresses, and the tokens that came.

    Raises NotFoundError for a session whose case is gone, UnavailableError.
    """
    address = inbound.sender.proven[0].address
    origin = known.get(address)
    used_token, ticket = _read_link(inbound, origin, raw.received_at, keys)
    if inbound.customer_id:
        ticket = Ticket(inbound.customer_id, is_link=False)
    signed, admission = _read_signed(inbound, keys), None
    if inbound.remark is Remark.ADDITION:
        admission = _find_told(inbound, raw)
    elif signed is not None and not origin and not ticket:
        admission = _admit(signed, policy, raw.received_at)
    if admission is not None:
        ticket = Ticket(admission.case.customer_id, is_link=False)
    joining = join_customer(inbound.sender, known, _find_people(address, known, ticket), ticket)
    return Standing(joining, origin, signed, admission, used_token)


def _read_link(
    inbound: InboundMessage, origin: KnownAddress | None, now: datetime, keys: Sequence[bytes]
) -> tuple[str, Ticket | None]:
    """The digest and ticket of a link token that is genuine, in time, and not used up."""
    if not inbound.link_token:
        return "", None
    customer_id = read_link_token(inbound.link_token, keys, now)
    if customer_id is None or (origin is not None and origin.customer_id == customer_id):
        return "", None
    digest = sha256(inbound.link_token.encode()).hexdigest()
    if is_token_void(digest, customer_id):
        return "", None
    return digest, Ticket(customer_id, is_link=True)


def _read_signed(inbound: InboundMessage, keys: Sequence[bytes]) -> Signed | None:
    """By the session of the customer's page, or an agent's word; or by the token of our answer, if
    it comes from the very address that it was issued to.
    """
    proven = inbound.sender.proven
    if inbound.session_case_id:
        is_said = proven[0].proof is Proof.AGENT
        because = "an agent named this case" if is_said else "it came with the case's session"
        return Signed(inbound.session_case_id, because, proven[0].proof)
    for address in (*(entry.address for entry in proven), *inbound.sender.claims):
        if address.kind is not AddressKind.EMAIL:
            continue
        for token in inbound.reply_tokens:
            case_id = read_reply_token(token, address.value, keys)
            if case_id is not None:
                because = "it came to the reply address that this case gave its sender"
                return Signed(case_id, because, Proof.REPLY_TOKEN)
    return None


def _admit(signed: Signed, policy: ThreadingPolicy, at: datetime) -> Admission | None:
    """A reply token is good while its case is open, or would be opened again: a mail may come back
    years later, from whoever has the address then.
    """
    if signed.proof is not Proof.REPLY_TOKEN:
        return _admit_to(read_current(signed.case_id), signed.proof)
    try:
        case = read_current(signed.case_id)
    except NotFoundError:
        return None
    if not case.is_active:
        listed = read_open_cases(case.customer_id).find(case.id) or list_case(case)
        if not policy.opens_again(listed, at):
            return None
    return _admit_to(case, signed.proof)


def _admit_to(case: Case, proof: Proof) -> Admission | None:
    """Who comes back to a case that was erased is somebody new."""
    return None if case.erased_at else Admission(case, proof)


def _find_told(inbound: InboundMessage, raw: RawInput) -> Admission | None:
    """The case of the message that an addition is about; None while that is still to come."""
    case_id = find_case_of(raw, inbound.about)
    proof = inbound.sender.proven[0].proof
    return _admit_to(read_current(case_id), proof) if case_id else None


def _find_people(
    origin: Address, known: Mapping[Address, KnownAddress], ticket: Ticket | None
) -> dict[str, Person]:
    """Whom the known customers stand for, where it can matter: a sign-in by a user not seen before
    may meet another user's phone, and a message may come from two customers at once.
    """
    owners = {owner.customer_id for owner in known.values()}
    if ticket is not None:
        owners.add(ticket.customer_id)
    is_new_user = origin.kind is AddressKind.PLATFORM and origin not in known
    return read_people(owners) if is_new_user or len(owners) > 1 else {}
