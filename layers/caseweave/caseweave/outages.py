"""The outage schedule: customers touched by a declared incident are told once, before they ask,
and once more when it is over.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from caseweave.domain.case import Case, CaseState
from caseweave.domain.desk import Desk
from caseweave.domain.event import CaseChange
from caseweave.domain.evidence import SEAL_SIZE
from caseweave.domain.identity import Address, AddressKind
from caseweave.domain.incident import (
    Incident,
    IncidentState,
    NoticeKind,
    notify_in_case,
    open_notice_case,
)
from caseweave.domain.language import choose_language
from caseweave.domain.message import Channel, Contact
from caseweave.domain.reference import make_reference
from caseweave.domain.ulid import derive_ulid
from caseweave.domain.wording import Wording, fill_text
from caseweave.errors import ContentionError
from caseweave.intake import Entropy
from caseweave.storage.cases import commit_change, list_touched_by, read_head
from caseweave.storage.consent import find_opt_out
from caseweave.storage.customers import (
    find_addresses,
    find_open_case_id,
    list_addresses,
    read_customer_of,
)
from caseweave.storage.incidents import find_noticed_customers, list_incidents, put_notice
from caseweave.storage.transaction import RefusedError, Transaction, retry_on_contention
from caseweave.sweeping import sweep_each

# For how long after its end a sweep still looks whether everybody heard of it.
_ALL_CLEAR_PATIENCE = timedelta(days=1)
_TEXTS = {NoticeKind.OUTAGE: "incident_notice", NoticeKind.ALL_CLEAR: "incident_over"}


@dataclass(frozen=True, slots=True)
class Round:
    """One notice of one incident, and what is needed to tell it."""

    incident: Incident
    kind: NoticeKind
    desk: Desk
    default_team: str
    now: datetime
    entropy: Entropy

    def message_id(self, customer_id: str) -> str:
        return derive_ulid(self.now, self.kind, self.incident.id, customer_id)

    def write(self, case: Case) -> str:
        wording = Wording(notice=self.incident.wording(self.kind, case.language))
        return fill_text(self.desk.text(_TEXTS[self.kind], case.language), case, wording)


def sweep_incidents(desk: Desk, default_team: str, now: datetime, entropy: Entropy) -> int:
    """Tell everybody who is to be told and was not; how many were now."""
    incidents = {incident.id: incident for incident in list_incidents()}
    return sweep_each(
        incidents,
        lambda name: _announce(
            Round(incidents[name], _kind_of(incidents[name]), desk, default_team, now, entropy)
        ),
    )


def _kind_of(incident: Incident) -> NoticeKind:
    is_active = incident.state is IncidentState.ACTIVE
    return NoticeKind.OUTAGE if is_active else NoticeKind.ALL_CLEAR


def _announce(notice: Round) -> int:
    """Tell whoever this notice is for. Long after its end an incident is looked at no more."""
    incident = notice.incident
    if notice.kind is NoticeKind.OUTAGE:
        return _tell_all(_find_touched(incident), notice)
    resolved_at = incident.resolved_at
    if resolved_at is None or notice.now - resolved_at >= _ALL_CLEAR_PATIENCE:
        return 0
    return _tell_all(_find_told(incident), notice)


def _find_touched(incident: Incident) -> Iterator[str]:
    """Customers the declaration names by platform id, then those with a case on its products."""
    platform = [Address(AddressKind.PLATFORM, user) for user in incident.platform_users]
    for known in find_addresses(platform).values():
        yield known.customer_id
    for product in incident.products:
        for _, customer_id in list_touched_by("product", product, incident.started_at):
            yield customer_id


def _find_told(incident: Incident) -> Iterator[str]:
    noticed = find_noticed_customers(incident.id, NoticeKind.OUTAGE)
    return (customer_id for customer_id, was_told in noticed.items() if was_told)


def _tell_all(customers: Iterator[str], notice: Round) -> int:
    settled = find_noticed_customers(notice.incident.id, notice.kind)
    return sweep_each(
        (customer_id for customer_id in dict.fromkeys(customers) if customer_id not in settled),
        lambda customer_id: retry_on_contention(partial(_tell, customer_id, notice)),
    )


def _tell(customer_id: str, notice: Round, _attempt: int) -> bool:
    """One notice, its mark and its case in one transaction; False if there is no way to them."""
    open_case_id = find_open_case_id(customer_id)
    case = read_head(open_case_id) if open_case_id else None
    change: CaseChange | None
    channel = _choose_channel(case) if case is not None and case.is_active else None
    if case is not None and channel is not None:
        body, message_id = notice.write(case), notice.message_id(customer_id)
        change = notify_in_case(case, channel, notice.incident, body, notice.now, message_id)
    else:
        change = _open_notice(customer_id, notice)
    case_id = change.after.id if change else ""
    write = Transaction()
    put_notice(write, notice.incident.id, notice.kind, customer_id, case_id, notice.now)
    try:
        if change is None:
            write.commit()
        else:
            commit_change(change, transaction=write)
    except RefusedError as error:
        if "notice" in error.parts:
            return False
        raise ContentionError(str(error)) from error
    return change is not None


def _choose_channel(case: Case) -> Channel | None:
    """The channel last used, or the latest other one if they sent STOP there."""
    latest = sorted(case.contacts.values(), key=lambda contact: contact.at, reverse=True)
    in_order = sorted(latest, key=lambda contact: contact.channel is not case.last_channel)
    return next((contact.channel for contact in in_order if find_opt_out(contact) is None), None)


def _open_notice(customer_id: str, notice: Round) -> CaseChange | None:
    contact = _find_latest_contact(customer_id)
    if contact is None:
        return None
    customer = read_customer_of(customer_id)
    case = Case(
        id=derive_ulid(notice.now, "notice case", notice.kind, notice.incident.id, customer_id),
        ref=make_reference(notice.entropy(5)),
        seal=notice.entropy(SEAL_SIZE).hex(),
        customer_id=customer_id,
        state=CaseState.CLOSED,
        team=notice.default_team,
        language=choose_language("", customer.locale),
        opened_at=notice.now,
        updated_at=notice.now,
    )
    message_id = notice.message_id(customer_id)
    body = notice.write(case)
    return open_notice_case(
        customer_id, contact, notice.incident, case, body, notice.now, message_id
    )


def _find_latest_contact(customer_id: str) -> Contact | None:
    """Where the customer was last heard from; a page that was closed long ago is no way to them,
    nor is a number that sent STOP.
    """
    contacts = [known.contact for known in list_addresses(customer_id) if known.contact]
    reachable = [contact for contact in contacts if contact.channel is not Channel.WEB]
    latest = sorted(reachable, key=lambda contact: contact.at, reverse=True)
    return next((contact for contact in latest if find_opt_out(contact) is None), None)
