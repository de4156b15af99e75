"""Evidence of disputes: wanted by the router, taken once, in the chain, locked."""

from contextlib import suppress
from datetime import timedelta
from hashlib import sha256

import boto3
import pytest
from botocore.exceptions import ClientError

from caseweave.aws.mailbox import attachment_key
from caseweave.domain.event import EventKind
from caseweave.domain.evidence import find_broken_link
from caseweave.domain.message import Attachment
from caseweave.evidence_keeping import NotTakenYetError, Vault, keep_evidence, pause_after
from caseweave.platform.answer import Answer, State, Trouble, not_configured, unavailable
from caseweave.platform.records import Snapshot
from caseweave.relay import relay_record
from caseweave.router import route_case
from caseweave.storage import cases
from tests.domain.samples import link, told
from tests.usecases.evidence_world import EVIDENCE, FILES, crash_at_aws_call, make_buckets
from tests.usecases.world import NOON, CrashError, crash_at_call, receive, sms

PHONE = "+8613800138000"
PHOTO = b"a screenshot"
DIGEST = sha256(PHOTO).hexdigest()
ORDER = "TP20261123001"
TAKEN = NOON + timedelta(minutes=1)


class Platform:
    """What the platform answers, and how often it was asked about which order."""

    def __init__(self, answers=None):
        self.answers, self.asked = answers or {}, []

    def __call__(self, order_no):
        self.asked.append(order_no)
        body = f'{{"order": {{"order_no": "{order_no}"}}}}'.encode()
        known = Answer(State.OK, Snapshot(order_no, body, TAKEN), TAKEN)
        return self.answers.get(order_no, known)


@pytest.fixture
def buckets(table):
    make_buckets()
    boto3.client("s3").put_object(Bucket=FILES, Key=attachment_key(DIGEST), Body=PHOTO)


def dispute(door, desk, body=f"我要退款 {ORDER}", event="SM1", at=NOON, **more):
    landed = receive(sms(PHONE, body, event, **more), door, at)
    (message,) = [m for m in cases.read_file(landed.case_id).messages if m.id == landed.message_id]
    key = f"MSG#{message.occurred_at.isoformat(timespec='milliseconds')[:23]}Z#{message.id}"
    route_case(landed.case_id, key, desk, "", door.signing_keys, at)
    return landed.case_id, key


def keep(case_id, platform=None):
    vault = Vault(FILES, EVIDENCE, platform or Platform())
    return keep_evidence(case_id, vault, lambda: NOON + timedelta(minutes=2))


def events(case_id, *kinds):
    return [e for e in cases.read_file(case_id).events if e.kind in kinds]


def objects(bucket=EVIDENCE):
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [one["Key"] for page in pages for one in page.get("Contents", ())]


def test_a_dispute_wants_a_snapshot_of_the_order_it_names(buckets, door, desk):
    case_id, _ = dispute(door, desk)
    (wanted,) = events(case_id, EventKind.EVIDENCE_WANTED)
    assert told(wanted) == {"orders": [ORDER]}
    assert wanted.data["orders"] == 1
    assert ORDER not in str(wanted.data)


def test_the_platforms_word_is_locked_and_chained_with_its_digest(buckets, door, desk):
    case_id, _ = dispute(door, desk)
    platform = Platform()

    assert keep(case_id, platform) == 1

    body = f'{{"order": {{"order_no": "{ORDER}"}}}}'.encode()
    digest = sha256(body).hexdigest()
    (taken,) = events(case_id, EventKind.SNAPSHOT_TAKEN)
    assert taken.private == {"order_no": ORDER, "digest": digest, "size": len(body)}
    assert (taken.at, set(taken.data)) == (TAKEN, {"private_digest"})
    place = f"cases/{case_id}/snapshots/{digest}"
    assert objects() == [place]
    s3 = boto3.client("s3")
    assert s3.get_object(Bucket=EVIDENCE, Key=place)["Body"].read() == body
    assert find_broken_link(map(link, cases.read_file(case_id).events)) is None


