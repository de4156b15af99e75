"""The digest schedule: what it signs, that it costs what changed, and that no day is left out."""

import json
from base64 import b64decode
from contextlib import suppress
from datetime import date, timedelta
from hashlib import sha256
from itertools import count

import boto3
import pytest
from botocore.exceptions import ClientError
from Crypto.Hash import SHA256
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15

from caseweave.aws.anchors import list_anchored, read_anchored
from caseweave.daily_digests import MOST_DAYS, anchor_days
from caseweave.domain.digests import DailyDigest, Leaf
from caseweave.domain.event import Owner, OwnerKind
from caseweave.domain.merkle import follow_proof, merkle_root
from caseweave.storage import cases
from caseweave.storage.changed import list_changed
from caseweave.storage.customers import read_customer_of
from tests.usecases.evidence_world import ANCHORS, crash_at_aws_call, make_buckets, make_notary
from tests.usecases.world import NOON, CrashError, crash_at_call, receive, sms

DAY = timedelta(days=1)
TODAY = NOON.date()


@pytest.fixture
def notary(table):
    make_buckets()
    return make_notary()


def write(door, number, at, body="还没到账"):
    """A text of customer *number* at that time; the case it is in."""
    event = f"SM-{number}-{at.isoformat()}"
    return receive(sms(f"+86138001380{number:02}", body, event), door, at).case_id


def leaf_of(case_id):
    case = cases.read_head(case_id)
    return Leaf("case", case_id, case.seq, case.chain)


def read(day):
    return DailyDigest.decode(read_anchored(ANCHORS, day))


def of_cases(leaves):
    """Without those of the customers, whose chains change with their first message."""
    return [leaf for leaf in leaves if leaf.kind == "case"]


def test_a_day_is_signed_with_the_ends_of_the_chains_that_changed(notary, door):
    first, second = write(door, 1, NOON), write(door, 2, NOON)
    ends = sorted([leaf_of(first), leaf_of(second)])

    assert anchor_days(notary, NOON + DAY) == [TODAY]

    digest = read(TODAY)
    assert of_cases(digest.leaves) == ends
    assert json.loads(digest.statement) == {
        "day": "2026-11-23",
        "count": 4,
        "key": sha256(digest.key).hexdigest(),
        "root": merkle_root([leaf.encode() for leaf in digest.leaves]).hex(),
        "previous": "0" * 64,
        "previous_day": None,
    }
    signed = SHA256.new(b"caseweave daily digest v1\n" + digest.statement)
    pkcs1_15.new(RSA.import_key(digest.key)).verify(signed, digest.signature)


def test_each_case_is_proved_by_the_days_root(notary, door):
    found = [write(door, number, NOON) for number in range(5)]
    anchor_days(notary, NOON + DAY)
    digest = read(TODAY)
    root = bytes.fromhex(json.loads(digest.statement)["root"])
    for case_id in found:
        told = digest.prove(Owner(OwnerKind.CASE, case_id))
        proof = [bytes.fromhex(one) for one in told["proof"]]
        record = leaf_of(case_id).encode()
        assert follow_proof(record, told["position"], told["count"], proof) == root
    assert digest.prove(Owner(OwnerKind.CASE, "another")) is None


def test_customers_have_leaves_of_their_own(notary, door):
    case_id = write(door, 1, NOON)
    anchor_days(notary, NOON + DAY)
    customer = read_customer_of(cases.read_head(case_id).customer_id)
    assert Leaf("customer", customer.id, customer.seq, customer.chain) in read(TODAY).leaves
    assert customer.seq == 1


def test_a_digest_tells_of_what_changed_since_the_last_and_follows_it(notary, door):
    write(door, 1, NOON)
    anchor_days(notary, NOON + DAY)
    changed = write(door, 2, NOON + DAY)

    assert anchor_days(notary, NOON + 2 * DAY) == [TODAY + DAY]

    first, second = read(TODAY), read(TODAY + DAY)
    assert of_cases(second.leaves) == [leaf_of(changed)]
    said = json.loads(second.statement)
    assert said["previous"] == sha256(first.statement).hexdigest()
    assert said["previous_day"] == "2026-11-23"


