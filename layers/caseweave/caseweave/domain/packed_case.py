"""One case of an evidence pack: what holds among its records, and what does not."""

import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

from caseweave.domain.evidence import GENESIS, canonical_json, chain_digest, commit_to
from caseweave.domain.evidence_pack import list_digests
from caseweave.domain.merkle import follow_proof

_BLOBS = ("attachments/", "snapshots/")
_FOLDERS = ("events/", "messages/", "files/", "proofs/", "others/")
# Events that tell of a message, with the commitment to its content.
_VOUCHED = ("message_received", "message_queued", "note_added")
# Events by which messages come from another case, with new commitments, or go to one.
_MOVES = ("messages_moved_in", "messages_moved_out")
# Events that tell what became of a file.
_OUTCOMES = ("attachment_stored", "attachment_unavailable")


@dataclass(frozen=True, slots=True)
class Problem:
    """What does not hold, and of which entry."""

    entry: str
    what: str

    def __str__(self) -> str:
        return f"{self.entry}: {self.what}"


@dataclass(frozen=True, slots=True)
class CaseCheck:
    """The entries of one case by their names in its folder, the JSON ones read; and the signed
    statements of the pack by their days.
    """

    case_id: str
    entries: Mapping[str, bytes]
    records: Mapping[str, Any]
    statements: Mapping[str, Any]

    @classmethod
    def of(cls, case_id: str, entries: Mapping[str, bytes], statements: Mapping[str, Any]) -> Self:
        folder = f"cases/{case_id}/"
        own = {
            name.removeprefix(folder): content
            for name, content in entries.items()
            if name.startswith(folder)
        }
        records = {name: json.loads(own[name]) for name in sorted(own) if name.endswith(".json")}
        return cls(case_id, own, records, statements)

    @property
    def head(self) -> Mapping[str, Any]:
        found = self.records.get("head.json")
        return found if isinstance(found, dict) else {}

    @property
    def seal(self) -> str:
        return str((self.head.get("head") or {}).get("seal", ""))

    @property
    def is_erased(self) -> bool:
        """Were contents erased, or is that under way?"""
        return not self.seal or any(one["event"] == "content_erased" for _, one in self.events)

    @property
    def events(self) -> list[tuple[str, Any]]:
        return self._of("events/")

    @property
    def missing(self) -> list[str]:
        """The files that were not to be had any more when the pack was made."""
        return list(self.records.get("missing.json", {}).get("missing", []))

    def _of(self, folder: str) -> list[tuple[str, Any]]:
        return [(name, one) for name, one in self.records.items() if name.startswith(folder)]

    def find_problems(self) -> Iterator[Problem]:
        misplaced = list(self._check_names())
        if not self.head:
            misplaced.append(self._problem("head.json", "the head of the case is missing"))
        if misplaced:
            # What stands in another's place would only be misread.
            yield from misplaced
            return
        yield from self._check_chain()
        yield from self._check_seal()
        yield from self._check_private_parts()
        yield from self._check_messages()
        yield from self._check_files()
        yield from self._check_blobs()
        yield from self._check_proofs()

    def tell(self) -> list[str]:
        """What is proved of this case, for people."""
        ref, count = self.head.get("ref"), len(self.events)
        told = [f"case {ref}: {count} events in one chain"]
        if self.is_erased:
            told.append(f"case {ref}: personal contents were erased; the chain holds without them")
        told += [f"case {ref}: file {digest} is no longer to be had" for digest in self.missing]
        covered = {name[7:17]: one["leaf"]["seq"] for name, one in self._of("proofs/")}
        told += [
            f"case {ref}: events 1 to {seq} are in the signed digest of {day}"
            for day, seq in sorted(covered.items())
        ]
        if max(covered.values(), default=0) < count:
            told.append(f"case {ref}: the events after that are in no digest of this pack")
        return told

    def _problem(self, name: str, what: str) -> Problem:
        return Problem(f"cases/{self.case_id}/{name}", what)

    def _check_names(self) -> Iterator[Problem]:
        """Each record stands under its own name, and has what a record of its kind has: none can
        pass for another.
        """
        for name, one in self.records.items():
            is_known = name in ("head.json", "missing.json") or name.startswith(_FOLDERS)
            if not isinstance(one, dict) or not is_known:
                yield self._problem(name, "it has no place in a case")
                continue
            is_own = one.get("pk", f"CASE#{self.case_id}") == f"CASE#{self.case_id}"
            if name != _find_name(name, one) or not is_own:
                yield self._problem(name, "it is not the record that its name says")
            elif not _has_form(name, one):
                yield self._problem(name, "it has not what such a record has")

    def _check_chain(self) -> Iterator[Problem]:
        previous = GENESIS
        for number, (name, one) in enumerate(self.events, 1):
            if name != f"events/{number:08}.json":
                yield self._problem(name, f"event {number} is missing before it")
                return
            if one["previous"] != previous:
                yield self._problem(name, "it does not follow the event before it")
            if chain_digest(one["previous"], self._covered(number, one)) != one["digest"]:
                yield self._problem(name, "its digest is not that of what it says")
            previous = one["digest"]
        end = (self.head["head"]["seq"], self.head["head"]["chain"])
        if end != (len(self.events), previous):
            yield self._problem("head.json", f"the chain does not end as it says, at {end[0]}")

    def _covered(self, number: int, event: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "case_id": self.case_id,
            "seq": number,
            "at": event["at"],
            "actor": event["actor"],
            "kind": event["event"],
            "data": event["data"],
        }

    def _check_seal(self) -> Iterator[Problem]:
        """A seal under which nothing at all was committed to is another."""
        vouched, _ = self._trace_messages()
        committed = [
            (one["data"].get("private_digest"), one["private"])
            for _, one in self.events
            if one.get("private")
        ]
        messages = self._of("messages/")
        committed += [(vouched[name], _content(one)) for name, one in messages if name in vouched]
        held = [commit_to(said, self.seal) == digest for digest, said in committed]
        if not self.is_erased and held and not any(held):
            yield self._problem("head.json", "its seal is not that of the events")

    def _check_private_parts(self) -> Iterator[Problem]:
        for name, one in self.events:
            commitment, private = one["data"].get("private_digest"), one.get("private")
            if private is None:
                if commitment is not None and not self.is_erased:
                    yield self._problem(name, "its private part is missing, and was not erased")
            elif not self.seal or commitment is None:
                yield self._problem(name, "nothing vouches for its private part")
            elif not hmac.compare_digest(commit_to(private, self.seal), str(commitment)):
                yield self._problem(name, "its private part is not what its event committed to")

    def _check_messages(self) -> Iterator[Problem]:
        vouched, _ = self._trace_messages()
        messages = dict(self._of("messages/"))
        for name, one in messages.items():
            if name not in vouched:
                yield self._problem(name, "no event of the case tells of it")
            elif not self.is_erased and commit_to(_content(one), self.seal) != vouched[name]:
                yield self._problem(name, "its content is not what its event committed to")
        for name in vouched.keys() - messages.keys():
            if not self.is_erased:
                yield self._problem(name, "it was removed")

    def _trace_messages(self) -> tuple[dict[str, str], set[str]]:
        """The commitments to the messages that are in the case, by the names of their records; and
        the ids of those that came from another case or went to one.
        """
        vouched: dict[str, str] = {}
        moved: set[str] = set()
        for _, one in self.events:
            told = one["data"]
            if one["event"] in _VOUCHED:
                vouched[_find_vouched(one)] = told["digest"]
            elif one["event"] in _MOVES:
                moved |= {message["message_id"] for message in told["messages"]}
                for message in told["messages"]:
                    name = f"messages/{message['message_id']}.json"
                    vouched.pop(name, None)
                    if one["event"] == "messages_moved_in":
                        vouched[name] = message["digest"]
        return vouched, moved

    def _check_files(self) -> Iterator[Problem]:
        """What became of each file, against the event that told of it."""
        if self.is_erased:
            return
        vouched = {_find_vouched(one): one for _, one in self.events if one["event"] in _OUTCOMES}
        files = dict(self._of("files/"))
        _, moved = self._trace_messages()
        for name in files.keys() | vouched.keys():
            if name not in files or name not in vouched:
                # The event of a message that moved is in the other case.
                if name.removeprefix("files/").rpartition("-")[0] not in moved:
                    what = "the record or the event that tells of it is missing"
                    yield self._problem(name, what)
            elif _differs(files[name], vouched[name]):
                yield self._problem(name, "it is not what its event tells")

    def _check_blobs(self) -> Iterator[Problem]:
        """Every file and snapshot that is named is there, or told as missing, and is what it is."""
        records = [(str(one.get("kind")), one) for one in self.records.values()]
        for folder, digests in zip(
            ("attachments/", "snapshots/"), list_digests(records), strict=True
        ):
            there = {name[len(folder) :] for name in self.entries if name.startswith(folder)}
            for digest in sorted(there):
                if _sha256(self.entries[folder + digest]) != digest:
                    yield self._problem(folder + digest, "its bytes are others")
                if digest not in digests:
                    yield self._problem(folder + digest, "no record of the case names it")
            for digest in digests:
                if digest not in there and digest not in self.missing:
                    yield self._problem(folder + digest, "it was removed")

    def _check_proofs(self) -> Iterator[Problem]:
        digests = [one["digest"] for _, one in self.events]
        for name, one in self._of("proofs/"):
            leaf, statement = one["leaf"], self.statements.get(name[7:17])
            if statement is None:
                yield self._problem(name, "the digest of that day is missing")
                continue
            is_ours = (leaf["kind"], leaf["id"]) == ("case", self.case_id)
            is_there = 0 < leaf["seq"] <= len(digests)
            if not is_ours or not is_there or digests[leaf["seq"] - 1] != leaf["chain"]:
                yield self._problem(name, "the chain was not there when the digest was signed")
            proof = [bytes.fromhex(digest) for digest in one["proof"]]
            root = follow_proof(canonical_json(leaf), one["position"], one["count"], proof)
            signed = (statement.get("root"), statement.get("count"))
            if root is None or (root.hex(), one["count"]) != signed:
                yield self._problem(name, "it does not lead to the root that was signed")


