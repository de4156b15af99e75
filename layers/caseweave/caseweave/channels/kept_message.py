"""A message as the door made it, where the door is ours: forms, chats, what agents enter.

What it was made of is gone later: sessions and tokens end, forms are changed. So the ledger keeps
what was verified: the claims as addresses with their proof, never the token they came in.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import Attachment, Channel, InboundMessage
from caseweave.domain.times import optional_rfc3339, optional_time
from caseweave.errors import UnparseableError

# Under a name of ours: no header of a request is kept under it.
MESSAGE = "x-caseweave-message"
_AS_THEY_ARE = (
    "provider",
    "account",
    "event_id",
    "provider_id",
    "body",
    "subject",
    "session_case_id",
    "customer_id",
    "is_answerable",
)


def keep_message(inbound: InboundMessage) -> dict[str, str]:
    """What is kept with the raw input, as a header."""
    sender = inbound.sender
    told = {name: getattr(inbound, name) for name in _AS_THEY_ARE} | {
        "channel": inbound.channel,
        "occurred_at": optional_rfc3339(inbound.occurred_at),
        "fields": dict(inbound.fields),
        "attachments": [asdict(one) for one in inbound.attachments],
        "proven": [[one.address.kind, one.address.value, one.proof] for one in sender.proven],
        "claims": [[one.kind, one.value] for one in sender.claims],
        "sender": {name: getattr(sender, name) for name in ("name", "locale", "tier", "role")},
    }
    return {MESSAGE: json.dumps(told, ensure_ascii=False, separators=(",", ":"))}


def restore_message(kept: Mapping[str, str]) -> InboundMessage:
    """Raises UnparseableError where none is kept."""
    if MESSAGE not in kept:
        raise UnparseableError("nobody could read it at the door: it is for people to read")
    return _read(json.loads(kept[MESSAGE]))


def _read(told: Mapping[str, Any]) -> InboundMessage:
    proven = tuple(
        ProvenAddress(Address(AddressKind(kind), value), Proof(proof))
        for kind, value, proof in told["proven"]
    )
    claims = tuple(Address(AddressKind(kind), value) for kind, value in told["claims"])
    return InboundMessage(
        channel=Channel(told["channel"]),
        sender=Sender(proven=proven, claims=claims, **told["sender"]),
        occurred_at=optional_time(told["occurred_at"]),
        fields=told["fields"],
        attachments=tuple(Attachment(**one) for one in told["attachments"]),
        **{name: told[name] for name in _AS_THEY_ARE},
    )
