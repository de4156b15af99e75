"""Asking for an erasure, its preview and its log; exports; what is not kept any longer."""

import io
import json
import os
import zipfile
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlsplit

import boto3
import pytest

from caseweave.agents.caller import Caller, Moment
from caseweave.agents.cases import change_state
from caseweave.agents.privacy import ask_erasure, list_log, preview_erasure, read_deletion
from caseweave.domain.incident import Incident, NoticeKind
from caseweave.domain.privacy import Hold, PrivacyRules
from caseweave.domain.times import to_rfc3339
from caseweave.erasure import LOG_FOLDER
from caseweave.errors import ForbiddenError, InvalidRequestError, NotFoundError
from caseweave.export import export_customer
from caseweave.retention import apply_retention, preview_retention
from caseweave.storage import cases
from caseweave.storage.customers import list_customer_events
from caseweave.storage.deletions import DeletionState, ask_again, read_task
from caseweave.storage.incidents import keep_incident, put_notice
from caseweave.storage.table import Row, use_table
from caseweave.storage.transaction import Transaction
from tests.usecases.privacy_world import (
    BUCKET,
    LATER,
    chains_hold,
    everything,
    find_marks,
    make_two,
    shredder,
)
from tests.usecases.test_rebuild import rebuild
from tests.usecases.world import NOON

ANN = Caller("ann", ("admin",))
RULES = PrivacyRules(closed_cases=timedelta(days=730), deletion_log=timedelta(days=3650))


@pytest.fixture
def two(table, door, desk):
    return make_two(door, desk)


def moment(at=LATER):
    return Moment(at, os.urandom)


def ask(customer, rules=RULES, reason="asked by mail", at=LATER, **said):
    digest = preview_erasure(customer, ANN, rules, at)["digest"]
    told = {"confirm": digest, "reason": reason, **said}
    return ask_erasure(customer, told, ANN, rules, moment(at))


def test_a_preview_says_what_goes_what_stays_and_changes_nothing(two):
    ling, _ = two
    before = everything()
    told = preview_erasure(ling.customer_id(), ANN, RULES, LATER)
    messages = [m for case in ling.all_case_ids() for m in cases.list_messages(case)[0]]
    assert told["goes"]["messages"] == len(messages)
    assert told["goes"]["addresses"] == 3
    assert told["goes"]["objects"] == 2
    assert [one["id"] for one in told["cases"]] == sorted(ling.all_case_ids())
    assert {one["what"] for one in told["stays"]} >= {"duplicate guards", "STOP of a phone number"}
    assert told["holds"] == []
    assert everything() == before


def test_an_erasure_needs_the_digest_of_the_preview_as_it_is_now(two):
    ling, _ = two
    stale = preview_erasure(ling.customer_id(), ANN, RULES, LATER)["digest"]
    ling.say("one more")
    for wrong in (stale, "", "yes"):
        with pytest.raises(InvalidRequestError) as caught:
            ask_erasure(ling.customer_id(), {"confirm": wrong, "reason": "x"}, ANN, RULES, moment())
        assert caught.value.errors == (
            ("confirm", "read the preview again, and write its `digest`"),
        )
    with pytest.raises(InvalidRequestError):
        ask(ling.customer_id(), reason=" ")


def test_asking_twice_is_asking_once_and_the_log_tells_all_of_it_but_no_content(two):
    ling, _ = two
    customer = ling.customer_id()
    first = ask(customer, reason="asked by mail, code 482913")
    assert ask(customer) == first
    assert first["state"] == "asked"
    assert shredder().work_off() == 1
    told = read_deletion(first["id"], ANN)
    assert (told["state"], told["requested_by"], told["subjects"]) == (
        "done",
        "agent:ann",
        [customer],
    )
    assert told["reason"] == "asked by mail, code ██████"
    assert told["counts"]["messages"] > 3
    assert told["counts"]["seals"] == len(
        [i for i in everything() if i["kind"]["S"] == "case" and i["customer_id"]["S"] == customer]
    )
    assert list_log({}, Caller("aud", ("auditor",)))["items"] == [told]
    assert not any(mark in json.dumps(told) for mark in ling.marks)
    for again in (preview_erasure, lambda *_: ask(customer)):
        with pytest.raises(NotFoundError):
            again(customer, ANN, RULES, LATER)


def test_only_admins_ask_and_agents_see_neither_preview_nor_log_nor_export(two):
    ling, _ = two
    customer = ling.customer_id()
    agent, lead = Caller("mei", ("agent",)), Caller("li", ("lead",))
    with pytest.raises(ForbiddenError):
        preview_erasure(customer, agent, RULES, LATER)
    with pytest.raises(ForbiddenError):
        list_log({}, agent)
    with pytest.raises(ForbiddenError):
        export_customer(customer, agent, moment(), BUCKET)
    digest = preview_erasure(customer, lead, RULES, LATER)["digest"]
    with pytest.raises(ForbiddenError):
        ask_erasure(customer, {"confirm": digest, "reason": "x"}, lead, RULES, moment())


def test_nothing_goes_while_a_dispute_is_evidence(two):
    ling, _ = two
    category = cases.read_head(ling.case_id()).category
    rules = PrivacyRules(hold=Hold((category,), timedelta(days=180)))
    with suppress(InvalidRequestError):
        change_state(ling.case_id(), {"state": "open"}, None, ANN, ling.desk, moment(NOON))
    with pytest.raises(InvalidRequestError) as caught:
        ask(ling.customer_id(), rules)
    assert caught.value.errors[0][0] == "holds"
    holds = preview_erasure(ling.customer_id(), ANN, rules, LATER)["holds"]
    assert [one["case"] for one in holds] == [cases.read_head(ling.case_id()).ref]
    late = LATER + timedelta(days=181)
    for case in ling.cases():
        if case.is_active:
            change_state(case.id, {"state": "closed"}, None, ANN, ling.desk, moment())
    assert preview_erasure(ling.customer_id(), ANN, rules, late)["holds"] == []
    assert ask(ling.customer_id(), rules, at=late)["state"] == "asked"


