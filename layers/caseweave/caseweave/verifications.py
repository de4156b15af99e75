"""One-time codes over a second channel: started by an agent or the customer, proven in the case.

Whoever starts one never hears whether the address is known here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from caseweave.customer_linking import plan_link
from caseweave.customer_merging import plan_merge_of_two
from caseweave.customer_records import name_suggestion
from caseweave.domain.case import Case
from caseweave.domain.customer_change import CustomerChange, begin_customer_change
from caseweave.domain.desk import Desk
from caseweave.domain.event import Actor, EventKind, begin_change
from caseweave.domain.identity import (
    Address,
    AddressKind,
    Link,
    Proof,
    ProvenAddress,
    Suggestion,
    SuggestionKind,
)
from caseweave.domain.message import Channel, Contact, Direction, Message, Purpose
from caseweave.domain.opening import note_links
from caseweave.domain.outbound import MAIL_SENDER, make_outbound
from caseweave.domain.ulid import make_ulid
from caseweave.domain.verifying import (
    CODE_LIFETIME,
    CODES_WITHIN,
    HIDDEN_CODE,
    MOST_CODES,
    NONCE_SIZE,
    VERIFICATION,
    Verification,
    VerificationState,
    find_codes,
    hear_codes,
)
from caseweave.domain.wording import Wording, fill_text
from caseweave.errors import InvalidRequestError, TooManyRequestsError
from caseweave.intake import Entropy
from caseweave.storage.answers import put_answer, read_codes
from caseweave.storage.cases import put_change, read_current
from caseweave.storage.customer_merging import commit_or_contend, put_merged_cases
from caseweave.storage.customers import (
    find_addresses,
    put_customer_change,
    read_customer_of,
    read_family,
    read_suggestions,
)
from caseweave.storage.transaction import Transaction, retry_on_contention
from caseweave.storage.verifications import (
    list_verifications,
    put_verification,
    read_verification,
)

_CHANNELS = {AddressKind.EMAIL: Channel.EMAIL, AddressKind.PHONE: Channel.SMS}
_TEXT = "verification_code"


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose an address is said to be, in which case; `written` is how it was spelled."""

    case_id: str
    customer_id: str
    address: Address
    written: str


@dataclass(frozen=True, slots=True)
class Codes:
    """What starting a verification needs beside the claim."""

    desk: Desk
    sms_provider: str
    now: datetime
    entropy: Entropy


def start_verification(claim: Claim, actor: Actor, codes: Codes) -> None:
    """Queue a code to the claimed address; the last one for it in this case is good for nothing
    from then on.

    Raises NotFoundError, InvalidRequestError for a case that cannot be spoken in or an address that
    gets no codes, TooManyRequestsError where it got enough of late.
    """
    if claim.address.kind not in _CHANNELS:
        advice = f"use one of: {', '.join(_CHANNELS)}"
        raise InvalidRequestError("No code can be sent there.", (("kind", advice),))
    message_id = make_ulid(codes.now, codes.entropy(10))
    nonce = codes.entropy(NONCE_SIZE).hex()
    retry_on_contention(lambda _: _start_once(claim, actor, codes, nonce, message_id))


def _start_once(claim: Claim, actor: Actor, codes: Codes, nonce: str, message_id: str) -> None:
    case = read_current(claim.case_id)
    _require_claimant(case, claim)
    known = read_codes(claim.address)
    recent = known.since(codes.now - CODES_WITHIN)
    if len(recent) >= MOST_CODES:
        left = recent[0] + CODES_WITHIN - codes.now
        said = "Too many codes went there. Please wait. 验证码发送过于频繁,请稍后再试。"
        raise TooManyRequestsError(said, left + timedelta(seconds=1))
    before = read_verification(case.id, claim.address)
    pending = Verification(
        case.id,
        claim.address,
        claim.customer_id,
        nonce,
        codes.now,
        version=before.version if before else 0,
    )
    message = _write_message(case, claim, actor, codes, nonce, message_id)
    told = {"case_id": case.id, "kind": str(claim.address.kind), "message_id": message_id}
    customer = begin_customer_change(read_customer_of(claim.customer_id)).record(
        EventKind.VERIFICATION_STARTED, actor, codes.now, told, {"address": str(claim.address)}
    )
    write = Transaction()
    put_change(write, begin_change(case).add_message(EventKind.MESSAGE_QUEUED, actor, message))
    put_customer_change(write, customer)
    put_verification(write, pending)
    put_answer(write, known, codes.now, CODES_WITHIN)
    commit_or_contend(write)


def _require_claimant(case: Case, claim: Claim) -> None:
    """Only the case's own customer can prove anything in it, and nobody in a group."""
    if case.customer_id not in read_family(claim.customer_id).ids:
        advice = "name a case of this customer"
        raise InvalidRequestError("The case is another customer's.", (("case", advice),))
    kinds = {contact.address.kind for contact in case.contacts.values()}
    if not case.is_active or AddressKind.GROUP in kinds:
        advice = "name an open case in which the customer writes alone"
        raise InvalidRequestError("Nobody can say a code there.", (("case", advice),))


