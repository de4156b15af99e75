"""What is quarantined and lies in a bucket stays there until a replay understands it."""

import boto3
import pytest

from caseweave.agents.caller import Caller
from caseweave.agents.quarantine import list_quarantine
from caseweave.channels import connect, postmark, ses
from caseweave.channels.mail_registry import MAIL
from caseweave.connect_intake import receive_transcript
from caseweave.errors import UnavailableError, UnparseableError
from caseweave.hosted_mail_intake import receive_hosted_mail
from caseweave.http import LONGEST_BODY
from caseweave.mail_intake import receive_mail
from caseweave.rebuild import Rebuilder
from caseweave.replay import Outcome, Replayer
from caseweave.storage import ledger
from caseweave.storage.ledger_pages import LedgerFilter, list_all
from caseweave.storage.table import use_table
from tests.channels import test_postmark
from tests.usecases.doors import ACCOUNTS, KEPT
from tests.usecases.test_rebuild import dump_table
from tests.usecases.world import NOON, YEAR, crash_at_call

FILES, MAILS = "files", "mails"
KEY = "inbound/0a1b"
MAIL_COPY = f"s3://{FILES}/quarantined/{MAILS}/{KEY}"
NAMELESS = b"From: Lin <lin@example.com>\r\nSubject: x\r\n\r\nwhere is it?\r\n"
LEAD = Caller("ling", ("lead",))
PARSE = ses.parse
DSN = b"""\
From: MAILER-DAEMON@mx.example.com
Message-ID: <dsn@mx.example.com>
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; lin@example.com
Action: failed
Status: 5.1.1

--b--
"""


@pytest.fixture
def s3(table):
    client = boto3.client("s3")
    for bucket in (FILES, MAILS):
        client.create_bucket(Bucket=bucket)
    return client


@pytest.fixture
def not_understood(monkeypatch):
    """An earlier parser, until it is undone."""

    def refuse(*_):
        raise UnparseableError("not understood")

    monkeypatch.setattr(ses, "parse", refuse)
    monkeypatch.setattr(postmark, "parse_mail", refuse)
    monkeypatch.setattr(connect, "parse_transcript", refuse)
    return monkeypatch


def keys(s3, bucket=FILES, prefix="quarantined/"):
    return [one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", ())
            if one["Key"].startswith(prefix)]  # fmt: skip


def read(s3, bucket, key):
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def expire(s3, ref):
    """As the lifecycle rules do."""
    bucket, _, key = ref.removeprefix("s3://").partition("/")
    s3.delete_object(Bucket=bucket, Key=key)


def shown():
    return [one["body_ref"] for one in list_quarantine(LEAD)["items"]]


def take(s3, door, content=NAMELESS):
    s3.put_object(Bucket=MAILS, Key=KEY, Body=content)
    return receive_mail(MAILS, KEY, FILES, lambda: door, YEAR, NOON)


def replay(door):
    return Replayer(FILES, ACCOUNTS.__getitem__, door, YEAR).replay_quarantined(10)


def messages(dump):
    return [item["body"]["S"] for item in dump() if item["kind"]["S"] == "message"]


def test_a_mail_that_nobody_understood_outlives_the_mail_bucket(s3, door, dump, not_understood):
    assert take(s3, door) == 1
    assert shown() == [MAIL_COPY]

    expire(s3, f"s3://{MAILS}/{KEY}")

    assert [one.outcome for one in replay(door)] == [Outcome.NOT_UNDERSTOOD]
    assert read(s3, FILES, f"quarantined/{MAILS}/{KEY}") == NAMELESS
    not_understood.undo()
    assert [one.outcome for one in replay(door)] == [Outcome.TAKEN_IN]
    assert messages(dump) == ["where is it?\n"]
    assert (shown(), keys(s3)) == ([], [])


def test_a_large_mail_of_a_hosted_provider_outlives_its_raw_body(s3, door, dump, not_understood):
    not_understood.setattr(postmark, "verify", lambda *_: None)
    request = test_postmark.request(Attachments=[], TextBody="还没到账", Padding="x" * LONGEST_BODY)
    answer = receive_hosted_mail(
        "postmark", MAIL, request, FILES, ACCOUNTS.__getitem__, lambda: door, YEAR, NOON
    )
    assert answer.status == 200
    (original,) = keys(s3, prefix="raw/")
    assert shown() == [f"s3://{FILES}/quarantined/{FILES}/{original}"]

    expire(s3, f"s3://{FILES}/{original}")

    not_understood.undo()
    assert [one.outcome for one in replay(door)] == [Outcome.TAKEN_IN]
    assert messages(dump) == ["还没到账"]
    assert (shown(), keys(s3)) == ([], [])


