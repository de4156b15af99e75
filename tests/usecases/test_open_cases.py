"""The record of a customer's open cases: right after every change, whoever made it, and one case
for any number of first messages at once.
"""

from dataclasses import replace
from datetime import timedelta

import boto3
import pytest

from caseweave.domain.case import CaseState
from caseweave.domain.event import Actor
from caseweave.domain.handling import set_state
from caseweave.domain.open_cases import ListedCase, OpenCases
from caseweave.errors import ContentionError
from caseweave.storage import cases
from caseweave.storage.cases import commit_change
from caseweave.storage.open_cases import (
    move_open_cases,
    put_open_cases,
    read_open_cases,
    read_own_open_cases,
)
from caseweave.storage.transaction import RefusedError, Transaction, retry_on_contention
from tests.usecases.test_router import route
from tests.usecases.world import NOON, at_once, receive, sms

PHONE, OTHER = "+8613800138000", "+14155550100"
AGENT = Actor("agent", "ling")
WRITERS = 16


def listed_of(landed):
    return read_open_cases(cases.read_head(landed.case_id).customer_id)


def close(case_id, desk, at=NOON):
    def attempt(_):
        case = cases.read_head(case_id)
        commit_change(set_state(case, CaseState.CLOSED, "done", desk, AGENT, at, "01M"))

    retry_on_contention(attempt)


def test_opening_triage_and_closing_are_noted_with_the_change(table, door, desk):
    landed = receive(sms(PHONE), door)
    customer = cases.read_head(landed.case_id).customer_id
    opened = ListedCase(landed.case_id, customer, NOON, NOON)
    assert listed_of(landed) == OpenCases(customer, (opened,), version=1)

    route(landed, desk)
    triaged = replace(opened, topic="topup_fault")
    assert listed_of(landed) == OpenCases(customer, (triaged,), version=2)

    close(landed.case_id, desk, NOON + timedelta(hours=1))
    closed = replace(triaged, closed_at=NOON + timedelta(hours=1))
    assert listed_of(landed) == OpenCases(customer, (closed,), version=3)


def test_what_goes_on_in_the_case_does_not_write_it(table, door):
    receive(sms(PHONE), door)
    landed = receive(sms(PHONE, "again", "SM2"), door)

    assert listed_of(landed).version == 1


def test_a_record_that_was_read_before_another_wrote_it_is_refused(table, door):
    landed = receive(sms(PHONE), door)
    stale = listed_of(landed)
    write = Transaction()
    put_open_cases(write, stale)
    write.commit()

    write = Transaction()
    put_open_cases(write, stale)
    with pytest.raises(RefusedError, match="open_cases"):
        write.commit()


def test_many_first_messages_at_once_of_a_customer_without_an_open_case_make_one(table, door, desk):
    first = receive(sms(PHONE), door)
    close(first.case_id, desk)
    later = NOON + timedelta(days=400)

    landed = at_once(lambda n: receive(sms(PHONE, f"{n}", f"SM1{n}"), door, later))

    (case_id,) = {one.case_id for one in landed}
    assert case_id != first.case_id
    assert len(cases.read_file(case_id).messages) == WRITERS
    assert [case.id for case in listed_of(landed[0]).open] == [case_id]


def test_closing_while_messages_come_loses_none_and_leaves_the_record_right(table, door, desk):
    first = receive(sms(PHONE, "0", "SM0"), door)

    def work(number):
        if number == 7:
            close(first.case_id, desk, NOON + timedelta(days=400))
            return first
        return receive(sms(PHONE, f"{number}", f"SM1{number}"), door, NOON + timedelta(days=400))

    landed = at_once(work)

    found = {one.case_id for one in landed} | {first.case_id}
    files = [cases.read_file(case_id) for case_id in found]
    assert sum(len(file.messages) for file in files) == WRITERS
    open_ids = [file.case.id for file in files if file.case.is_active]
    assert [case.id for case in listed_of(first).open] == open_ids


def test_the_record_of_a_merged_customer_leads_to_the_other_and_so_on(table, door):
    ours, theirs = receive(sms(PHONE), door), receive(sms(OTHER, event="SM2"), door)
    source, target = listed_of(theirs), listed_of(ours)
    write = Transaction()
    merged = move_open_cases(write, source, target)
    write.commit()
    write = Transaction()
    put_open_cases(write, OpenCases("EARLIER", moved_to=source.owner))
    write.commit()

    found = read_open_cases("EARLIER")

    assert {case.id for case in found.cases} == {ours.case_id, theirs.case_id}
    assert (found.owner, found.version) == (target.owner, target.version + 1)
    assert found.cases == merged.cases
    assert read_own_open_cases(source.owner).moved_to == target.owner


def test_closing_a_case_of_a_merged_customer_is_noted_where_its_cases_stand(table, door, desk):
    ours, theirs = receive(sms(PHONE), door), receive(sms(OTHER, event="SM2"), door)
    write = Transaction()
    move_open_cases(write, listed_of(theirs), listed_of(ours))
    write.commit()

    close(theirs.case_id, desk, NOON + timedelta(hours=1))

    assert [case.id for case in listed_of(ours).open] == [ours.case_id]
    assert listed_of(theirs).find(theirs.case_id).closed_at == NOON + timedelta(hours=1)


def test_a_merged_customers_message_reads_the_record_that_its_own_leads_to(table, door):
    ours, theirs = receive(sms(PHONE), door), receive(sms(OTHER, event="SM2"), door)
    write = Transaction()
    move_open_cases(write, listed_of(theirs), listed_of(ours))
    write.commit()

    landed = receive(sms(OTHER, "again", "SM3"), door)

    assert landed.case_id == theirs.case_id


def test_records_that_lead_to_each_other_are_an_error_and_no_endless_loop(table):
    for owner, other in (("A", "B"), ("B", "A")):
        write = Transaction()
        put_open_cases(write, OpenCases(owner, moved_to=other))
        write.commit()

    with pytest.raises(ContentionError, match="too far"):
        read_open_cases("A")


def test_the_record_is_small(table, door, desk):
    landed = receive(sms(PHONE), door)
    route(landed, desk)
    customer = cases.read_head(landed.case_id).customer_id
    key = {"pk": {"S": f"CUST#{customer}"}, "sk": {"S": "OPEN#case"}}
    item = boto3.client("dynamodb").get_item(TableName=table, Key=key)["Item"]

    assert sum(len(name) + len(str(value)) for name, value in item.items()) < 400
