"""Verifying an evidence pack with nothing but the pack: no network, no AWS, no store.

Every problem names the entry, and so the record, that it is about. What was erased is told as such
and is no problem: the chain still holds around it.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from caseweave.domain.digests import key_name, signed_bytes
from caseweave.domain.evidence import canonical_json
from caseweave.domain.evidence_pack import (
    FORMAT,
    MANIFEST,
    SIGNATURE,
    SUMMARY,
    signed_manifest,
)
from caseweave.domain.evidence_summary import write_summary
from caseweave.domain.packed_case import CaseCheck, Problem
from caseweave.domain.packing import PackError, read_pack

# (public key as DER, what was signed, signature) → does it hold?
VerifySignature = Callable[[bytes, bytes, bytes], bool]
_BY_ITSELF = (MANIFEST, SIGNATURE, SUMMARY)
_DIGEST = re.compile(r"digests/(\d{4}-\d\d-\d\d)\.(json|sig)", re.ASCII)
_STATEMENT = frozenset({"count", "day", "key", "previous", "previous_day", "root"})
_KEY = re.compile(r"keys/([0-9a-f]{64})\.der", re.ASCII)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`notes` say what is proved, and what was erased or never had; `key` is the SHA-256 of the key
    that signed, to be compared with the one that the business tells.
    """

    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    key: str = ""

    @property
    def holds(self) -> bool:
        return not self.problems


def verify_pack(packed: bytes, verify_signature: VerifySignature) -> Verdict:
    """Does everything in the pack hold? Never raises for any bytes."""
    try:
        entries = read_pack(packed)
    except PackError as error:
        name, _, what = str(error).partition(": ")
        return Verdict((Problem(name, what) if what else Problem("the file", name),))
    try:
        return _verify(entries, verify_signature)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as error:
        return Verdict((Problem("the file", f"a record has not the form it must have: {error!r}"),))


def _verify(entries: Mapping[str, bytes], verify_signature: VerifySignature) -> Verdict:
    problems = list(_check_forms(entries))
    if problems:
        return Verdict(tuple(problems))
    manifest = json.loads(entries.get(MANIFEST, b"{}"))
    problems += _check_manifest(entries, manifest, verify_signature)
    if manifest.get("format") != FORMAT:
        return Verdict(tuple(problems))
    statements = {
        found[1]: json.loads(entries[name])
        for name in entries
        if (found := _DIGEST.fullmatch(name)) and found[2] == "json"
    }
    notes: list[str] = []
    for case_id in manifest["cases"]:
        case = CaseCheck.of(case_id, entries, statements)
        broken = list(case.find_problems())
        problems += broken
        notes += case.tell() if not broken else []
    problems += _check_digests(entries, statements, verify_signature)
    problems += _check_places(entries, manifest["cases"])
    shown = {name: one for name, one in entries.items() if name not in _BY_ITSELF}
    if not problems and entries.get(SUMMARY) != write_summary(shown, manifest["cases"]):
        # The signature vouches for it; another version of this program words it otherwise.
        notes.append(f"{SUMMARY} is not worded as this program would")
    return Verdict(tuple(dict.fromkeys(problems)), tuple(notes), str(manifest["key"]))


def _check_forms(entries: Mapping[str, bytes]) -> Iterator[Problem]:
    """Each JSON entry has the one form that its value has."""
    for name, content in entries.items():
        if not name.endswith(".json"):
            continue
        try:
            is_canonical = canonical_json(json.loads(content)) == content
        except (ValueError, RecursionError):
            is_canonical = False
        if not is_canonical:
            yield Problem(name, "it is not JSON as we write it")


def _check_manifest(
    entries: Mapping[str, bytes], manifest: Mapping[str, Any], verify_signature: VerifySignature
) -> Iterator[Problem]:
    if manifest.get("format") != FORMAT:
        yield Problem(MANIFEST, f"it is missing, or not of the format {FORMAT!r}")
        return
    listed = {one["name"]: one for one in manifest["entries"]}
    others = [name for name in entries if name not in (MANIFEST, SIGNATURE)]
    for name in others:
        told = listed.get(name)
        if told is None:
            yield Problem(name, "it was added: the manifest does not list it")
        elif (told["size"], told["sha256"]) != (
            len(entries[name]),
            sha256(entries[name]).hexdigest(),
        ):
            yield Problem(name, "its bytes are not those that the manifest lists")
    for name in listed:
        if name not in entries:
            yield Problem(name, "it was removed: the manifest lists it")
    if [one["name"] for one in manifest["entries"]] != sorted(listed):
        yield Problem(MANIFEST, "its entries are not in order, or one is there twice")
    key = entries.get(f"keys/{manifest['key']}.der", b"")
    signature = entries.get(SIGNATURE, b"")
    if not verify_signature(key, signed_manifest(entries[MANIFEST]), signature):
        yield Problem(SIGNATURE, "it is not the signature of the manifest by that key")


def _check_digests(
    entries: Mapping[str, bytes],
    statements: Mapping[str, Any],
    verify_signature: VerifySignature,
) -> Iterator[Problem]:
    """Each day's statement is signed, and follows the one before it where that is here too."""
    for day, statement in statements.items():
        name = f"digests/{day}.json"
        if statement.keys() != _STATEMENT or statement["day"] != day:
            yield Problem(name, "it is not the statement of that day")
            continue
        key = entries.get(f"keys/{statement['key']}.der", b"")
        signature = entries.get(f"digests/{day}.sig", b"")
        if not verify_signature(key, signed_bytes(entries[name]), signature):
            yield Problem(name, f"its signature (digests/{day}.sig) does not hold")
        before = entries.get(f"digests/{statement['previous_day']}.json")
        if before is not None and sha256(before).hexdigest() != statement["previous"]:
            yield Problem(name, "it does not follow the digest of the day before")


def _check_places(entries: Mapping[str, bytes], case_ids: list[str]) -> Iterator[Problem]:
    """Nothing stands where we put nothing; each key is named after itself."""
    folders = tuple(f"cases/{case_id}/" for case_id in case_ids)
    for name, content in entries.items():
        key = _KEY.fullmatch(name)
        if key and key_name(content) != key[1]:
            yield Problem(name, "it is not the key that its name says")
        if not (key or name in _BY_ITSELF or _DIGEST.fullmatch(name) or name.startswith(folders)):
            yield Problem(name, "it has no place in a pack")
