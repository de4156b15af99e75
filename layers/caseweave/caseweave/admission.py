"""Whose message it is, and which case it may join: by what is proven, or by a token (P4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from caseweave.domain.case import Case
from caseweave.domain.identity import Address, AddressKind, Proof
from caseweave.domain.joining import Joining, Ticket, join_customer
from caseweave.domain.message import InboundMessage, KnownAddress, Remark
from caseweave.domain.open_cases import OpenCases
from caseweave.domain.tokens import read_link_token, read_reply_token
from caseweave.errors import NotFoundError
from caseweave.storage.cases import read_current
from caseweave.storage.customers import find_platform_id
from caseweave.storage.intake import is_token_used, read_open_case
from caseweave.storage.ledger import RawInput, find_case_of


@dataclass(frozen=True, slots=True)
class Admission:
    """The case that a token admits a message to, without making the sender's address anybody's.

    An addition goes to a closed case too.
    """

    case: Case
    proof: Proof
    is_addition: bool = False

    @property
    def is_in_force(self) -> bool:
        return self.is_addition or self.case.is_active


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a message stands before it is kept.

    `origin` is what is known of the address it came from; `used_token` the digest of the link that
    it used up, "" for none.
    """

    joining: Joining
    origin: KnownAddress | None = None
    admission: Admission | None = None
    used_token: str = ""

    def find_case(self, *, consistent: bool) -> tuple[OpenCases | None, Case | None]:
        """The case that it is admitted to, or the customer's open one; and all open ones, as far
        as they were looked at.
        """
        if self.admission is not None and self.admission.is_in_force:
            return None, self.admission.case
        customer_id = self.joining.customer_id
        if customer_id is None:
            return None, None
        is_own = self.origin is not None and self.origin.customer_id == customer_id
        hint = self.origin.case_id if self.origin and is_own else ""
        return read_open_case(customer_id, hint, consistent=consistent)


def find_standing(
    inbound: InboundMessage,
    known: Mapping[Address, KnownAddress],
    raw: RawInput,
    keys: Sequence[bytes],
) -> Standing:
    """Decide from what is proven, what is *known* of the addresses, and the tokens that came.

    Raises NotFoundError for a session whose case is gone, UnavailableError.
    """
    address = inbound.sender.proven[0].address
    origin = known.get(address)
    used_token, ticket = _read_link(inbound, origin, raw.received_at, keys)
    if inbound.customer_id:
        ticket = Ticket(inbound.customer_id, is_link=False)
    if inbound.remark is Remark.ADDITION:
        admission = _find_told(inbound, raw)
    else:
        admission = None if origin or ticket else _find_admission(inbound, keys)
    if admission is not None:
        ticket = Ticket(admission.case.customer_id, is_link=False)
    joining = join_customer(inbound.sender, known, _find_platform_ids(address, known), ticket)
    return Standing(joining, origin, admission, used_token)


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
    if is_token_used(digest):
        return "", None
    return digest, Ticket(customer_id, is_link=True)


def _find_admission(inbound: InboundMessage, keys: Sequence[bytes]) -> Admission | None:
    """By the session of the customer's page, or an agent's word; or by the token of our answer,
    while its case is open: a mail may come back years later, from whoever has the address then.
    """
    if inbound.session_case_id:
        return Admission(read_current(inbound.session_case_id), inbound.sender.proven[0].proof)
    replied = _find_replied_case(inbound, keys)
    return Admission(replied, Proof.REPLY_TOKEN) if replied else None


def _find_told(inbound: InboundMessage, raw: RawInput) -> Admission | None:
    """The case of the message that an addition is about; None while that is still to come."""
    case_id = find_case_of(raw, inbound.about)
    proof = inbound.sender.proven[0].proof
    return Admission(read_current(case_id), proof, is_addition=True) if case_id else None


def _find_replied_case(inbound: InboundMessage, keys: Sequence[bytes]) -> Case | None:
    """The open case whose reply token came back from the very address it was issued to."""
    sender = inbound.sender
    written_from = [entry.address for entry in sender.proven] + list(sender.claims)
    for address in written_from:
        if address.kind is not AddressKind.EMAIL:
            continue
        for token in inbound.reply_tokens:
            case_id = read_reply_token(token, address.value, keys)
            if case_id is not None:
                return _read_if_active(case_id)
    return None


def _read_if_active(case_id: str) -> Case | None:
    try:
        case = read_current(case_id)
    except NotFoundError:
        return None
    return case if case.is_active else None


def _find_platform_ids(origin: Address, known: Mapping[Address, KnownAddress]) -> dict[str, str]:
    """Only a sign-in by a user not seen before can meet another user's phone or mail address."""
    if origin.kind is not AddressKind.PLATFORM or origin in known:
        return {}
    owners = {owner.customer_id for owner in known.values()}
    return {owner: find_platform_id(owner) for owner in owners}
