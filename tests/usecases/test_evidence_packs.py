"""Evidence packs: exported from a lived-through dispute, verified offline, broken in every way."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from unittest.mock import patch
from zipfile import ZIP_DEFLATED, ZipFile

import boto3
import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from caseweave.agents.caller import Caller, Moment
from caseweave.agents.evidence import Archive, export_evidence, make_pack
from caseweave.aws.mailbox import attachment_key
from caseweave.cli.evidence import evidence, verify_rsa
from caseweave.config.desk import load_desk
from caseweave.daily_digests import anchor_days
from caseweave.domain.erasing import Cause, Deletion
from caseweave.domain.event import EventKind
from caseweave.domain.evidence import canonical_json
from caseweave.domain.evidence_checks import verify_pack
from caseweave.domain.message import Attachment
from caseweave.domain.packing import PackError, read_pack, write_pack
from caseweave.errors import ForbiddenError
from caseweave.intake import Door
from caseweave.storage import cases
from caseweave.storage.shredding import close_for_erasing, shred_case
from tests.conftest import ROOT, make_table
from tests.depth import DEPTH
from tests.usecases.cases_apart import Time, merge_into, move, open_case, split_off, write_more
from tests.usecases.conftest import KEYS
from tests.usecases.evidence_world import EVIDENCE, FILES, make_buckets, make_notary
from tests.usecases.test_evidence_keeping import DIGEST, PHOTO, dispute, keep
from tests.usecases.world import NOON

ORDER = "TP20261123001"
UNSIGNED = "manifest.sig: it is not the signature of the manifest by that key"
DAY = timedelta(days=1)
LEAD = Caller("lead@desk.example", ("lead",))
LATER = Moment(NOON + 3 * DAY, bytes)


def live():
    """A dispute with a photo, a snapshot and two daily digests; its id and what exports it."""
    boto3.client("s3").put_object(Bucket=FILES, Key=attachment_key(DIGEST), Body=PHOTO)
    door, desk = Door("frontline", KEYS, lambda n: bytes(range(n))), load_desk(ROOT / "config")
    archive = Archive(FILES, EVIDENCE, make_notary())
    photo = Attachment("<b>a.png</b>", "image/png", len(PHOTO), DIGEST, "stored")
    body = f"我要退款 {ORDER} <script>alert(1)</script>"
    case_id, _ = dispute(door, desk, body, attachments=(photo,))
    keep(case_id)
    anchor_days(archive.notary, NOON + DAY)
    dispute(door, desk, "在吗", "SM2", NOON + DAY, fields={"order_no": ORDER})
    anchor_days(archive.notary, NOON + 2 * DAY)
    dispute(door, desk, "还在吗", "SM3", NOON + 2 * DAY)
    return case_id, archive


@pytest.fixture
def lived(table):
    make_buckets()
    return live()


class Pack(bytes):
    """A pack that says nothing of its bytes where a test fails."""

    def __repr__(self):
        return f"a pack of {len(self)} bytes"


@pytest.fixture(scope="module")
def pack():
    with mock_aws():
        make_table()
        make_buckets()
        return Pack(make_pack(*live()))


@pytest.fixture(scope="module")
def folder(pack):
    (name,) = [name for name in read_pack(pack) if name.endswith("/head.json")]
    return name.removesuffix("head.json")


def problems(packed):
    return [str(problem) for problem in verify_pack(packed, verify_rsa).problems]


def change(pack, **changed):
    """The pack with entries replaced (or taken out), as somebody without the key can make it: the
    manifest lists what is there.
    """
    entries = read_pack(pack)
    for name, content in changed.items():
        if content is None:
            del entries[name]
        else:
            entries[name] = content
    manifest = json.loads(entries["manifest.json"])
    manifest["entries"] = [
        {"name": n, "size": len(entries[n]), "sha256": sha256(entries[n]).hexdigest()}
        for n in sorted(entries)
        if n not in ("manifest.json", "manifest.sig")
    ]
    entries["manifest.json"] = canonical_json(manifest)
    return write_pack(entries)


def edit(pack, name, alter):
    record = json.loads(read_pack(pack)[name])
    alter(record)
    return change(pack, **{name: canonical_json(record)})


# ---------------------------------------------------------------- what is whole


def test_a_pack_holds_and_says_what_it_proves(pack):
    verdict = verify_pack(pack, verify_rsa)
    assert verdict.problems == ()
    assert [re.sub("C-[0-9A-Z-]+", "C", note) for note in verdict.notes] == [
        "case C: 11 events in one chain",
        "case C: events 1 to 9 are in the signed digest of 2026-11-23",
        "case C: events 1 to 10 are in the signed digest of 2026-11-24",
        "case C: the events after that are in no digest of this pack",
    ]


def test_it_holds_everything_that_is_known_of_the_case(pack, folder):
    entries = read_pack(pack)
    kinds = {name.removeprefix(folder).partition("/")[0] for name in entries if folder in name}
    assert kinds == {"head.json", "events", "messages", "attachments", "snapshots", "proofs"}
    assert entries[f"{folder}attachments/{DIGEST}"] == PHOTO
    top = {name.partition("/")[0] for name in entries}
    assert top == {"cases", "digests", "keys", "manifest.json", "manifest.sig", "summary.html"}


def test_any_unzip_program_opens_it(pack):
    with ZipFile(BytesIO(pack)) as opened:
        assert opened.testzip() is None
        assert {one.filename: opened.read(one) for one in opened.infolist()} == read_pack(pack)


def test_the_same_records_make_the_same_bytes(lived):
    case_id, archive = lived
    assert make_pack(case_id, archive) == make_pack(case_id, archive)


def test_the_page_runs_nothing_and_speaks_both_languages(pack):
    page = read_pack(pack)["summary.html"].decode()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "default-src 'none'" in page
    assert "消息 / Messages" in page
    assert ORDER in page


def test_the_command_says_so_and_ends_well(pack, tmp_path):
    path = tmp_path / "pack.zip"
    path.write_bytes(pack)
    done = CliRunner().invoke(evidence, ["verify", str(path)])
    assert (done.exit_code, "OK      everything in the pack holds" in done.output) == (0, True)
    key = verify_pack(pack, verify_rsa).key
    assert CliRunner().invoke(evidence, ["verify", str(path), "--key", key]).exit_code == 0
    other = CliRunner().invoke(evidence, ["verify", str(path), "--key", "0" * 64])
    assert (other.exit_code, "FAILED  that is not the key" in other.output) == (1, True)


def test_verifying_touches_no_network(pack):
    with patch("socket.socket", side_effect=AssertionError("network")):
        assert problems(pack) == []


# ---------------------------------------------------------------- what is broken


@settings(max_examples=150 * DEPTH, deadline=None)
@given(st.data())
def test_any_flipped_bit_anywhere_is_found_and_named(pack, data):
    position = data.draw(st.integers(0, len(pack) - 1))
    broken = bytearray(pack)
    broken[position] ^= 1 << data.draw(st.integers(0, 7))
    (found,) = problems(bytes(broken))
    assert ": " in found


@settings(max_examples=60 * DEPTH, deadline=None)
@given(st.data())
def test_a_flipped_bit_in_an_entry_names_that_entry(pack, data):
    name, (start, end) = data.draw(st.sampled_from(sorted(find_places(pack).items())))
    position = data.draw(st.integers(start, end - 1))
    broken = bytearray(pack)
    broken[position] ^= 1 << data.draw(st.integers(0, 7))
    assert problems(bytes(broken)) == [f"{name}: its bytes are not those that were packed"]


def find_places(pack):
    """Where in the file the bytes of each entry are."""
    places, at = {}, 0
    for name, content in read_pack(pack).items():
        start = at + 30 + len(name)
        at = start + len(content)
        places[name] = (start, at)
    return places


def test_every_byte_of_every_header_and_of_the_directory_counts(pack):
    """All the bytes that are no entry's: there are few enough to try each."""
    small = write_pack(dict.fromkeys(("a", "b/c"), b"x"))
    for position in range(len(small)):
        for bit in range(8):
            broken = bytearray(small)
            broken[position] ^= 1 << bit
            with pytest.raises(PackError):
                read_pack(bytes(broken))


