"""Parts of long SMS that wait for the others: one record for each text, gone when whole."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pynamodb.exceptions import DoesNotExist, PynamoDBException

from caseweave.domain.identity import Address, AddressKind, Proof, ProvenAddress, Sender
from caseweave.domain.message import Channel, InboundMessage, Part
from caseweave.domain.parts import KeptPart, PartGroup
from caseweave.domain.times import (
    from_rfc3339,
    optional_rfc3339,
    optional_time,
    to_rfc3339,
)
from caseweave.errors import UnavailableError
from caseweave.storage import table
from caseweave.storage.items import IS_NEW, has, make_item
from caseweave.storage.table import PartsRow
from caseweave.storage.transaction import Transaction


def read_group(inbound: InboundMessage, part: Part) -> PartGroup | None:
    """The parts that a part belongs to, in one consistent read. Raises UnavailableError."""
    try:
        row = PartsRow.get(*_key(inbound, part), consistent_read=True)
    except DoesNotExist:
        return None
    except PynamoDBException as error:
        raise UnavailableError(f"the store cannot be read: {error}") from error
    return _read(row.details)


def list_due_groups(now: datetime) -> Iterator[PartGroup]:
    """The texts whose parts have waited long enough, the oldest first."""
    until = f"{to_rfc3339(now)}~"
    for row in PartsRow.due.query(table.PARTS_DUE_PARTITION, PartsRow.due_sk <= until):
        if isinstance(row, PartsRow):
            yield _read(row.details)


def put_group(write: Transaction, group: PartGroup, before: PartGroup | None) -> None:
    """Write *group* if what is stored is still *before*; else the part `parts` is refused."""
    key = _key(group.like, group.part)
    item = make_item(
        PartsRow,
        key,
        details=_describe(group),
        version=group.version,
        due_pk=table.PARTS_DUE_PARTITION,
        due_sk=f"{to_rfc3339(group.due_at)}#{key[0]}",
    )
    write.put("parts", item, has(PartsRow, version=before.version) if before else IS_NEW)


def delete_group(write: Transaction, group: PartGroup) -> None:
    """Delete the record if it is still *group*; else the part `parts` is refused."""
    unchanged = has(PartsRow, version=group.version)
    write.delete("parts", _key(group.like, group.part), unchanged)


def _key(inbound: InboundMessage, part: Part) -> table.Key:
    sender = inbound.sender.proven[0].address.value
    return table.parts_key(inbound.provider, inbound.account, sender, part.ref, part.total)


def _describe(group: PartGroup) -> dict[str, Any]:
    like, origin = group.like, group.like.sender.proven[0]
    return {
        "channel": str(like.channel),
        "provider": like.provider,
        "account": like.account,
        "address": [str(origin.address.kind), origin.address.value, str(origin.proof)],
        "name": like.sender.name,
        "context": dict(like.context),
        "fields": dict(like.fields),
        "ref": group.part.ref,
        "total": group.part.total,
        "began_at": to_rfc3339(group.began_at),
        "parts": [
            [one.number, one.event_id, one.provider_id, one.body, optional_rfc3339(one.occurred_at)]
            for one in group.parts
        ],
    }


def _read(said: Mapping[str, Any]) -> PartGroup:
    kind, value, proof = said["address"]
    origin = ProvenAddress(Address(AddressKind(kind), value), Proof(proof))
    parts = tuple(
        KeptPart(number, event_id, provider_id, body, optional_time(at))
        for number, event_id, provider_id, body, at in said["parts"]
    )
    like = InboundMessage(
        channel=Channel(said["channel"]),
        provider=said["provider"],
        account=said["account"],
        event_id=parts[0].event_id,
        provider_id=parts[0].provider_id,
        sender=Sender(proven=(origin,), name=said["name"]),
        body="",
        occurred_at=parts[0].occurred_at,
        context=said["context"],
        fields=said["fields"],
    )
    part = Part(said["ref"], parts[0].number, said["total"])
    return PartGroup(like, part, from_rfc3339(said["began_at"]), parts)