def test_it_is_taken_once_for_a_case_and_order(buckets, door, desk):
    case_id, key = dispute(door, desk)
    platform = Platform()
    keep(case_id, platform)
    before = cases.read_file(case_id)

    route_case(case_id, key, desk, "", door.signing_keys, NOON)
    assert keep(case_id, platform) == 0
    again, _ = dispute(door, desk, f"退款! {ORDER}", "SM2", NOON + timedelta(minutes=5))
    keep(again, platform)

    assert again == case_id
    assert platform.asked == [ORDER]
    assert len(events(case_id, EventKind.EVIDENCE_WANTED, EventKind.SNAPSHOT_TAKEN)) == 2
    assert before.case.evidence == cases.read_head(case_id).evidence


def test_an_order_that_is_named_later_is_asked_for_too(buckets, door, desk):
    case_id, _ = dispute(door, desk)
    platform = Platform()
    keep(case_id, platform)
    dispute(door, desk, "还有 TP20261123002", "SM2", NOON + timedelta(minutes=5))
    keep(case_id, platform)
    assert platform.asked == [ORDER, "TP20261123002"]
    assert len(events(case_id, EventKind.SNAPSHOT_TAKEN)) == 2


def test_what_is_no_dispute_wants_nothing(buckets, door, desk):
    case_id, _ = dispute(door, desk, f"充值没到账 {ORDER}")
    platform = Platform()
    assert cases.read_head(case_id).evidence is None
    assert (keep(case_id, platform), platform.asked) == (0, [])


def test_a_message_with_a_list_of_orders_asks_for_twenty(buckets, door, desk):
    orders = [f"TP2026112300{n:02}" for n in range(40)]
    case_id, _ = dispute(door, desk, "退款 " + " ".join(orders))
    dispute(door, desk, "and TP20261123999", "SM2", NOON + timedelta(minutes=5))
    platform = Platform()
    keep(case_id, platform)
    assert platform.asked == orders[:20]


def test_while_the_platform_is_down_the_case_says_so_and_it_is_tried_again(buckets, door, desk):
    case_id, _ = dispute(door, desk)
    down = Platform({ORDER: unavailable(Trouble.TIMEOUT, "it took 3 s", NOON)})
    for _ in range(3):
        with pytest.raises(NotTakenYetError):
            keep(case_id, down)
    (delayed,) = events(case_id, EventKind.SNAPSHOT_DELAYED)
    assert told(delayed) == {"trouble": "timeout", "order_no": ORDER, "detail": "it took 3 s"}

    keep(case_id)

    assert len(events(case_id, EventKind.SNAPSHOT_TAKEN)) == 1


def test_one_order_that_has_to_wait_does_not_hold_up_another(buckets, door, desk):
    case_id, _ = dispute(door, desk, f"退款 {ORDER} TP20261123002")
    down = Platform({ORDER: unavailable(Trouble.FAILED, "500", NOON)})
    with pytest.raises(NotTakenYetError):
        keep(case_id, down)
    (taken,) = events(case_id, EventKind.SNAPSHOT_TAKEN)
    assert taken.private["order_no"] == "TP20261123002"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(State.OK, None, NOON), "unknown_order"),
        (not_configured(Trouble.NO_ADDRESS, "PlatformUrl is empty"), "not_configured"),
    ],
)
def test_an_order_that_cannot_be_had_is_said_to_be_so_once(buckets, door, desk, answer, reason):
    case_id, _ = dispute(door, desk)
    platform = Platform({ORDER: answer})
    keep(case_id, platform)
    keep(case_id, platform)
    (lack,) = events(case_id, EventKind.SNAPSHOT_UNAVAILABLE)
    assert told(lack) == {"reason": reason, "order_no": ORDER}
    assert platform.asked == [ORDER]


