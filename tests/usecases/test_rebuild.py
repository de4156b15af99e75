"""Rebuilding into an empty table: the same cases, customers and messages, between the same ends."""

from datetime import timedelta
from hashlib import sha256
from itertools import count

import boto3
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from caseweave.aws.mailbox import attachment_key
from caseweave.cli.outside.customers import write_mail
from caseweave.config.desk import load_desk
from caseweave.domain.case import CaseState
from caseweave.domain.clocks import stop_clock
from caseweave.domain.event import Actor, begin_change
from caseweave.domain.state_change import change_state
from caseweave.domain.tokens import issue_link_token, issue_reply_token
from caseweave.errors import InvalidRequestError
from caseweave.intake import Landed
from caseweave.mail_intake import receive_mail
from caseweave.parts import sweep_parts
from caseweave.rebuild import Rebuilder
from caseweave.replay import Replayer
from caseweave.storage.cases import commit_change, read_file, read_head
from caseweave.storage.ledger import LedgerName
from caseweave.storage.ledger_pages import LedgerFilter, list_all
from caseweave.storage.table import use_table
from tests.depth import DEPTH
from tests.usecases.conftest import KEYS, ROOT
from tests.usecases.test_replay import SMS, STEPS, USERS, as_request, deliver, take
from tests.usecases.test_router import route
from tests.usecases.test_web_intake import BUCKET, desk, submit  # noqa: F401 - a fixture
from tests.usecases.world import NOON, YEAR

_numbers = count(500)
MAILS = "mails"
VERDICTS = ["pass", "none", "fail"]
# Telegram's users who open links are others than those of the webhooks.
LINKS = 400_000
# What intake writes. Not: what the desk's own work leaves, and what counts or locks for a while.
COMPARED = (
    "address",
    "case",
    "customer",
    "event",
    "ledger",
    "link",
    "mail_id",
    "message",
    "open_cases",
    "pointer",
    "used_token",
)


