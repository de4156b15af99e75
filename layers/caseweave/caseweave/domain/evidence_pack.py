"""What an evidence pack holds: each record an entry of its own, a manifest over all of them.

The layout is described in docs/evidence.md, so that it can be checked without this program.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Any

from caseweave.domain.digests import DailyDigest, key_name
from caseweave.domain.event import Owner, OwnerKind
from caseweave.domain.evidence import canonical_json
from caseweave.domain.evidence_summary import write_summary

FORMAT = "caseweave evidence pack 1"
MANIFEST, SIGNATURE, SUMMARY = "manifest.json", "manifest.sig", "summary.html"
# What is signed begins with this, so that no signature of ours can stand for another thing.
MANIFEST_PREFIX = b"caseweave evidence manifest v1\n"

# A stored record: its kind, and its values by name.
Record = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class PackedCase:
    """One case of a pack: its records as stored, the files and snapshots that they name by their
    SHA-256, and the digests of what they name that is no longer to be had.
    """

    case_id: str
    records: Sequence[Record]
    files: Mapping[str, bytes] = field(default_factory=dict)
    snapshots: Mapping[str, bytes] = field(default_factory=dict)
    missing: Sequence[str] = ()

    @property
    def weight(self) -> int:
        """How many bytes its files and snapshots have."""
        return sum(map(len, (*self.files.values(), *self.snapshots.values())))


def list_entries(cases: Sequence[PackedCase], digests: Iterable[DailyDigest]) -> dict[str, bytes]:
    """Everything but the manifest and its signature."""
    entries: dict[str, bytes] = {}
    for case in cases:
        entries |= _list_case(case)
    for digest in digests:
        told = [(case.case_id, _prove(digest, case)) for case in cases]
        if any(proof for _, proof in told):
            entries |= _list_digest(digest, told)
    entries[SUMMARY] = write_summary(entries, [case.case_id for case in cases])
    return entries


def make_manifest(entries: Mapping[str, bytes], case_ids: Sequence[str], key: bytes) -> bytes:
    """What the pack holds, by SHA-256; the first case is the one that was asked for."""
    return canonical_json(
        {
            "format": FORMAT,
            "cases": list(case_ids),
            "key": key_name(key),
            "entries": [
                {
                    "name": name,
                    "size": len(entries[name]),
                    "sha256": sha256(entries[name]).hexdigest(),
                }
                for name in sorted(entries)
            ],
        }
    )


def signed_manifest(manifest: bytes) -> bytes:
    """What is signed of a manifest: short, whatever its length."""
    return MANIFEST_PREFIX + sha256(manifest).hexdigest().encode()


def key_entry(key: bytes) -> dict[str, bytes]:
    return {f"keys/{key_name(key)}.der": key}


def list_digests(records: Iterable[Record]) -> tuple[list[str], list[str]]:
    """The SHA-256 of the files that the records of a case name, and of its snapshots."""
    files, snapshots = set(), set()
    for kind, values in records:
        if kind == "message":
            details = values["details"]
            files |= {a["digest"] for a in details["attachments"] if a["state"] == "stored"}
            files.add(details.get("page_digest", ""))
        elif kind == "file" and values["state"] == "stored":
            files.add(values["details"]["digest"])
        elif kind == "event" and values["event"] == "snapshot_taken":
            snapshots.add((values.get("private") or {}).get("digest", ""))
    return sorted(files - {""}), sorted(snapshots - {""})


def list_days(records: Iterable[Record]) -> set[date]:
    """The days on which something happened in a case."""
    return {date.fromisoformat(values["at"][:10]) for kind, values in records if kind == "event"}


def _list_case(case: PackedCase) -> dict[str, bytes]:
    folder = f"cases/{case.case_id}"
    entries = {
        f"{folder}/{_name(kind, values)}.json": canonical_json(_as_json(kind, values))
        for kind, values in case.records
    }
    entries |= {f"{folder}/attachments/{name}": one for name, one in case.files.items()}
    entries |= {f"{folder}/snapshots/{name}": one for name, one in case.snapshots.items()}
    if case.missing:
        told = {"missing": sorted(case.missing)}
        entries[f"{folder}/missing.json"] = canonical_json(told)
    return entries


def _name(kind: str, values: Mapping[str, Any]) -> str:
    sort_key = str(values["sk"])
    if kind == "case":
        return "head"
    if kind == "event":
        return f"events/{sort_key.removeprefix('EVT#')}"
    if kind == "message":
        return f"messages/{values['message_id']}"
    if kind == "file":
        return f"files/{sort_key.removeprefix('FILE#').replace('#', '-')}"
    return f"others/{sha256(sort_key.encode()).hexdigest()[:32]}"


def _as_json(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """A record as stored, without what it has not; numbers of the store may be of any type."""
    told = {name: value for name, value in values.items() if value is not None}
    plain: dict[str, Any] = json.loads(json.dumps({"kind": kind, **told}, default=str))
    return plain


def _prove(digest: DailyDigest, case: PackedCase) -> dict[str, Any] | None:
    return digest.prove(Owner(OwnerKind.CASE, case.case_id))


def _list_digest(
    digest: DailyDigest, told: Iterable[tuple[str, dict[str, Any] | None]]
) -> dict[str, bytes]:
    day = digest.day.isoformat()
    entries = {
        f"digests/{day}.json": digest.statement,
        f"digests/{day}.sig": digest.signature,
        **key_entry(digest.key),
    }
    for case_id, proof in told:
        if proof is not None:
            entries[f"cases/{case_id}/proofs/{day}.json"] = canonical_json(proof)
    return entries
