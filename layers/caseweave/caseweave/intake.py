"""Taking in: verified events become messages in the right case, once (promises P1 to P4).

Steady state: two small reads and one transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple

from caseweave.admission import Standing, find_standing
from caseweave.channels.kept_request import QUERY
from caseweave.choosing import Chosen, choose
from caseweave.customer_records import Records, record_sender
from caseweave.domain.event import Actor, CaseChange
from caseweave.domain.evidence import SEAL_SIZE
from caseweave.domain.identity import normalise_email
from caseweave.domain.joining import Joining
from caseweave.domain.message import (
    Channel,
    Delivery,
    IgnoredEvent,
    InboundEvent,
    InboundMessage,
    KnownMail,
    MailReport,
    Message,
    NumberChange,
    PullHint,
    Receipt,
)
from caseweave.domain.opening import (
    NewCase,
    append_message,
    follow_up,
    keep_message,
    note_links,
    open_case,
)
from caseweave.domain.parts import PartGroup
from caseweave.domain.reference import make_reference
from caseweave.domain.threading import ThreadingPolicy
from caseweave.domain.ulid import derive_ulid
from caseweave.errors import DuplicateEventError, NotFoundError
from caseweave.mail_threads import name_mails, suggest_cases
from caseweave.quarantine import keep_quarantined
from caseweave.returned_mail import is_own_mail, keep_report
from caseweave.storage.cases import read_head
from caseweave.storage.intake import (
    Landing,
    commit_arrival,
    move_number,
    read_arrival,
)
from caseweave.storage.ledger import (
    LedgerState,
    RawInput,
    find_landed,
    keep_without_message,
)
from caseweave.storage.outbox import find_sent, parse_outbox_key, settle_message
from caseweave.storage.transaction import retry_on_contention

Entropy = Callable[[int], bytes]

# A hint says nothing; what was pulled because of it has entries of its own.
_HINT_RETENTION = timedelta(days=7)


class Drawn(NamedTuple):
    """What a case has that is drawn at random; a customer has the seal alone."""

    ref: str
    seal: str


@dataclass(frozen=True, slots=True)
class Door:
    """What intake needs beside the message: the team that starts with a case, the keys that sign
    our tokens (newest first), and a source of randomness. `support_address` is the one that our
    mails come from, where mail is taken in; `threading` says which case a message joins.
    """

    default_team: str
    signing_keys: Sequence[bytes]
    entropy: Entropy
    support_address: str = ""
    threading: ThreadingPolicy = field(default_factory=ThreadingPolicy)
    # What was drawn for a case or a customer that is rebuilt; their ids are derived again.
    drawn: Mapping[str, Drawn] = field(default_factory=dict)

    def draw(self, case_id: str) -> Drawn:
        """The reference and the seal that a new case gets."""
        known = self.drawn.get(case_id)
        return known or Drawn(make_reference(self.entropy(5)), self.entropy(SEAL_SIZE).hex())

    def draw_seal(self, customer_id: str) -> str:
        """The seal that a new customer gets."""
        known = self.drawn.get(customer_id)
        return known.seal if known else self.entropy(SEAL_SIZE).hex()


@dataclass(frozen=True, slots=True)
class Landed:
    """Where a message is now; in no case if it is our own mail, or a remark and the customer has
    none open.

    `is_new` is False if it had been taken in before.
    """

    case_id: str
    ref: str
    message_id: str
    is_new: bool


def take_in(events: Sequence[InboundEvent], raw: RawInput, door: Door) -> int:
    """Keep every event of a request; the number of those that were new.

    Raises ContentionError or UnavailableError, after which the provider's redelivery finds those
    kept that were and adds the rest.
    """
    kept = 0
    for event in events:
        if isinstance(event, InboundMessage):
            kept += _take_message(event, raw, door)
        elif isinstance(event, Receipt):
            kept += _keep_receipt(event, raw)
        elif isinstance(event, NumberChange):
            kept += _change_number(event, raw)
        elif isinstance(event, PullHint):
            kept += _keep_hint(event, raw)
        elif isinstance(event, MailReport):
            kept += keep_report(event, raw, door.signing_keys)
        else:
            kept += _keep_ignored(event, raw)
    return kept


def _take_message(inbound: InboundMessage, raw: RawInput, door: Door) -> bool:
    if inbound.part is None:
        return receive_message(inbound, raw, door).is_new
    from caseweave.parts import receive_part  # noqa: PLC0415 - it builds on this module

    return receive_part(inbound, raw, door)


def quarantine(raw: RawInput, reason: str) -> bool:
    """Keep a verified body that nobody understood, for people to see. False if kept before."""
    said = raw.body or (raw.body_ref or raw.headers.get(QUERY, "")).encode()
    digest = sha256(said).hexdigest()
    return keep_quarantined(raw, f"sha256:{digest}", reason)


def receive_message(inbound: InboundMessage, raw: RawInput, door: Door) -> Landed:
    """The one way in. Guard and effect are one transaction; a loser of a race decides again."""
    if (raw.provider, raw.account) != (inbound.provider, inbound.account):
        raw = replace(raw, provider=inbound.provider, account=inbound.account)
    if _would_answer_ourselves(inbound, door):
        inbound = replace(inbound, is_automatic=True)
    try:
        return retry_on_contention(
            lambda attempt: receive_once(inbound, raw, door, is_retry=attempt > 0)
        )
    except DuplicateEventError:
        return _find_landed(raw, inbound.event_id)


def find_earlier(inbound: InboundMessage, raw: RawInput) -> Landed | None:
    """Where this very message is, if it was taken in before."""
    own = replace(raw, provider=inbound.provider, account=inbound.account)
    try:
        return _find_landed(own, inbound.event_id)
    except NotFoundError:
        return None


def _find_landed(raw: RawInput, event_id: str) -> Landed:
    """Raises NotFoundError for an event that was never taken in."""
    case_id, message_id = find_landed(raw, event_id)
    ref = read_head(case_id).ref if case_id else ""
    return Landed(case_id, ref, message_id, is_new=False)


def receive_once(
    inbound: InboundMessage,
    raw: RawInput,
    door: Door,
    *,
    is_retry: bool,
    waiting: PartGroup | None = None,
) -> Landed:
    """Read, decide, write. The first try reads cheaply; a retry reads what is certain.

    *waiting* is the record of its earlier parts, which ends with it. Raises DuplicateEventError,
    and ContentionError where anything changed meanwhile.
    """
    sender = inbound.sender
    addresses = [entry.address for entry in sender.proven] + list(sender.claims)
    ids = name_mails(inbound)
    answered = inbound.context.get("reply_to", "")
    arrival = read_arrival(raw, inbound.event_id, addresses, ids, answered, consistent=is_retry)
    known, mails = arrival.addresses, arrival.mails
    if _is_echo(inbound, mails, door):
        return _ignore(inbound, raw, "a mail of our own that came back")
    keys, at, policy = door.signing_keys, raw.received_at, door.threading
    standing = find_standing(inbound, known, raw, keys, policy)
    chosen = choose(inbound, standing, mails, at, policy, keys, consistent=is_retry)
    case = chosen.case
    is_open = case is not None and case.is_active
    if not is_open and inbound.remark is not None and not inbound.remark.opens_case:
        reason = f"a {inbound.remark} of {inbound.about}; the customer has no open case"
        return _ignore(inbound, raw, reason)
    joining, seed = standing.joining, (raw.provider, raw.account, inbound.event_id)
    message = keep_message(
        inbound,
        case.id if case else derive_ulid(raw.received_at, "case", *seed),
        joining.customer_id or derive_ulid(raw.received_at, "customer", *seed),
        derive_ulid(raw.received_at, "message", *seed),
        raw.received_at,
    )
    if standing.admission is not None:
        message = replace(message, proof=standing.admission.proof)
    named = suggest_cases(inbound, message, mails, door.signing_keys)
    seal = door.draw_seal(message.customer_id) if joining.customer_id is None else ""
    suggested = (*joining.suggestions, *named)
    records = record_sender(inbound, message, standing, suggested, known, seal)
    joining = replace(joining, suggestions=records.suggestions)
    change, followed = _change_case(chosen, message, inbound, joining, door)
    landing = replace(
        _land(inbound, raw, message, standing, records),
        noted=chosen.note(change.after, at),
        listed_under=chosen.listed_under,
        followed=followed,
        waiting=waiting,
        mail_id=_name_new_mail(inbound, mails),
    )
    if landing.noted is None and chosen.candidates:
        if message.customer_id != change.after.customer_id:
            # Written for its version alone: no merge is undone at the moment in which a message of
            # the one customer goes into a case of the other.
            landing = replace(landing, noted=chosen.candidates.listed)
        elif chosen.candidates.own.moved_to:
            landing = replace(landing, merged=chosen.candidates.own)
    commit_arrival(change, landing)
    return Landed(change.after.id, change.after.ref, message.id, is_new=True)


def _ignore(inbound: InboundMessage, raw: RawInput, reason: str) -> Landed:
    is_new = keep_without_message(raw, inbound.event_id, LedgerState.IGNORED, reason)
    return Landed("", "", "", is_new)


def _is_echo(inbound: InboundMessage, mails: Mapping[str, KnownMail], door: Door) -> bool:
    """Is this a mail that we sent? By the id SES gave it, or by the signed one that we did."""
    known = mails.get(inbound.context.get("message_id", ""))
    return (known is not None and known.is_ours) or is_own_mail(inbound, door.signing_keys)


def _would_answer_ourselves(inbound: InboundMessage, door: Door) -> bool:
    """Would an answer go to our own address? A form on our own pages may send so."""
    local, _, domain = normalise_email(door.support_address).rpartition("@")
    to, _, to_domain = inbound.context.get("address", "").rpartition("@")
    is_ours = to.partition("+")[0] == local and to_domain == domain
    return inbound.channel is Channel.EMAIL and bool(local) and is_ours


def _change_case(
    chosen: Chosen, message: Message, inbound: InboundMessage, joining: Joining, door: Door
) -> tuple[CaseChange, CaseChange | None]:
    """What happens to the case, and to the one that it goes on from if it is a follow-up."""
    case, choice, followed = chosen.case, chosen.choice, None
    if case is None:
        ref, seal = door.draw(message.case_id)
        new = NewCase(message.case_id, ref, door.default_team, seal)
        change = open_case(new, message, inbound.sender.locale, joining.suggestions, choice)
        if chosen.followed is not None:
            change, followed = follow_up(change, chosen.followed, message.received_at)
    else:
        change = append_message(case, message, joining.suggestions, choice)
    return note_links(change, joining.linked, message.received_at), followed


def _land(
    inbound: InboundMessage, raw: RawInput, message: Message, standing: Standing, records: Records
) -> Landing:
    joining, origin = standing.joining, standing.origin
    is_own = origin is not None and origin.customer_id == message.customer_id
    return Landing(
        raw=raw,
        event_id=inbound.event_id,
        contact=message.contact,
        origin=origin if is_own else None,
        customers=records.changes,
        linked=joining.linked,
        moved=joining.moved,
        used_token=standing.used_token,
    )


def _name_new_mail(inbound: InboundMessage, mails: Mapping[str, KnownMail]) -> str:
    """The id of a mail under which nothing is known yet; "" for everything else."""
    mail_id = inbound.context.get("message_id", "") if inbound.channel is Channel.EMAIL else ""
    return "" if mail_id in mails else mail_id


def _keep_receipt(receipt: Receipt, raw: RawInput) -> bool:
    """Receipts only move a message forward, so doing it twice does nothing: no guard is needed
    before, and the ledger is written after.
    """
    reason, state = "", LedgerState.PARSED
    if receipt.state is None:
        reason, state = "a status that tells nothing new", LedgerState.IGNORED
    else:
        delivery = Delivery(
            receipt.state, raw.received_at, receipt.provider_id, receipt.error, receipt.refusal
        )
        try:
            key = (
                parse_outbox_key(receipt.outbox_key)
                if receipt.outbox_key
                else find_sent(receipt.provider, receipt.provider_id)
            )
            settle_message(key, delivery, Actor("provider", receipt.provider))
        except NotFoundError as error:
            reason, state = str(error), LedgerState.IGNORED
    own = replace(raw, provider=receipt.provider, account=receipt.account)
    return keep_without_message(own, receipt.event_id, state, reason)


def _change_number(change: NumberChange, raw: RawInput) -> bool:
    """The customer keeps their history under the new number; the old one may soon be another's."""
    own = replace(raw, provider=change.provider, account=change.account)
    try:
        retry_on_contention(lambda _: move_number(own, change.event_id, change.old, change.new))
    except NotFoundError as error:
        return keep_without_message(own, change.event_id, LedgerState.IGNORED, str(error))
    except DuplicateEventError:
        return False
    return True


def _keep_hint(hint: PullHint, raw: RawInput) -> bool:
    """The table's stream shows it to the relay, which asks for the pull."""
    own = replace(
        raw,
        provider=hint.provider,
        account=hint.account,
        retention=min(raw.retention, _HINT_RETENTION),
    )
    return keep_without_message(own, hint.event_id, LedgerState.HINT, "", hint.token)


def _keep_ignored(event: IgnoredEvent, raw: RawInput) -> bool:
    own = replace(raw, provider=event.provider, account=event.account)
    return keep_without_message(own, event.event_id, LedgerState.IGNORED, event.reason)
