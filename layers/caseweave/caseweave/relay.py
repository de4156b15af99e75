"""The relay: what the table's stream shows goes to the queues and to the event bus.

The stream is the outbox: nothing is written to the table and then published as a second step.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from caseweave.discretion import mask_values
from caseweave.domain.event import SECURED, EventKind
from caseweave.domain.times import from_rfc3339
from caseweave.storage.media import FileKey
from caseweave.storage.outbox import OutboxKey
from caseweave.storage.pulls import PullWish
from caseweave.storage.table import read_owner

QueueMessage = Callable[[str, str], None]
QueueFile = Callable[[str], None]
QueuePull = Callable[[str], None]
QueueEvidence = Callable[[str], None]
QueueIndexing = Callable[[str], None]
PublishEvent = Callable[[str, Mapping[str, Any], datetime], None]


def relay_record(
    record: Mapping[str, Any],
    queue_message: QueueMessage,
    queue_file: QueueFile,
    publish_event: PublishEvent,
    queue_pull: QueuePull,
    queue_evidence: QueueEvidence,
    queue_indexing: QueueIndexing,
) -> None:
    """Pass on one inserted record (a stream image): a message to be indexed, an outbound one to be
    sent, the files of an inbound one, each by itself, an event of a case (and the case whose
    evidence it calls for), or a hint that there is something to pull.

    Delivered at least once: the notifier claims, a file is recorded once, events carry their
    digest, pulling twice finds nothing new, and evidence is taken once. Raises UnavailableError.
    """
    kind = _text(record, "kind")
    if kind == "message":
        direction = _text(record, "direction")
        place = (_case_id(record), _text(record, "occurred_at"), _text(record, "message_id"))
        if direction == "outbound":
            queue_message(_text(record, "channel"), str(OutboxKey(*place)))
        elif direction == "inbound":
            for index in range(len(json.loads(_text(record, "details"))["attachments"])):
                queue_file(str(FileKey(*place, index)))
        queue_indexing(str(OutboxKey(*place)))
    elif kind == "event":
        owner = read_owner(_text(record, "pk"))
        detail = {
            f"{owner.kind}_id": owner.id,
            "seq": int(_text(record, "sk").removeprefix("EVT#")),
            "actor": _text(record, "actor"),
            "data": mask_values(json.loads(_text(record, "data"))),
            "digest": _text(record, "digest"),
        }
        if _calls_for_evidence(record):
            queue_evidence(_case_id(record))
        name = "".join(word.capitalize() for word in _text(record, "event").split("_"))
        publish_event(name, detail, from_rfc3339(_text(record, "at")))
    elif kind == "ledger" and _text(record, "state") == "hint":
        names = ("provider", "account", "hint")
        queue_pull(str(PullWish(*(_text(record, name) for name in names))))


def _calls_for_evidence(record: Mapping[str, Any]) -> bool:
    """Does an event bring something into a disputed case that is to be taken or locked?"""
    is_wanted = _text(record, "event") == EventKind.EVIDENCE_WANTED
    return is_wanted or SECURED in json.loads(_text(record, "data"))


def _case_id(record: Mapping[str, Any]) -> str:
    return _text(record, "pk").removeprefix("CASE#")


def _text(record: Mapping[str, Any], name: str) -> str:
    """A string attribute of a stream image (`{"S": …}`)."""
    return str(record.get(name, {}).get("S", ""))
