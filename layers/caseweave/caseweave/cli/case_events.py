"""One event of a case in a line: what changed, and why."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from caseweave.cli.cells import clock_time
from caseweave.cli.labels import label

Data = Mapping[str, Any]
# Every message has its row in the timeline; of its events only trouble is told again.
_UNTOLD = (
    "message_received",
    "message_queued",
    "message_accepted",
    "message_delivered",
    "note_added",
    "attachment_stored",
)


def is_telling(event: Mapping[str, Any]) -> bool:
    return event["kind"] not in _UNTOLD


def describe_event(event: Mapping[str, Any], language: str) -> str:
    describe = _DESCRIPTIONS.get(event["kind"])
    return describe(_tell(event, language), language) if describe else ""


def _tell(event: Mapping[str, Any], language: str) -> Data:
    """The event's data with what is private in it, or with the word that it was erased."""
    if event["private"] is None:
        return defaultdict(lambda: label("erased", language), event["data"])
    return {**event["data"], **event["private"]}


def _opened(data: Data, _language: str) -> str:
    return str(data["ref"])


def _triaged(data: Data, _language: str) -> str:
    signs = ", ".join(data["signs"])
    due = "; ".join(f"{clock} {clock_time(at)}" for clock, at in data["due"].items())
    return f"{data['category']}, {data['priority']} ({signs or 'fallback'}); {due}"


def _assigned(data: Data, _language: str) -> str:
    return " · ".join(name for name in (data["team"], data["agent"]) if name)


def _state(data: Data, language: str) -> str:
    change = f"{label(data['before'], language)} → {label(data['after'], language)}"
    return f"{change}: {data['reason']}" if data["reason"] else change


def _suggested(data: Data, _language: str) -> str:
    named = data.get("case_id") or data["customer_id"]
    return f"{data['address']} → {named} ({data['reason']})"


def _withheld(data: Data, _language: str) -> str:
    return str(data["reason"])


def _linked(data: Data, language: str) -> str:
    return f"{data['address']} ({label('proof', language)}: {data['proof']})"


def _started(data: Data, _language: str) -> str:
    return "; ".join(f"{clock} {clock_time(at)}" for clock, at in data["due"].items())


def _warned(data: Data, _language: str) -> str:
    return f"{data['policy']}.{data['clock']} → {clock_time(data['due'])}"


def _breached(data: Data, language: str) -> str:
    lines = [f"{data['policy']}.{data['clock']}, {data['budget_seconds']} s, {data['calendar']}"]
    for span in data["segments"]:
        counted = label("counted" if span["counted"] else "skipped", language)
        lines.append(
            f"{counted} {clock_time(span['from'])} – {clock_time(span['to'])} {span['reason']}"
        )
    return "\n".join(line.rstrip() for line in lines)


def _escalated(data: Data, language: str) -> str:
    before, after = (
        f"{side['team']} · {label('level', language)} {side['level']} · {side['priority']}"
        for side in (data["before"], data["after"])
    )
    return f"{before} → {after}"


def _other_case(data: Data, language: str) -> str:
    kind = f"{label(data['kind'], language)} " if "kind" in data else ""
    reason = f": {data['reason']}" if data.get("reason") else ""
    return f"{kind}{data['ref']}{reason}"


def _moved(data: Data, language: str) -> str:
    return f"{data['ref']}: {len(data['messages'])} {label('messages', language)}"


def _given(data: Data, language: str) -> str:
    owner = f"{data['before']} → {data['customer_id']}"
    moved = f"{len(data['messages'])} {label('messages', language)}"
    return owner if data["before"] != data["customer_id"] else f"{data['customer_id']}: {moved}"


def _consent(data: Data, language: str) -> str:
    return f"{data['number']} → {data['address']}: {label(data['state'], language)}"


def _incident(data: Data, _language: str) -> str:
    return f"{data['title']} ({data['incident_id']})"


def _trouble(data: Data, language: str) -> str:
    return f"{label(data['channel'], language)}: {data['error']}"


def _wanted(data: Data, _language: str) -> str:
    return ", ".join(data["orders"]) if isinstance(data["orders"], list) else str(data["orders"])


def _locked(data: Data, _language: str) -> str:
    return str(data["count"])


def _snapshot(data: Data, _language: str) -> str:
    why = data.get("trouble") or data.get("reason")
    return f"{data['order_no']}: {why}" if why else str(data["order_no"])


def _exported(data: Data, _language: str) -> str:
    return f"SHA-256 {data['sha256']}"


def _missing_file(data: Data, language: str) -> str:
    reason = label(data["reason"], language)
    return f"{reason} ({data['detail']})" if data["detail"] else reason


_DESCRIPTIONS: Mapping[str, Callable[[Data, str], str]] = {
    "case_opened": _opened,
    "case_triaged": _triaged,
    "case_assigned": _assigned,
    "state_changed": _state,
    "customer_suggested": _suggested,
    "address_linked": _linked,
    "sla_started": _started,
    "sla_warned": _warned,
    "sla_breached": _breached,
    "case_escalated": _escalated,
    "incident_linked": _incident,
    "consent_changed": _consent,
    "message_failed": _trouble,
    "message_unknown": _trouble,
    "attachment_unavailable": _missing_file,
    "answer_withheld": _withheld,
    "evidence_wanted": _wanted,
    "attachments_locked": _locked,
    "snapshot_taken": _snapshot,
    "snapshot_delayed": _snapshot,
    "snapshot_unavailable": _snapshot,
    "evidence_exported": _exported,
    "case_follows": _other_case,
    "case_linked": _other_case,
    "case_unlinked": _other_case,
    "case_merged": _other_case,
    "case_joined": _other_case,
    "case_unmerged": _other_case,
    "case_separated": _other_case,
    "case_split": _other_case,
    "customer_changed": _given,
    "messages_moved_in": _moved,
    "messages_moved_out": _moved,
}
