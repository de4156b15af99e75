"""Incidents, and who was told of them."""

from collections.abc import Iterator
from datetime import datetime

from caseweave.domain.incident import Incident, IncidentState
from caseweave.domain.times import from_rfc3339, to_rfc3339
from caseweave.storage import table
from caseweave.storage.table import IncidentRow, NoticeRow
from caseweave.storage.transaction import Transaction


def keep_incident(incident: Incident) -> None:
    IncidentRow(
        *table.incident_key(incident.id),
        title=incident.title,
        products=list(incident.products),
        platform_users=list(incident.platform_users),
        notice=dict(incident.notice),
        started_at=to_rfc3339(incident.started_at),
        declared_at=to_rfc3339(incident.declared_at),
        declared_by=incident.declared_by,
        state=str(incident.state),
    ).save()


def list_incidents() -> Iterator[Incident]:
    """Every incident that is kept, the oldest first."""
    for row in IncidentRow.query(table.incident_key("")[0]):
        yield Incident(
            id=row.sk,
            title=row.title,
            products=tuple(row.products),
            platform_users=tuple(row.platform_users),
            notice=row.notice,
            started_at=from_rfc3339(row.started_at),
            declared_at=from_rfc3339(row.declared_at),
            declared_by=row.declared_by,
            state=IncidentState(row.state),
        )


def find_noticed_customers(incident_id: str) -> set[str]:
    """The customers for whom this incident is settled: told, or found to be unreachable."""
    partition = table.notice_key(incident_id, "")[0]
    rows = NoticeRow.query(partition, NoticeRow.sk.startswith("NOTICE#"))
    return {row.sk.removeprefix("NOTICE#") for row in rows}


def put_notice(
    write: Transaction, incident_id: str, customer_id: str, case_id: str, at: datetime
) -> None:
    """The mark that makes a second notice impossible; part `notice` of the transaction."""
    write.put_new(
        "notice",
        NoticeRow(
            *table.notice_key(incident_id, customer_id),
            case_id=case_id or None,
            outcome="queued" if case_id else "unreachable",
            at=to_rfc3339(at),
        ),
    )
