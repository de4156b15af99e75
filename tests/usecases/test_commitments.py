"""The store keeps what is personal beside the chain, never in it; and the bus never sees it."""

import json

from caseweave.domain.event import EventKind
from caseweave.domain.evidence import commit_to, find_broken_link
from caseweave.relay import relay_record
from caseweave.storage import cases
from caseweave.storage.table import EventRow, Row, case_key
from tests.domain.samples import link
from tests.usecases.world import receive, sms

PHONE = "+8613800138000"


def test_each_case_has_a_seal_of_its_own(table, door):
    first = receive(sms(PHONE), door)
    second = receive(sms("+8613900139000", event="SM2"), door)
    seals = {cases.read_head(one.case_id).seal for one in (first, second)}
    assert [len(bytes.fromhex(seal)) for seal in seals] == [32, 32]


def test_what_is_personal_is_stored_beside_the_chain_and_read_back(table, door):
    landed = receive(sms(PHONE), door)

    file = cases.read_file(landed.case_id)

    (linked,) = [e for e in file.events if e.kind is EventKind.ADDRESS_LINKED]
    private = {"address": f"phone:{PHONE}"}
    assert linked.private == private
    assert linked.data == {
        "proof": "provider",
        "private_digest": commit_to(private, file.case.seal),
    }
    assert all(PHONE not in json.dumps(link(event)[2]) for event in file.events)


def test_a_case_whose_private_parts_are_gone_reads_and_its_chain_holds(table, door):
    landed = receive(sms(PHONE), door)
    before = cases.read_file(landed.case_id)
    for row in EventRow.query(case_key(landed.case_id)[0], Row.sk.startswith("EVT#")):
        row.update(actions=[EventRow.private.remove()])

    file = cases.read_file(landed.case_id)

    assert [link(event) for event in file.events] == [link(event) for event in before.events]
    assert find_broken_link(link(event) for event in file.events) is None
    assert [event.is_erased for event in file.events] == [False, False, True]


def test_nothing_personal_goes_to_the_bus(table, door, dump):
    landed = receive(sms(PHONE), door)
    told = []
    for image in dump():
        if image["kind"]["S"] == "event":
            relay_record(image, None, None, lambda *event: told.append(event), None, None, None)

    of_case = [one for one in told if "case_id" in one[1]]
    assert [(name, detail["case_id"], detail["seq"]) for name, detail, _ in of_case] == [
        ("CaseOpened", landed.case_id, 1),
        ("MessageReceived", landed.case_id, 2),
        ("AddressLinked", landed.case_id, 3),
    ]
    assert {name for name, detail, _ in told if "customer_id" in detail} == {"LinkAdded"}
    assert PHONE not in json.dumps([detail for _, detail, _ in told])
    assert all("private" not in detail for _, detail, _ in told)