@settings(max_examples=60 * DEPTH, deadline=None)
@given(st.data())
def test_a_flipped_bit_of_a_record_names_the_record(pack, data):
    """The container and the manifest are made anew, as a forger would. What no event covers (where
    a message was delivered to) the signature of the manifest does.
    """
    entries = read_pack(pack)
    name = data.draw(st.sampled_from(sorted(set(entries) - {"manifest.json", "manifest.sig"})))
    content = bytearray(entries[name])
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    content[bit // 8] ^= 1 << bit % 8
    found = problems(change(pack, **{name: bytes(content)}))
    is_covered = "/events/" in name or "/proofs/" in name or name.startswith("digests/")
    assert any(name in one for one in found) or (UNSIGNED in found and not is_covered)


def records(pack, folder):
    return sorted(name for name in read_pack(pack) if name.startswith(folder))


@settings(max_examples=30 * DEPTH, deadline=None)
@given(st.data())
def test_a_removed_record_is_named(pack, folder, data):
    name = data.draw(st.sampled_from(records(pack, folder)))
    found = problems(change(pack, **{name: None}))
    assert found[0] != ""
    is_event = "/events/" in name
    is_last = is_event and name == [one for one in records(pack, folder) if "/events/" in one][-1]
    if is_last:
        assert any("head.json: the chain does not end as it says" in one for one in found)
    elif is_event:
        number = int(name[-13:-5])
        assert any(f"event {number} is missing before it" in one for one in found)
    elif "/proofs/" not in name:
        assert any(one.startswith(name) for one in found)


@settings(max_examples=30 * DEPTH, deadline=None)
@given(st.data())
def test_two_records_in_each_others_place_are_named(pack, folder, data):
    names = [one for one in records(pack, folder) if "/events/" in one or "/messages/" in one]
    first, second = data.draw(st.lists(st.sampled_from(names), min_size=2, max_size=2, unique=True))
    entries = read_pack(pack)
    found = problems(change(pack, **{first: entries[second], second: entries[first]}))
    assert any(one.startswith(first) for one in found)
    assert any(one.startswith(second) for one in found)


def test_an_added_event_is_named(pack, folder):
    names = [one for one in records(pack, folder) if "/events/" in one]
    added = f"{folder}events/{len(names) + 1:08}.json"
    last = json.loads(read_pack(pack)[names[-1]])
    last["sk"] = f"EVT#{len(names) + 1:08}"
    found = problems(change(pack, **{added: canonical_json(last)}))
    assert f"{added}: it does not follow the event before it" in found


def test_an_added_message_is_named(pack, folder):
    (name, *_) = [one for one in records(pack, folder) if "/messages/" in one]
    added = f"{folder}messages/forged.json"
    forged = {**json.loads(read_pack(pack)[name]), "message_id": "forged"}
    found = problems(change(pack, **{added: canonical_json(forged)}))
    assert f"{added}: no event of the case tells of it" in found


def test_what_only_the_signature_covers_is_covered_by_it(pack, folder):
    found = problems(edit(pack, f"{folder}head.json", lambda one: one.update(team="other")))
    assert UNSIGNED in found


def test_a_changed_text_is_named_as_not_what_was_committed_to(pack, folder):
    (name, *_) = [one for one in records(pack, folder) if "/messages/" in one]
    found = problems(edit(pack, name, lambda one: one.update(body="没有退款")))
    assert f"{name}: its content is not what its event committed to" in found


def test_a_changed_private_part_is_named(pack, folder):
    (name,) = [
        one
        for one in records(pack, folder)
        if "/events/" in one and json.loads(read_pack(pack)[one])["event"] == "address_linked"
    ]
    found = problems(edit(pack, name, lambda one: one["private"].update(address="phone:+1")))
    assert f"{name}: its private part is not what its event committed to" in found
    found = problems(edit(pack, name, lambda one: one.pop("private")))
    assert f"{name}: its private part is missing, and was not erased" in found


def test_a_chain_written_anew_is_not_the_one_that_was_signed(pack, folder):
    """Whoever owns the table can make a new chain that holds; the anchored digest tells."""
    from caseweave.domain.evidence import GENESIS, chain_digest, commit_to  # noqa: PLC0415

    entries = read_pack(pack)
    head = json.loads(entries[f"{folder}head.json"])
    names = [one for one in sorted(entries) if one.startswith(f"{folder}events/")]
    previous, changed = GENESIS, {}
    for number, name in enumerate(names, 1):
        event = json.loads(entries[name])
        if number == 2:
            event["actor"] = "customer:somebody-else"
        record = {
            "case_id": folder.split("/")[1],
            "seq": number,
            "at": event["at"],
            "actor": event["actor"],
            "kind": event["event"],
            "data": event["data"],
        }
        event["previous"], event["digest"] = previous, chain_digest(previous, record)
        previous = event["digest"]
        changed[name] = canonical_json(event)
    head["head"]["chain"] = previous
    changed[f"{folder}head.json"] = canonical_json(head)
    assert commit_to({}, "") == ""
    found = problems(change(pack, **changed))
    proofs = [one for one in sorted(entries) if "/proofs/" in one]
    assert [one for one in found if "was not there when the digest was signed" in one] == [
        f"{name}: the chain was not there when the digest was signed" for name in proofs
    ]


def test_another_statement_of_a_day_is_not_signed(pack):
    found = problems(edit(pack, "digests/2026-11-23.json", lambda one: one.update(root="0" * 64)))
    told = "its signature (digests/2026-11-23.sig) does not hold"
    assert f"digests/2026-11-23.json: {told}" in found
    assert any("it does not follow the digest of the day before" in one for one in found)


def test_another_key_is_told_by_its_name(pack):
    (name,) = [one for one in read_pack(pack) if one.startswith("keys/")]
    found = problems(change(pack, **{name: b"another key"}))
    assert f"{name}: it is not the key that its name says" in found


# ---------------------------------------------------------------- hostile files


def zipped(entries, method=ZIP_DEFLATED):
    made = BytesIO()
    with ZipFile(made, "w", method) as opened:
        for name, content in entries.items():
            opened.writestr(name, content)
    return made.getvalue()


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"PK",
        b"PK\x03\x04",
        b"not a zip",
        b"PK\x05\x06" + b"\0" * 18,
        zipped({"manifest.json": b"{}"}),
        zipped({"bomb": b"\0" * 5_000_000}),
        zipped({"../../etc/passwd": b"x"}, 0),
    ],
    ids=["nothing", "two bytes", "a header", "text", "an empty zip", "deflated", "bomb", "path"],
)
def test_what_is_no_pack_of_ours_is_refused_in_words(hostile):
    (problem,) = problems(hostile)
    assert problem


