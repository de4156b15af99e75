"""Incidents: declare that something is broken, and that it is not any more."""

from collections.abc import Mapping
from typing import Any

from caseweave.agents.caller import DECLARERS, ROLES, Caller, Moment
from caseweave.agents.fields import read_names, read_text, read_time, read_wording
from caseweave.domain.incident import Incident, IncidentState, resolve_incident
from caseweave.domain.times import optional_rfc3339, to_rfc3339
from caseweave.errors import InvalidRequestError
from caseweave.storage import incidents


def declare_incident(said: Mapping[str, Any], caller: Caller, moment: Moment) -> dict[str, Any]:
    """Keep an incident; the outage schedule tells the customers it touches."""
    caller.require(*DECLARERS)
    products = read_names(said, "products")
    users = read_names(said, "platform_users")
    if not products and not users:
        raise InvalidRequestError(
            "An incident has to touch something.",
            (("products", "name a product, or platform_users"),),
        )
    incident = Incident(
        id=moment.new_id(),
        title=read_text(said, "title"),
        products=products,
        platform_users=users,
        notice=read_wording(said, "notice"),
        started_at=read_time(said, "started_at", moment.now),
        declared_at=moment.now,
        declared_by=caller.name,
    )
    incidents.keep_incident(incident)
    return _describe(incident)


def change_state(
    incident_id: str, said: Mapping[str, Any], caller: Caller, moment: Moment
) -> dict[str, Any]:
    """Resolve an incident; the outage schedule gives the all-clear to whoever was told."""
    caller.require(*DECLARERS)
    if read_text(said, "state") != IncidentState.RESOLVED:
        raise InvalidRequestError("There is no such state.", (("state", "write resolved"),))
    all_clear = read_wording(said, "notice")
    incident = resolve_incident(incidents.read_incident(incident_id), all_clear, moment.now)
    incidents.keep_incident(incident)
    return _describe(incident)


def list_incidents(caller: Caller) -> dict[str, Any]:
    """Every incident, the newest first."""
    caller.require(*ROLES)
    found = [_describe(incident) for incident in incidents.list_incidents()]
    return {"items": found[::-1]}


def _describe(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "title": incident.title,
        "state": str(incident.state),
        "products": list(incident.products),
        "platform_users": list(incident.platform_users),
        "notice": dict(incident.notice),
        "all_clear": dict(incident.all_clear) or None,
        "started_at": to_rfc3339(incident.started_at),
        "declared_at": to_rfc3339(incident.declared_at),
        "declared_by": incident.declared_by,
        "resolved_at": optional_rfc3339(incident.resolved_at),
    }