def test_after_a_restore_the_log_outside_the_table_has_everything_asked_again(two):
    ling, _ = two
    customer = ling.customer_id()
    backup = everything()
    asked = ask(customer)
    shredder().work_off()
    restore(backup)
    assert find_marks_in_table(ling)
    keys = [key for key, _ in _objects_under(LOG_FOLDER)]
    assert keys == [f"{LOG_FOLDER}{asked['id']}.json"]
    body = boto3.client("s3").get_object(Bucket=BUCKET, Key=keys[0])["Body"].read()
    assert not any(mark.encode() in body for mark in ling.marks)
    assert ask_again(body) is True
    assert ask_again(body) is False
    shredder().work_off()
    assert find_marks(ling) == []
    assert read_task(asked["id"]).state is DeletionState.DONE
    assert chains_hold()


def restore(backup):
    """The table as it was."""
    dynamodb, name = boto3.client("dynamodb"), Row.Meta.table_name
    for item in everything():
        dynamodb.delete_item(TableName=name, Key={"pk": item["pk"], "sk": item["sk"]})
    for item in backup:
        dynamodb.put_item(TableName=name, Item=item)


def find_marks_in_table(person):
    return [one for one in find_marks(person) if len(one) == 3]


def _objects_under(prefix):
    found = boto3.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return [(one["Key"], one["Size"]) for one in found]


def test_an_export_has_everything_of_the_customer_and_nothing_of_anybody_else(two):
    ling, wang = two
    incident = Incident("I1", "x", ("steam",), (), {}, NOON, NOON, "ann")
    keep_incident(incident)
    case_id = min(ling.all_case_ids())
    write = Transaction()
    put_notice(write, "I1", NoticeKind.OUTAGE, ling.customer_id(), case_id, NOON)
    put_notice(write, "I1", NoticeKind.OUTAGE, wang.customer_id(), "", NOON)
    write.commit()
    answer = export_customer(ling.customer_id(), ANN, moment(), BUCKET)
    key = urlsplit(answer["url"]).path.removeprefix(f"/{BUCKET}/")
    packed = boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    assert len(packed) == answer["size"]
    text = zipfile.ZipFile(io.BytesIO(packed)).read("customer.json").decode()
    assert not any(mark in text for mark in wang.marks)
    told = json.loads(text)
    assert (told["shape"], answer["cases"]) == (1, len(ling.cases()))
    bodies = {m["body"] for case in told["cases"] for m in case["messages"]}
    kept = {m.body for case in ling.all_case_ids() for m in cases.list_messages(case)[0]}
    assert bodies == kept
    kinds = {record["kind"] for record in told["records"]}
    assert kinds >= {"link", "consent"}
    assert told["notices"] == [
        {
            "incident_id": "I1",
            "kind": "outage",
            "customer_id": ling.customer_id(),
            "case_id": case_id,
            "at": to_rfc3339(NOON),
        }
    ]
    for address in (ling.phone, ling.mail, ling.user):
        assert address in text
    event = list_customer_events(ling.customer_id())[-1]
    assert (event.kind, event.data["sha256"]) == ("customer_exported", answer["sha256"])
    ask(ling.customer_id())
    shredder().work_off()
    assert find_marks(ling) == []
    assert _objects_under("exports/") == []


def test_closed_cases_go_when_their_time_is_over_and_not_before(two):
    ling, wang = two
    for case in ling.cases():
        if case.is_active:
            change_state(case.id, {"state": "closed"}, None, ANN, ling.desk, moment(NOON))
    late = max(case.updated_at for case in ling.cases()) + timedelta(days=730, minutes=1)
    assert preview_retention(RULES, LATER)["due"] == []
    assert apply_retention(RULES, LATER, os.urandom) == 0
    due = preview_retention(RULES, late)
    assert {one["case"] for one in due["due"]} == {case.ref for case in ling.cases()}
    kept = find_marks(wang)
    assert apply_retention(RULES, late, os.urandom) == len(ling.cases())
    assert apply_retention(RULES, late, os.urandom) == 0
    assert shredder().work_off() == 1
    for case in ling.all_case_ids():
        file = cases.read_file(case)
        assert file.case.seal == ""
        assert {m.body for m in file.messages} == {""}
        assert file.events[-1].data["cause"] == "retention"
    # The customer is there still, and so are their addresses.
    assert ling.customer_id()
    assert find_marks(wang) == kept
    assert chains_hold()
    assert preview_retention(RULES, late)["due"] == []
    assert apply_retention(PrivacyRules(), late, os.urandom) == 0


def test_a_rebuild_brings_no_erased_customer_back_but_the_guards(two, table, make_empty, door):
    ling, _ = two
    ask(ling.customer_id())
    shredder().work_off()
    erased = {i["pk"]["S"] for i in everything() if i.get("state", {}).get("S") == "erased"}
    assert len(erased) >= len(ling.events)
    target = make_empty()
    deviations = rebuild(table, target, door)
    assert not [one for one in deviations if one.name.key[0] in erased]
    use_table(target)
    assert find_marks_in_table(ling) == []
    guards = {i["pk"]["S"] for i in everything() if i.get("state", {}).get("S") == "erased"}
    assert guards == erased