def test_a_repacked_pack_is_refused(pack):
    assert problems(zipped(read_pack(pack), 0))
    assert problems(pack + b"\0")
    assert problems(b"\0" + pack)


@pytest.mark.parametrize("name", ["/abs", "a//b", "../a", "a/../b", "a b", "", "é", "x" * 201])
def test_no_entry_has_a_name_that_leads_elsewhere(name):
    with pytest.raises(PackError):
        write_pack({name: b""})


def test_json_that_is_a_bomb_is_a_problem_and_no_crash():
    deep = b"[" * 200_000
    assert problems(write_pack({"manifest.json": deep, "a.json": b'{"a": 1}'})) == [
        "a.json: it is not JSON as we write it",
        "manifest.json: it is not JSON as we write it",
    ]


EMPTY = {"cases": [1], "entries": [], "format": "caseweave evidence pack 1", "key": ""}
ODD = [b"{}", b"[]", b"1", b'{"format":"caseweave evidence pack 1"}', canonical_json(EMPTY)]
NAMES = ["manifest.json", "manifest.sig", "summary.html", "digests/2026-11-23.json", "a"]


@settings(max_examples=60 * DEPTH, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(NAMES), st.binary(max_size=9) | st.sampled_from(ODD), min_size=1
    )
)
@example({"manifest.json": b"null"})
def test_no_bytes_at_all_crash_the_verifier(entries):
    assert problems(write_pack(entries))