def test_the_files_of_a_dispute_are_locked_and_others_are_not(buckets, door, desk):
    photo = Attachment("a.png", "image/png", len(PHOTO), DIGEST, "stored")
    case_id, _ = dispute(door, desk, "退款", attachments=(photo,))

    assert keep(case_id) == 1
    assert keep(case_id) == 0

    (locked,) = events(case_id, EventKind.ATTACHMENTS_LOCKED)
    assert told(locked) == {"count": 1, "digests": [DIGEST]}
    place = f"cases/{case_id}/attachments/{DIGEST}"
    assert objects() == [place]
    s3 = boto3.client("s3")
    (version,) = s3.list_object_versions(Bucket=EVIDENCE)["Versions"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=EVIDENCE, Key=place, VersionId=version["VersionId"])
    s3.delete_object(
        Bucket=EVIDENCE,
        Key=place,
        VersionId=version["VersionId"],
        BypassGovernanceRetention=True,
    )
    assert objects() == []


def test_a_file_that_comes_later_into_a_dispute_calls_for_evidence(buckets, door, desk, dump):
    case_id, _ = dispute(door, desk, "退款")
    photo = Attachment("a.png", "image/png", len(PHOTO), DIGEST, "stored")
    before = dump()
    dispute(door, desk, "证据", "SM2", NOON + timedelta(minutes=5), attachments=(photo,))
    queued = []
    for image in dump():
        if image["kind"]["S"] == "event" and image not in before:
            relay_record(image, None, None, lambda *_: None, None, queued.append, None)
    assert queued == [case_id]


def test_the_relay_asks_for_evidence_of_a_dispute_alone(buckets, door, desk, dump):
    dispute(door, desk, f"充值没到账 {ORDER}")
    queued = []
    for image in dump():
        if image["kind"]["S"] == "event":
            relay_record(image, None, None, lambda *_: None, None, queued.append, None)
    assert queued == []


def test_a_case_that_was_erased_gets_no_evidence(buckets, door, desk):
    case_id, _ = dispute(door, desk)
    erase_seal(case_id)
    platform = Platform()
    assert (keep(case_id, platform), platform.asked) == (0, [])


def erase_seal(case_id):
    from caseweave.storage.table import CaseRow, case_key  # noqa: PLC0415 - this test alone

    row = CaseRow.get(*case_key(case_id))
    row.update(actions=[CaseRow.head.set({**row.head, "seal": ""})])


def test_a_queue_entry_of_no_case_is_done_with(buckets):
    assert keep("nothing") == 0


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("crash", [crash_at_call, crash_at_aws_call], ids=["store", "AWS"])
def test_dying_at_any_call_leaves_one_snapshot_and_one_lock(buckets, door, desk, crash, after):
    photo = Attachment("a.png", "image/png", len(PHOTO), DIGEST, "stored")
    number, is_whole = 1, False
    while not is_whole:
        event, at = f"SM-{number}", NOON + timedelta(days=number)
        phone = f"+86139001390{number:02}"
        landed = receive(sms(phone, f"退款 {ORDER}", event, attachments=(photo,)), door, at)
        case_id = landed.case_id
        message = cases.read_file(case_id).messages[0]
        stamp = message.occurred_at.isoformat(timespec="milliseconds")[:23]
        key = f"MSG#{stamp}Z#{message.id}"
        route_case(case_id, key, desk, "", door.signing_keys, at)
        with crash(number, after=after) as calls:
            with suppress(CrashError):
                keep(case_id)
            is_whole = len(calls) < number
        keep(case_id)
        assert len(events(case_id, EventKind.SNAPSHOT_TAKEN)) == 1
        assert len(events(case_id, EventKind.ATTACHMENTS_LOCKED)) == 1
        assert len([key for key in objects() if case_id in key]) == 2
        number += 1
    assert number > 5


def test_pauses_grow_to_hours():
    pauses = [pause_after(tries) for tries in (1, 2, 7, 30)]
    assert pauses[0] < pauses[1] < pauses[2] == pauses[3] == timedelta(hours=4)