def _write_message(
    case: Case, claim: Claim, actor: Actor, codes: Codes, nonce: str, message_id: str
) -> Message:
    channel = _CHANNELS[claim.address.kind]
    is_mail = channel is Channel.EMAIL
    contact = Contact(
        channel=channel,
        provider=MAIL_SENDER if is_mail else codes.sms_provider,
        account="",
        address=claim.address,
        at=codes.now,
        context={"address": claim.written} if is_mail else {},
    )
    text = codes.desk.text(_TEXT, case.language)
    body = fill_text(text, case, Wording(code=HIDDEN_CODE))
    message = make_outbound(
        case, channel, body, Purpose.VERIFICATION, str(actor), codes.now, message_id, contact
    )
    # A stranger has no use for the reference or the subject of the case.
    return replace(message, subject="", fields={VERIFICATION: nonce})


def hear_message(case: Case, message: Message, keys: Sequence[bytes], now: datetime) -> None:
    """Look for codes in an inbound message of *case*; each message counts once.

    Nothing is read for a message without a number of six digits.
    """
    is_said = message.direction is Direction.INBOUND and not message.is_automatic
    codes = find_codes(message.body) if is_said and "remark" not in message.fields else []
    if not codes:
        return
    for case_id in (case.id, *case.merged):
        for pending in list_verifications(case_id):
            if pending.is_open_at(message.received_at):
                hear = partial(_hear_once, pending, message.id, codes, keys, now)
                retry_on_contention(hear)


def _hear_once(
    pending: Verification,
    message_id: str,
    codes: Sequence[str],
    keys: Sequence[bytes],
    now: datetime,
    _attempt: int,
) -> None:
    known = read_verification(pending.case_id, pending.address)
    if known is None or known.nonce != pending.nonce or known.state is not VerificationState.OPEN:
        return
    heard = hear_codes(known, message_id, codes, keys)
    if heard is known:
        return
    write = Transaction()
    put_verification(write, heard)
    if heard.state is VerificationState.FAILED:
        change = begin_customer_change(read_customer_of(heard.customer_id))
        kind = EventKind.VERIFICATION_FAILED
        put_customer_change(write, _note(change, kind, heard, message_id, now))
    elif heard.state is VerificationState.PASSED:
        _pass(write, heard, message_id, now)
    commit_or_contend(write)


def _pass(write: Transaction, heard: Verification, message_id: str, now: datetime) -> None:
    """The address is the customer's: linked, or a reason to merge the two who have it."""
    claimant, address = heard.customer_id, heard.address
    actor = Actor("customer", claimant)
    owner = find_addresses([address], consistent=True).get(address)
    changes: list[CustomerChange] = []
    suggestion: Suggestion | None = None
    if owner is None:
        link = Link(claimant, address, Proof.CODE, "code", str(actor), now)
        changes = plan_link(write, link, actor)
        case = read_current(heard.case_id)
        proven = (ProvenAddress(address, Proof.CODE),)
        put_change(write, note_links(begin_change(case), proven, max(now, case.updated_at)))
    elif owner.customer_id not in read_family(claimant).ids:
        reason = "both have proven this address"
        try:
            merge = plan_merge_of_two(claimant, owner.customer_id, reason, actor, now)
            put_merged_cases(write, merge)
            changes = [merge.target, merge.source]
        except InvalidRequestError:
            kind = SuggestionKind.CONFLICT
            suggestion = Suggestion(owner.customer_id, address, reason, heard.case_id, kind)
    if claimant not in {change.after.id for change in changes}:
        changes.append(begin_customer_change(read_customer_of(claimant)))
    for change in changes:
        if change.after.id == claimant:
            noted = _note(change, EventKind.VERIFICATION_PASSED, heard, message_id, now)
            put_customer_change(write, _suggest(noted, suggestion, actor, now))
        else:
            put_customer_change(write, change)


def _note(
    change: CustomerChange, kind: EventKind, heard: Verification, message_id: str, now: datetime
) -> CustomerChange:
    told = {"case_id": heard.case_id, "kind": str(heard.address.kind), "message_id": message_id}
    actor = Actor("customer", heard.customer_id)
    return change.record(kind, actor, now, told, {"address": str(heard.address)})


def _suggest(
    change: CustomerChange, suggestion: Suggestion | None, actor: Actor, now: datetime
) -> CustomerChange:
    if suggestion is None:
        return change
    name = name_suggestion(suggestion.address, suggestion.customer_id)
    if read_suggestions(change.after.id, [name]):
        return change
    return change.keep_suggestion(name, suggestion, actor, now)


def describe_start() -> dict[str, object]:
    """What whoever starts one is told: the same for every address."""
    return {"state": "sent", "minutes": int(CODE_LIFETIME.total_seconds() // 60)}
