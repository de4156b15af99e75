"""Declaring that something is broken."""

from collections.abc import Mapping
from typing import Any

from caseweave.agents.caller import DECLARERS, Caller, Moment
from caseweave.agents.fields import read_names, read_text, read_time
from caseweave.domain.incident import Incident
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
    notice = said.get("notice")
    if not isinstance(notice, dict) or not notice.get("en") or not notice.get("zh-CN"):
        raise InvalidRequestError(
            "The notice is incomplete.", (("notice", 'write {"zh-CN": "…", "en": "…"}'),)
        )
    incident = Incident(
        id=moment.new_id(),
        title=read_text(said, "title"),
        products=products,
        platform_users=users,
        notice={language: str(text) for language, text in notice.items()},
        started_at=read_time(said, "started_at", moment.now),
        declared_at=moment.now,
        declared_by=caller.name,
    )
    incidents.keep_incident(incident)
    return {"id": incident.id, "state": str(incident.state)}