def dump_table(name):
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=name)
    items = [item for page in pages for item in page["Items"]]
    kept = [item for item in items if item["kind"]["S"] in COMPARED]
    return sorted(kept, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def close_all(at):
    """As an agent closes what is open."""
    for case_id in {line.case_id for line in list_all(LedgerFilter()) if line.case_id}:
        case = read_head(case_id)
        if case.is_active:
            change = begin_change(case)
            agent = Actor("agent", "a")
            clocks = tuple(stop_clock(clock, at) for clock in case.clocks)
            commit_change(change_state(change, CaseState.CLOSED, "done", agent, at, clocks))


def rebuild(source, target, door, wanted=None):
    deviations = []
    replayer = Replayer(BUCKET, SMS.__getitem__, door, YEAR)
    wanted = wanted or LedgerFilter()
    try:
        Rebuilder(source, target, replayer).rebuild(wanted, deviations.append)
    finally:
        use_table(source)
    return deviations


def ids_of(name):
    """The ids of the cases, or of their customers, as far as there are any."""
    found = {line.case_id for line in list_all(LedgerFilter()) if line.case_id}
    return sorted(read_head(one).customer_id if name == "customer" else one for one in found)


class Mailbox:
    """Mails with a file, as SES leaves them in a bucket of ours."""

    def __init__(self):
        boto3.client("s3").create_bucket(Bucket=MAILS)

    def deliver(self, key, mail, verdict, door, at):
        said = f"Authentication-Results: amazonses.com; dmarc={verdict} header.from=example.com"
        content = f"{said}\r\n".encode() + bytes(mail)
        boto3.client("s3").put_object(Bucket=MAILS, Key=key, Body=content)
        receive_mail(MAILS, key, BUCKET, lambda: door, YEAR, at)


def write_letter(who, key, to="support@desk.example"):
    mail = write_mail(f"{who}@example.com", "充值", f"letter {key}", to)
    mail.replace_header("Message-ID", f"<{key}@example.com>")
    mail.replace_header("Date", "Mon, 23 Nov 2026 12:00:00 +0000")
    mail.add_attachment(key.encode(), maintype="image", subtype="png", filename="shot.png")
    return mail


def live_chapter(chapter, number, page, mailbox, at):
    """One thing that happens on the *number*-th time, besides what webhooks bring."""
    kind, *said = chapter
    door, key = page.door, f"object-{number}"
    if kind == "close":
        close_all(at)
    elif kind == "sweep":
        sweep_parts(door, YEAR, at)
    elif kind == "mail":
        who, verdict = said
        mailbox.deliver(key, write_letter(who, key), verdict, door, at)
    elif kind == "reply":
        # By the token of an answer, from the address it went to, which nobody vouches for.
        for case_id in ids_of("case")[: said[0]]:
            token = issue_reply_token(case_id, "eve@example.com", KEYS)
            letter = write_letter("eve", f"{key}-{case_id}", f"support+{token}@desk.example")
            mailbox.deliver(f"{key}-{case_id}", letter, "none", door, at)
    elif kind == "form":
        token = {"authorization": "Bearer lin"} if said[0] else {}
        filled = {"message": "x", "email": "lin@example.com"}
        status, _, _ = submit(page, "contact", filled, now=at, idempotency_key=key, **token)
        assert status == 201
    elif kind == "link":
        who, index = said
        owners = ids_of("customer")
        if owners:
            owner = owners[index % len(owners)]
            token = issue_link_token(owner, NOON + timedelta(days=7), KEYS)
            deliver(as_request("message", who, f"/start {token}", number, LINKS), door, at)


WEBHOOKS = st.tuples(st.just("webhooks"), STEPS.map(tuple))
HISTORIES = st.lists(
    st.one_of(
        WEBHOOKS,
        WEBHOOKS,
        st.tuples(st.just("mail"), st.sampled_from(["lin", "eve"]), st.sampled_from(VERDICTS)),
        st.tuples(st.just("reply"), st.integers(1, 2)),
        st.tuples(st.just("form"), st.booleans()),
        st.tuples(st.just("link"), USERS, st.integers(0, 3)),
        st.just(("close",)),
        st.just(("sweep",)),
    ),
    max_size=8,
)
# Everything at least once, and what each leads to later.
LONG_STORY = [
    ("form", True),
    ("webhooks", (("message", 1, "hello"), ("whatsapp", 1, "hello"))),
    ("mail", "lin", "pass"),
    ("mail", "eve", "none"),
    ("link", 1, 1),
    ("webhooks", (("moved", 1, 2), ("whatsapp", 1, "x"), ("whatsapp", 3, "x"), ("moved", 3, 3))),
    ("reply", 2),
    ("close",),
    ("form", False),
    ("link", 2, 0),
    ("link", 1, 2),
    ("mail", "lin", "fail"),
    ("mail", "lin", "pass"),
    ("webhooks", (("message", 1, "hello"), ("edit", 2, "x"), ("whatsapp", 3, "x"))),
    ("reply", 2),
]


@settings(
    max_examples=4 * DEPTH,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(history=LONG_STORY)
@given(history=HISTORIES)
def test_any_history_is_rebuilt_record_by_record(table, make_empty, desk, history):  # noqa: F811
    source, mailbox, door = make_empty(), Mailbox(), desk.door
    use_table(source)
    base, minute = next(_numbers) * 1000, 0
    for chapter in history:
        minute += 5
        if chapter[0] != "webhooks":
            live_chapter(chapter, minute, desk, mailbox, NOON + timedelta(minutes=minute))
            continue
        for step in chapter[1]:
            minute += 1
            request = as_request(*step, minute, base)
            deliver(request, door, NOON + timedelta(minutes=minute))
    target = make_empty()

    assert rebuild(source, target, door) == []
    assert dump_table(target) == dump_table(source)


def test_the_files_of_mails_are_kept_again(table, make_empty, desk):  # noqa: F811
    at = NOON + timedelta(minutes=1)
    Mailbox().deliver("object", write_letter("lin", "object"), "pass", desk.door, at)
    key = attachment_key(sha256(b"object").hexdigest())
    s3 = boto3.client("s3")
    s3.delete_object(Bucket=BUCKET, Key=key)

    assert rebuild(table, make_empty(), desk.door) == []

    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"object"


def test_a_case_that_was_closed_between_two_messages_makes_two_cases_again(table, make_empty, door):
    take(door, 1, 1, NOON)
    close_all(NOON + timedelta(hours=1))
    take(door, 1, 2, NOON + timedelta(days=30))
    target = make_empty()

    assert rebuild(table, target, door) == []

    rebuilt = dump_table(target)
    states = [item["state"]["S"] for item in rebuilt if item["kind"]["S"] == "case"]
    assert sorted(states) == ["closed", "new"]
    assert rebuilt == dump_table(table)


def test_a_case_that_a_word_opened_again_is_opened_again(table, make_empty, door):
    take(door, 1, 1, NOON)
    close_all(NOON + timedelta(hours=1))
    take(door, 1, 2, NOON + timedelta(hours=2))
    target = make_empty()

    assert rebuild(table, target, door) == []

    rebuilt = dump_table(target)
    assert [one["state"]["S"] for one in rebuilt if one["kind"]["S"] == "case"] == ["open"]
    assert rebuilt == dump_table(table)


def test_what_the_desk_found_a_case_to_be_about_decides_again(table, make_empty, desk):  # noqa: F811
    token = {"authorization": "Bearer lin"}
    told = {"message": "充值没到账"}
    submit(desk, "contact", told, idempotency_key="first", now=NOON, **token)
    (case_id,) = ids_of("case")
    (message,) = read_file(case_id).messages
    route(Landed(case_id, "", message.id, is_new=True), load_desk(ROOT / "config"))
    at = NOON + timedelta(hours=1)
    submit(desk, "topup", told, idempotency_key="second", now=at, **token)
    assert ids_of("case") == [case_id]
    target = make_empty()

    assert rebuild(table, target, desk.door) == []

    records = [one for one in dump_table(target) if one["kind"]["S"] == "open_cases"]
    assert records == [one for one in dump_table(table) if one["kind"]["S"] == "open_cases"]


def test_a_table_that_has_records_is_left_alone(table, make_empty, door):
    take(door, 1, 1, NOON)
    target = make_empty()
    use_table(target)
    take(door, 2, 2, NOON)
    before = dump_table(target)

    with pytest.raises(InvalidRequestError, match="has records"):
        rebuild(table, target, door)

    assert dump_table(target) == before


def test_what_cannot_land_where_it_had_is_told(table, make_empty, door):
    take(door, 1, 1, NOON)
    take(door, 1, 2, NOON + timedelta(hours=1))
    target = make_empty()

    # Without the first message, the second opens a case of its own.
    (told,) = rebuild(table, target, door, LedgerFilter(since=NOON + timedelta(minutes=1)))

    assert (told.name, told.reason[:11]) == (LedgerName("telegram", "7", "2"), "it was in c")