# ---------------------------------------------------------------- who may, and what it leaves


def test_an_export_is_an_event_with_the_digest_of_the_file(lived):
    case_id, archive = lived
    told = export_evidence(case_id, LEAD, archive, LATER)
    (event,) = [e for e in cases.read_file(case_id).events if e.kind is EventKind.EVIDENCE_EXPORTED]
    assert event.data == {"sha256": told["sha256"], "size": told["size"]}
    assert str(event.actor) == "agent:lead@desk.example"
    key = f"exports/{case_id}/{told['sha256']}.zip"
    packed = boto3.client("s3").get_object(Bucket=FILES, Key=key)["Body"].read()
    assert problems(packed) == []
    assert told["url"].partition("?")[0].endswith(key)


def test_an_agent_may_not_and_nothing_is_left(lived, dump):
    case_id, archive = lived
    before = dump()
    with pytest.raises(ForbiddenError):
        export_evidence(case_id, replace(LEAD, roles=("agent",)), archive, LATER)
    assert dump() == before


def test_after_an_erasure_the_pack_still_holds_and_says_so(lived):
    case_id, archive = lived
    erase(case_id)
    packed = make_pack(case_id, archive)
    verdict = verify_pack(packed, verify_rsa)
    assert verdict.problems == ()
    assert any("personal contents were erased" in note for note in verdict.notes)
    assert any("in the signed digest of 2026-11-24" in note for note in verdict.notes)
    for told in ("13800138000", "alert", "我要退款", ORDER):
        assert told.encode() not in packed


