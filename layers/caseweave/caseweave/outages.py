"""The outage schedule: customers touched by a declared incident are told once, before they ask."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from caseweave.domain.case import Case, CaseState
from caseweave.domain.desk import Desk
from caseweave.domain.event import CaseChange
from caseweave.domain.identity import Address, AddressKind
from caseweave.domain.incident import Incident, IncidentState, notify_in_case, open_notice_case
from caseweave.domain.language import choose_language
from caseweave.domain.message import Contact
from caseweave.domain.reference import make_reference
from caseweave.domain.ulid import derive_ulid
from caseweave.domain.wording import Wording, fill_text
from caseweave.errors import ContentionError
from caseweave.intake import Entropy
from caseweave.storage.cases import commit_change, list_touched_by, read_head
from caseweave.storage.customers import (
    find_addresses,
    find_open_case_id,
    list_addresses,
    read_customer_of,
)
from caseweave.storage.incidents import find_noticed_customers, list_incidents, put_notice
from caseweave.storage.transaction import RefusedError, Transaction, retry_on_contention


def sweep_incidents(desk: Desk, default_team: str, now: datetime, entropy: Entropy) -> int:
    """Tell everybody who is touched by an active incident and was not told; how many were now."""
    told = 0
    for incident in list_incidents():
        if incident.state is IncidentState.ACTIVE:
            told += _announce(incident, desk, default_team, now, entropy)
    return told


def _announce(
    incident: Incident, desk: Desk, default_team: str, now: datetime, entropy: Entropy
) -> int:
    settled = find_noticed_customers(incident.id)
    told = 0
    for customer_id in _find_touched(incident):
        if customer_id in settled:
            continue
        settled.add(customer_id)
        told += retry_on_contention(
            partial(_tell, customer_id, incident, desk, default_team, now, entropy)
        )
    return told


def _find_touched(incident: Incident) -> Iterator[str]:
    """Customers the declaration names by platform id, then those with a case on its products."""
    platform = [Address(AddressKind.PLATFORM, user) for user in incident.platform_users]
    for known in find_addresses(platform).values():
        yield known.customer_id
    for product in incident.products:
        for case_id, customer_id in list_touched_by("product", product):
            if read_head(case_id).opened_at >= incident.started_at:
                yield customer_id


def _tell(
    customer_id: str,
    incident: Incident,
    desk: Desk,
    default_team: str,
    now: datetime,
    entropy: Entropy,
    _attempt: int,
) -> bool:
    """One notice, its mark and its case in one transaction; False if there is no way to them."""
    message_id = derive_ulid(now, "notice", incident.id, customer_id)
    open_case_id = find_open_case_id(customer_id)
    case = read_head(open_case_id) if open_case_id else None
    change: CaseChange | None
    if case is not None and case.is_active and case.last_channel:
        body = _write_notice(incident, case, desk)
        change = notify_in_case(case, incident, body, now, message_id)
    else:
        change = _open_notice(customer_id, incident, desk, default_team, now, entropy)
    write = Transaction()
    put_notice(write, incident.id, customer_id, change.after.id if change else "", now)
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


def _open_notice(
    customer_id: str,
    incident: Incident,
    desk: Desk,
    default_team: str,
    now: datetime,
    entropy: Entropy,
) -> CaseChange | None:
    contact = _find_latest_contact(customer_id)
    if contact is None:
        return None
    customer = read_customer_of(customer_id)
    case = Case(
        id=derive_ulid(now, "notice case", incident.id, customer_id),
        ref=make_reference(entropy(5)),
        customer_id=customer_id,
        state=CaseState.CLOSED,
        team=default_team,
        language=choose_language("", customer.locale),
        opened_at=now,
        updated_at=now,
    )
    body = _write_notice(incident, case, desk)
    message_id = derive_ulid(now, "notice", incident.id, customer_id)
    return open_notice_case(customer_id, contact, incident, case, body, now, message_id)


def _find_latest_contact(customer_id: str) -> Contact | None:
    heard = [known for known in list_addresses(customer_id) if known.contact is not None]
    latest = max(heard, key=lambda known: str(known.last_inbound_at), default=None)
    return latest.contact if latest else None


def _write_notice(incident: Incident, case: Case, desk: Desk) -> str:
    wording = Wording(notice=incident.wording(case.language))
    return fill_text(desk.text("incident_notice", case.language), case, wording)