def test_a_transcript_outlives_the_rules_of_connects_bucket(s3, door, not_understood):
    s3.create_bucket(Bucket="connect")
    s3.put_object(Bucket="connect", Key=KEPT, Body=b"{}")

    assert receive_transcript("connect", KEPT, FILES, lambda: door, YEAR, NOON) is False

    assert shown() == [f"s3://{FILES}/quarantined/connect/{KEPT}"]
    assert read(s3, FILES, f"quarantined/connect/{KEPT}") == b"{}"


def test_a_bounce_of_nothing_of_ours_outlives_the_mail_bucket(s3, door):
    take(s3, door, DSN)
    expire(s3, f"s3://{MAILS}/{KEY}")

    (done,) = replay(door)

    assert (done.outcome, done.is_understood) == (Outcome.NOT_UNDERSTOOD, False)
    assert done.reason == "This report on a mail proves to be about none of ours."
    assert shown() == [MAIL_COPY]
    assert read(s3, FILES, f"quarantined/{MAILS}/{KEY}") == DSN


def test_what_turns_out_to_be_a_bounce_of_nothing_keeps_its_copy(s3, door, not_understood):
    take(s3, door, DSN)
    not_understood.undo()

    assert [one.outcome for one in replay(door)] == [Outcome.NOT_UNDERSTOOD]

    assert shown() == [MAIL_COPY]
    assert read(s3, FILES, f"quarantined/{MAILS}/{KEY}") == DSN


def test_a_mail_without_an_id_is_known_by_the_same_on_replay(s3, door, not_understood):
    take(s3, door)
    not_understood.undo()
    (event,), _ = ses.parse(NAMELESS, "0a1b")
    assert receive_mail(MAILS, KEY, FILES, lambda: door, YEAR, NOON) == 1

    assert [one.outcome for one in replay(door)] == [Outcome.KNOWN]

    lines = {line.name.event_id: line for line in list_all(LedgerFilter())}
    assert event.event_id == "0a1b"
    assert lines.keys() - {"0a1b"} == {name for name in lines if name.startswith("sha256:")}
    entries = ledger.read_entries([line.name for line in lines.values()])
    assert {entry.object_ref for entry in entries.values()} == {f"s3://{MAILS}/{KEY}"}


def test_a_redelivery_adds_nothing_not_even_after_the_release(
    s3, door, dump, not_understood, monkeypatch
):
    assert take(s3, door) == 1
    before = dump()
    assert take(s3, door) == 0
    assert dump() == before

    with monkeypatch.context() as fixed:
        fixed.setattr(ses, "parse", PARSE)
        assert [one.outcome for one in replay(door)] == [Outcome.TAKEN_IN]

    assert take(s3, door) == 0
    assert keys(s3) == []


def test_what_is_understood_at_once_is_copied_nowhere(s3, door):
    assert take(s3, door) == 1

    assert keys(s3) == []


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("died", [1, 2])
def test_dying_on_the_way_in_costs_nothing(s3, door, not_understood, died, after):
    with crash_at_call(died, after=after), pytest.raises(UnavailableError):
        take(s3, door)

    take(s3, door)

    assert shown() == [MAIL_COPY]
    assert keys(s3) == [f"quarantined/{MAILS}/{KEY}"]


def test_a_copy_that_could_not_be_ended_is_ended_by_the_next_replay(s3, door, not_understood):
    take(s3, door)
    not_understood.undo()
    (held,) = ledger.list_quarantined(10)

    def fail(ref):
        raise UnavailableError("S3 is away")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("caseweave.quarantine.end_held", fail)
        assert [one.outcome for one in replay(door)] == [Outcome.FAILED]
    assert len(keys(s3)) == 1

    (done,) = Replayer(FILES, ACCOUNTS.__getitem__, door, YEAR).replay_named([held.name])

    assert done.outcome is Outcome.KNOWN
    assert keys(s3) == []


def test_without_the_copy_there_is_no_record_and_the_mail_comes_again(s3, door, not_understood):
    s3.put_object(Bucket=MAILS, Key=KEY, Body=NAMELESS)

    with pytest.raises(UnavailableError, match="cannot be copied"):
        receive_mail(MAILS, KEY, "no-such-bucket", lambda: door, YEAR, NOON)

    assert shown() == []


@pytest.mark.parametrize("content", [NAMELESS, DSN])
def test_a_rebuilt_table_names_the_same_copy(s3, table, make_empty, door, not_understood, content):
    if content is DSN:
        not_understood.undo()
    take(s3, door, content)
    expire(s3, f"s3://{MAILS}/{KEY}")
    target, deviations = make_empty(), []
    replayer = Replayer(FILES, ACCOUNTS.__getitem__, door, YEAR)

    Rebuilder(table, target, replayer).rebuild(LedgerFilter(), deviations.append)

    assert deviations == []
    assert dump_table(target) == dump_table(table)
    use_table(target)
    assert shown() == [MAIL_COPY]