def test_a_pack_in_the_middle_of_an_erasure_holds_too(lived):
    case_id, archive = lived
    close_for_erasing(case_id, Deletion("D1", Cause.ERASURE, NOON + 3 * DAY))
    verdict = verify_pack(make_pack(case_id, archive), verify_rsa)
    assert verdict.problems == ()


def erase(case_id):
    deletion = Deletion("D1", Cause.ERASURE, NOON + 3 * DAY)
    close_for_erasing(case_id, deletion)
    shred_case(case_id, deletion)
    end_locked(f"cases/{case_id}/")


def end_locked(prefix):
    s3 = boto3.client("s3")
    for version in s3.list_object_versions(Bucket=EVIDENCE, Prefix=prefix)["Versions"]:
        s3.delete_object(
            Bucket=EVIDENCE,
            Key=version["Key"],
            VersionId=version["VersionId"],
            BypassGovernanceRetention=True,
        )


def test_a_file_that_is_gone_is_told_as_missing(lived):
    case_id, archive = lived
    end_locked(f"cases/{case_id}/attachments/")
    boto3.client("s3").delete_object(Bucket=FILES, Key=attachment_key(DIGEST))
    verdict = verify_pack(make_pack(case_id, archive), verify_rsa)
    assert verdict.problems == ()
    assert any(f"file {DIGEST} is no longer to be had" in note for note in verdict.notes)


# ---------------------------------------------------------------- cases taken apart and together


def test_a_pack_of_a_merged_case_holds_those_it_took_in(table, door, desk):
    make_buckets()
    archive = Archive(FILES, EVIDENCE, make_notary())
    case = open_case(door, desk)
    other = split_off(case, desk, Time()())
    merge_into(other, case, desk, Time()(5))
    packed = make_pack(case.id, archive)
    verdict = verify_pack(packed, verify_rsa)
    assert verdict.problems == ()
    folders = {name.split("/")[1] for name in read_pack(packed) if name.startswith("cases/")}
    assert folders == {case.id, other.id}


def test_packs_of_both_cases_hold_after_messages_moved(table, door, desk):
    make_buckets()
    archive = Archive(FILES, EVIDENCE, make_notary())
    case = open_case(door, desk)
    (landed,) = write_more(case, door)
    other = move(case, [landed], desk, Time()(5))
    for one in (case, other):
        assert problems(make_pack(one.id, archive)) == []
    packed = make_pack(other.id, archive)
    name = f"cases/{other.id}/messages/{landed.message_id}.json"
    found = problems(edit(packed, name, lambda one: one.update(body="something else")))
    assert f"{name}: its content is not what its event committed to" in found
    assert f"{name}: it was removed" in problems(change(packed, **{name: None}))


# ---------------------------------------------------------------- the format


def test_a_pack_of_the_first_format_verifies_for_ever():
    """Made when the format was; if this fails, what people kept in their safes fails too."""
    golden = (ROOT / "tests" / "usecases" / "golden-pack.zip").read_bytes()
    verdict = verify_pack(golden, verify_rsa)
    assert verdict.problems == ()
    assert verdict.key == "7e7f35de230953be0c2017b4f6d248fe8cadddc797d8d67b9cbf2b2444599739"
    assert (
        sha256(read_pack(golden)["manifest.json"]).hexdigest()
        == "4c1603a6a9cf04026d07df9eee66df343e008ef94743461bb13d5feb202af659"
    )
