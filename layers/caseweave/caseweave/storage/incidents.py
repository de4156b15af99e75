"""Incidents, and who was told of them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from pynamodb.exceptions import DoesNotExist

from caseweave.domain.incident import Incident, IncidentState, NoticeKind
from caseweave.domain.times import (
    from_rfc3339,
    optional_rfc3339,
    optional_time,
    to_rfc3339,
)
from caseweave.errors import NotFoundError
from caseweave.storage import table
from caseweave.storage.items import batch_get, make_item
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
        all_clear=dict(incident.all_clear) or None,
        resolved_at=optional_rfc3339(incident.resolved_at),
    ).save()


def read_incident(incident_id: str) -> Incident:
    """Raises NotFoundError."""
    try:
        return _read(IncidentRow.get(*table.incident_key(incident_id), consistent_read=True))
    except DoesNotExist:
        raise NotFoundError(f"There is no incident {incident_id}.") from None


def list_incidents() -> Iterator[Incident]:
    """Every incident that is kept, the oldest first."""
    return map(_read, IncidentRow.query(table.incident_key("")[0]))


def _read(row: IncidentRow) -> Incident:
    return Incident(
        id=row.sk,
        title=row.title,
        products=tuple(row.products),
        platform_users=tuple(row.platform_users),
        notice=row.notice,
        started_at=from_rfc3339(row.started_at),
        declared_at=from_rfc3339(row.declared_at),
        declared_by=row.declared_by,
        state=IncidentState(row.state),
        all_clear=row.all_clear or {},
        resolved_at=optional_time(row.resolved_at),
    )


def find_noticed_customers(incident_id: str, kind: NoticeKind) -> dict[str, bool]:
    """The customers for whom a notice is settled: told (True), or found unreachable (False)."""
    partition, prefix = table.notice_key(incident_id, kind, "")
    rows = NoticeRow.query(partition, NoticeRow.sk.startswith(prefix))
    return {row.sk.removeprefix(prefix): bool(row.case_id) for row in rows}


def list_notices_of(customer_ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """What these customers were told of incidents; `case_id` is None where they could not be."""
    names = {
        table.notice_key(incident.id, kind, customer): (incident.id, kind, customer)
        for incident in list_incidents()
        for kind in NoticeKind
        for customer in customer_ids
    }
    for _, values in batch_get(list(names), consistent=True):
        incident_id, kind, customer = names[values["pk"], values["sk"]]
        yield {
            "incident_id": incident_id,
            "kind": str(kind),
            "customer_id": customer,
            "case_id": values["case_id"],
            "at": values["at"],
        }


def put_notice(
    write: Transaction,
    incident_id: str,
    kind: NoticeKind,
    customer_id: str,
    case_id: str,
    at: datetime,
) -> None:
    """The mark that makes a second notice impossible; part `notice` of the transaction.

    Without a *case_id* the customer could not be reached.
    """
    key = table.notice_key(incident_id, kind, customer_id)
    item = make_item(NoticeRow, key, case_id=case_id or None, at=to_rfc3339(at))
    write.put_new("notice", item)
