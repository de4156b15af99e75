"""Incidents: something is broken, and the customers it touches are told before they ask."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from caseweave.domain.case import Case, CaseState
from caseweave.domain.event import Actor, CaseChange, EventKind, begin_change
from caseweave.domain.language import ENGLISH
from caseweave.domain.message import Channel, Contact, Purpose
from caseweave.domain.outbound import make_outbound
from caseweave.errors import InvalidRequestError

OUTAGES = Actor("system", "outages")
# Of the cases that keep a notice to somebody who had none open.
NOTICE_CATEGORY = "incident"


class IncidentState(StrEnum):
    ACTIVE = "active"
    RESOLVED = "resolved"


class NoticeKind(StrEnum):
    """What customers are told in the course of an incident, each of them once."""

    OUTAGE = "outage"
    ALL_CLEAR = "all_clear"


@dataclass(frozen=True, slots=True)
class Incident:
    """`products` and `platform_users` say whom it touches: cases on these products opened since
    `started_at`, and these users of the platform. `notice` and, once it is over, `all_clear` are
    what they are told, per language.
    """

    id: str
    title: str
    products: tuple[str, ...]
    platform_users: tuple[str, ...]
    notice: Mapping[str, str]
    started_at: datetime
    declared_at: datetime
    declared_by: str
    state: IncidentState = IncidentState.ACTIVE
    all_clear: Mapping[str, str] = field(default_factory=dict)
    resolved_at: datetime | None = None

    def wording(self, kind: NoticeKind, language: str) -> str:
        texts = self.notice if kind is NoticeKind.OUTAGE else self.all_clear
        return texts.get(language) or texts.get(ENGLISH) or self.title


def resolve_incident(incident: Incident, all_clear: Mapping[str, str], now: datetime) -> Incident:
    """It is over. Raises InvalidRequestError if it was before: customers were told already."""
    if incident.state is IncidentState.RESOLVED:
        raise InvalidRequestError(
            "This incident is resolved.", (("state", "declare a new incident instead"),)
        )
    return replace(incident, state=IncidentState.RESOLVED, all_clear=all_clear, resolved_at=now)


def notify_in_case(
    case: Case, channel: Channel, incident: Incident, body: str, now: datetime, message_id: str
) -> CaseChange:
    """The notice in a case the customer has open, on one of its channels."""
    change = begin_change(case)
    if case.incident_id != incident.id:
        change = change.record(
            EventKind.INCIDENT_LINKED,
            OUTAGES,
            now,
            {"incident_id": incident.id, "title": incident.title},
            incident_id=incident.id,
        )
    return _queue_notice(change, channel, body, now, message_id)


def open_notice_case(
    customer_id: str,
    contact: Contact,
    incident: Incident,
    case: Case,
    body: str,
    now: datetime,
    message_id: str,
) -> CaseChange:
    """A notice to a customer without an open case, kept in a case that is born closed.

    Nothing is owed in it: if the customer answers, that opens a case of its own.
    """
    head = replace(
        case,
        customer_id=customer_id,
        state=CaseState.CLOSED,
        category=NOTICE_CATEGORY,
        subject=incident.title,
        incident_id=incident.id,
        channels=(contact.channel,),
        contacts={contact.channel: contact},
        last_channel=contact.channel,
    )
    opened = CaseChange(before=None, after=head).record(
        EventKind.CASE_OPENED,
        OUTAGES,
        now,
        {"ref": head.ref, "customer_id": customer_id, "team": head.team, "incident": incident.id},
    )
    return _queue_notice(opened, contact.channel, body, now, message_id)


def _queue_notice(
    change: CaseChange, channel: Channel, body: str, now: datetime, message_id: str
) -> CaseChange:
    message = make_outbound(
        change.after, channel, body, Purpose.NOTICE, str(OUTAGES), now, message_id
    )
    return change.add_message(EventKind.MESSAGE_QUEUED, OUTAGES, message)