def test_missing_days_are_made_up_for_also_those_on_which_nothing_happened(notary, door):
    write(door, 1, NOON)
    anchor_days(notary, NOON + DAY)
    late = write(door, 2, NOON + 3 * DAY)

    made = anchor_days(notary, NOON + 6 * DAY)

    assert made == [TODAY + n * DAY for n in range(1, 6)]
    days = [read(TODAY + n * DAY) for n in range(6)]
    assert [len(of_cases(one.leaves)) for one in days] == [1, 0, 0, 1, 0, 0]
    assert of_cases(days[3].leaves) == [leaf_of(late)]
    previous = [json.loads(one.statement)["previous"] for one in days[1:]]
    assert previous == [one.digest for one in days[:-1]]


def test_a_long_gap_is_made_up_for_in_several_runs(notary, door):
    write(door, 1, NOON)
    anchor_days(notary, NOON + DAY)
    later = NOON + (MOST_DAYS + 5) * DAY
    assert len(anchor_days(notary, later)) == MOST_DAYS
    assert len(anchor_days(notary, later)) == 4
    assert anchor_days(notary, later) == []


def test_a_case_that_changed_again_before_its_day_was_signed_is_told_of_on_the_next(notary, door):
    case_id = write(door, 1, NOON)
    assert write(door, 1, NOON + DAY) == case_id
    anchor_days(notary, NOON + DAY)
    assert of_cases(read(TODAY).leaves) == []
    anchor_days(notary, NOON + 2 * DAY)
    assert of_cases(read(TODAY + DAY).leaves) == [leaf_of(case_id)]


def test_what_was_written_after_its_day_was_signed_is_in_the_next_digest(notary, door):
    early = write(door, 1, NOON)
    anchor_days(notary, NOON + DAY)
    late = write(door, 2, NOON + timedelta(hours=11))

    anchor_days(notary, NOON + 2 * DAY)

    assert of_cases(read(TODAY).leaves) == [leaf_of(early)]
    assert of_cases(read(TODAY + DAY).leaves) == [leaf_of(late)]


def test_a_day_is_signed_once_and_twice_at_once_changes_nothing(notary, door):
    write(door, 1, NOON)
    anchor_days(notary, NOON + DAY)
    before = read_anchored(ANCHORS, TODAY)
    assert anchor_days(notary, NOON + DAY) == []
    assert read_anchored(ANCHORS, TODAY) == before


def test_a_digest_cannot_be_deleted(notary, door):
    write(door, 1, NOON)
    anchor_days(notary, NOON + DAY)
    s3 = boto3.client("s3")
    (version,) = s3.list_object_versions(Bucket=ANCHORS)["Versions"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=ANCHORS, Key=version["Key"], VersionId=version["VersionId"])


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("crash", [crash_at_call, crash_at_aws_call], ids=["store", "AWS"])
def test_a_run_that_dies_at_any_call_leaves_whole_days_and_the_next_makes_up_for_it(
    notary, door, crash, after
):
    """One day for each call of a run, until a run has no such call."""
    anchor_days(notary, NOON)
    for number in count(1):
        today = NOON + number * DAY
        end = leaf_of(write(door, number, today))
        with crash(number, after=after) as calls, suppress(CrashError):
            anchor_days(notary, today + DAY)
        anchor_days(notary, today + DAY)
        days = list(list_anchored(ANCHORS, TODAY - 9 * DAY))
        assert days == [TODAY + n * DAY for n in range(-1, number + 1)][: len(days)]
        assert days[-1] == today.date()
        assert of_cases(read(days[-1]).leaves) == [end]
        if len(calls) < number:
            break
    assert number > 5


def test_the_first_digest_is_of_yesterday(notary, door):
    assert anchor_days(notary, NOON) == [date(2026, 11, 22)]


def test_it_reads_what_changed_however_many_cases_there_are(notary, door):
    for number in range(8):
        write(door, number, NOON)
    changed = write(door, 9, NOON + DAY)
    with crash_at_call(0, after=True) as calls:
        assert of_cases(list_changed(TODAY + DAY)) == [leaf_of(changed)]
    # One query a shard and one read of the heads; then this test's own.
    assert calls == ["Query"] * 4 + ["BatchGetItem", "GetItem"]


def test_a_statement_is_signed_as_it_lies_there(notary, door):
    write(door, 1, NOON)
    anchor_days(notary, NOON + DAY)
    said = json.loads(read_anchored(ANCHORS, TODAY))
    assert set(said) == {"statement", "signature", "key", "leaves"}
    assert len(b64decode(said["signature"])) == 384