def _differs(file: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Does the record of a file say anything else than the event that told of it?"""
    told, details = {**event["data"], **event.get("private", {})}, file["details"]
    is_stored = event["event"] == "attachment_stored"
    shared = details.keys() & told.keys()
    is_other = any(details[field] != told[field] for field in shared)
    return is_other or (file["state"] == "stored") is not is_stored


def _find_name(name: str, record: Mapping[str, Any]) -> str:
    """Under which name the record stands, by what it says of itself."""
    sort_key = str(record.get("sk", ""))
    kinds = {
        "case": "head.json",
        "event": f"events/{sort_key.removeprefix('EVT#')}.json",
        "message": f"messages/{record.get('message_id')}.json",
        "file": f"files/{sort_key.removeprefix('FILE#').replace('#', '-')}.json",
    }
    is_record = name == "head.json" or name.startswith(("events/", "messages/", "files/"))
    other = "" if is_record else name
    return kinds.get(str(record.get("kind")), other)


# Of which type what is read of a record has to be; a folder's name stands for its records.
_FORMS: Mapping[str, Mapping[str, type]] = {
    "head.json": {"head": dict, "ref": str},
    "events/": {"at": str, "actor": str, "event": str, "previous": str, "digest": str},
    "messages/": {"message_id": str, "author": str, "occurred_at": str},
    "files/": {"state": str, "details": dict},
    "proofs/": {"position": int, "count": int},
}


def _has_form(name: str, record: Mapping[str, Any]) -> bool:
    """Can everything be read of the record that is going to be?"""
    fields = next((fields for place, fields in _FORMS.items() if name.startswith(place)), {})
    try:
        _read(name, record)
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    return all(isinstance(record.get(field), kind) for field, kind in fields.items())


def _read(name: str, record: Mapping[str, Any]) -> list[Any]:
    """Everything that is read of a record further than its own fields."""
    if name == "head.json":
        head = record["head"]
        return [f"{head['seq']:d}", head["chain"] + head["seal"], bytes.fromhex(head["seal"])]
    if name.startswith("messages/"):
        return [_content(record), list_digests([("message", record)])]
    if name.startswith("files/"):
        return [list_digests([("file", record)])]
    if name.startswith("events/"):
        moved = record["data"]["messages"] if record["event"] in _MOVES else []
        return [
            dict(record.get("private") or {}),
            _find_vouched(record),
            list_digests([("event", record)]),
            [one["message_id"] + one["digest"] for one in moved],
        ]
    if name.startswith("proofs/"):
        leaf = record["leaf"]
        proof = [bytes.fromhex(digest) for digest in record["proof"]]
        return [proof, f"{leaf['kind']}{leaf['id']}{leaf['chain']}{leaf['seq']:d}"]
    return []


def _find_vouched(event: Mapping[str, Any]) -> str:
    """The name of the record that an event vouches for; "" for the other events."""
    told = dict(event["data"])
    if event["event"] in _VOUCHED:
        return f"messages/{told['message_id']}.json" if told["digest"] is not None else ""
    if event["event"] in _OUTCOMES:
        return f"files/{told['message_id']}-{told['index']:04d}.json"
    return ""


def _content(message: Mapping[str, Any]) -> dict[str, Any]:
    """What the chain committed to of a message: see `event.message_content`."""
    details = message["details"]
    content: dict[str, Any] = {
        "author": message["author"],
        "subject": details["subject"],
        "body": message.get("body") or "",
        "occurred_at": message["occurred_at"],
        "attachments": [
            [one["name"], one["media_type"], one["size"], one["digest"]]
            for one in details["attachments"]
        ],
    }
    if message["direction"] == "inbound" and details.get("fields"):
        content["fields"] = details["fields"]
    if details.get("quick_replies"):
        content["quick_replies"] = details["quick_replies"]
    if details.get("quoted"):
        content["quoted"] = details["quoted"]
    if details.get("page_digest"):
        content["page"] = details["page_digest"]
    return content


def _sha256(content: bytes) -> str:
    return sha256(content).hexdigest()
