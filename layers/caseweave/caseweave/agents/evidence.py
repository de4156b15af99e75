"""The evidence pack of a case: one file with all that is known, to be verified by anybody."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from caseweave.agents.caller import Caller, Moment
from caseweave.aws.anchors import list_anchored, read_anchored
from caseweave.aws.mailbox import attachment_key
from caseweave.aws.objects import put_object, read_whole, sign_get
from caseweave.daily_digests import Notary
from caseweave.domain.digests import DailyDigest
from caseweave.domain.disputes import attachment_place, snapshot_place
from caseweave.domain.event import EventKind, begin_change
from caseweave.domain.evidence_pack import (
    MANIFEST,
    SIGNATURE,
    PackedCase,
    Record,
    key_entry,
    list_days,
    list_digests,
    list_entries,
    make_manifest,
    signed_manifest,
)
from caseweave.domain.packing import PackError, write_pack
from caseweave.domain.times import to_rfc3339
from caseweave.errors import InvalidRequestError, NotFoundError
from caseweave.storage.cases import commit_change, find_case_id, read_head
from caseweave.storage.records import list_records
from caseweave.storage.transaction import retry_on_contention

EXPORTERS = ("lead", "admin", "auditor")
LINK_LIFETIME = timedelta(minutes=15)
# What the function has memory for, twice.
MOST_BYTES = 400 * 1024 * 1024
# The last days on which something happened: each later digest covers all that came before it.
MOST_DAYS = 31
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Archive:
    """Where files lie, where those of disputes are locked, and who signs."""

    files_bucket: str
    evidence_bucket: str
    notary: Notary


def export_evidence(name: str, caller: Caller, archive: Archive, moment: Moment) -> dict[str, Any]:
    """Make the pack and tell from where it can be fetched for a while; the case says who did.

    Raises ForbiddenError, NotFoundError, UnavailableError; InvalidRequestError for a case that is
    larger than a pack can be.
    """
    caller.require(*EXPORTERS)
    case_id = find_case_id(name)
    packed = make_pack(case_id, archive)
    digest = sha256(packed).hexdigest()
    key = f"exports/{case_id}/{digest}.zip"
    put_object(archive.files_bucket, key, packed, "application/zip")
    told = {"sha256": digest, "size": len(packed)}

    def record(_: int) -> str:
        change = begin_change(read_head(case_id))
        kind = EventKind.EVIDENCE_EXPORTED
        return commit_change(change.record(kind, caller.actor, moment.now, told)).ref

    ref = retry_on_contention(record)
    seconds = int(LINK_LIFETIME.total_seconds())
    shown = f'attachment; filename="{ref}-evidence.zip"'
    url = sign_get(archive.files_bucket, key, seconds, ResponseContentDisposition=shown)
    until = to_rfc3339(moment.now + LINK_LIFETIME)
    return {"case_id": case_id, "ref": ref, "url": url, "expires_at": until, **told}


def make_pack(case_id: str, archive: Archive) -> bytes:
    """The pack of a case and of those it took in: the same bytes for the same records."""
    case_ids = [case_id, *read_head(case_id).merged]
    room = MOST_BYTES
    cases = []
    for one in case_ids:
        cases.append(_pack_case(one, room, archive))
        room -= sum(
            len(file) for file in (*cases[-1].files.values(), *cases[-1].snapshots.values())
        )
    days = {day for case in cases for day in list_days(case.records)}
    entries = list_entries(cases, _read_digests(days, archive))
    key = archive.notary.public_key()
    entries |= key_entry(key)
    manifest = make_manifest(entries, case_ids, key)
    entries[MANIFEST] = manifest
    entries[SIGNATURE] = archive.notary.sign(signed_manifest(manifest))
    try:
        return write_pack(entries)
    except PackError as error:
        raise _too_large(case_id) from error


def _pack_case(case_id: str, room: int, archive: Archive) -> PackedCase:
    records: Sequence[Record] = retry_on_contention(lambda _: list_records(case_id))
    files, snapshots = list_digests(records)
    found: dict[str, bytes] = {}
    for digest in files:
        places = (
            (archive.evidence_bucket, attachment_place(case_id, digest)),
            (archive.files_bucket, attachment_key(digest)),
        )
        room -= _fetch(case_id, digest, places, room, found)
    taken: dict[str, bytes] = {}
    for digest in snapshots:
        place = (archive.evidence_bucket, snapshot_place(case_id, digest))
        room -= _fetch(case_id, digest, [place], room, taken)
    missing = [digest for digest in (*files, *snapshots) if digest not in {**found, **taken}]
    return PackedCase(case_id, records, found, taken, missing)


def _fetch(
    case_id: str,
    digest: str,
    places: Iterable[tuple[str, str]],
    room: int,
    found: dict[str, bytes],
) -> int:
    """Put the file of that digest into *found*, from the first place that has it; its size."""
    for bucket, key in places:
        try:
            content = read_whole(bucket, key, room)
        except NotFoundError:
            continue
        if content is None:
            raise _too_large(case_id)
        if sha256(content).hexdigest() == digest:
            found[digest] = content
            return len(content)
    return 0


def _too_large(case_id: str) -> InvalidRequestError:
    most = MOST_BYTES // 1024**2
    advice = f"fetch its files one by one; a pack holds at most {most} MB"
    return InvalidRequestError(f"Case {case_id} is larger than a pack.", (("case", advice),))


def _read_digests(days: set[date], archive: Archive) -> Iterator[DailyDigest]:
    """The digests that may tell of what happened on these days: theirs, and those of the days after
    them, which tell of what was written late.
    """
    wanted = sorted({*days, *(day + _DAY for day in days)})[-2 * MOST_DAYS :]
    if not wanted:
        return
    for day in list_anchored(archive.notary.bucket, wanted[0] - _DAY):
        if day in wanted:
            yield DailyDigest.decode(read_anchored(archive.notary.bucket, day))
