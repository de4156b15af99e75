"""Over HTTP: a masked card secret, shown on demand; an export; an erasure to its end."""

import io
import json
import zipfile

import pytest

from caseweave.cli.outside.http import call
from tests.stack.conftest import wait_for
from tests.stack.numbers import new_phone


def secret_of(phone):
    """A card secret that nobody else wrote."""
    return f"WXYZ{phone[-8:]}QRST"


@pytest.fixture(scope="module")
def admin(stack):
    return stack.api("admin")


@pytest.fixture
def phone(stack):
    number = new_phone()
    stack.outside.send_sms(number, f"卡密:{secret_of(number)} 无效")
    wait_for(lambda: stack.received("twilio", number), "the acknowledgement")
    return number


def address_of(stack, phone):
    found = [i for i in stack.items() if i["pk"]["S"] == f"ADDR#phone#{phone}"]
    return found[0] if found else None


def test_a_secret_is_masked_and_shown_with_an_event(stack, agent, phone):
    case_id = address_of(stack, phone)["case_id"]["S"]
    file = agent.read_case(case_id)
    message = file["messages"][0]
    assert message["body"] == "卡密:████████████QRST 无效"
    assert message["masked_kinds"] == ["card_secret"]
    assert secret_of(phone) not in json.dumps(file, ensure_ascii=False)
    path = f"/v1/cases/{case_id}/messages/{message['id']}/reveal"
    assert agent.post(path, {}).status == 422
    assert stack.api("auditor").post(path, {"reason": "x"}).status == 403
    shown = agent.post(path, {"reason": "核对"})
    assert shown.status == 200
    assert shown.json()["message"]["body"] == f"卡密:{secret_of(phone)} 无效"
    event = agent.read_case(case_id)["events"][-1]
    assert (event["kind"], event["private"]) == ("content_revealed", {"reason": "核对"})


def test_a_customer_is_exported_and_erased(stack, agent, admin, phone):
    known = address_of(stack, phone)
    customer, case_id = known["customer_id"]["S"], known["case_id"]["S"]
    assert agent.get(f"/v1/customers/{customer}/export").status == 403
    export = admin.get(f"/v1/customers/{customer}/export")
    assert export.status == 200, export.body
    packed = call("GET", export.json()["url"]).body
    text = zipfile.ZipFile(io.BytesIO(packed)).read("customer.json").decode()
    assert secret_of(phone) in text
    assert phone in text

    def erase():
        preview = admin.get(f"/v1/customers/{customer}/erasure").json()
        said = {"confirm": preview["digest"], "reason": "asked for by mail"}
        return admin.post(f"/v1/customers/{customer}/erasure", said)

    # Receipts of the acknowledgement may change the case between the two.
    asked = wait_for(lambda: (one := erase()).status == 202 and one, "a preview that holds")
    stack.invoke("DeletionsFunction")
    log = admin.get(f"/v1/deletions/{asked.json()['id']}").json()
    assert log["state"] == "done", log
    assert log["counts"]["messages"] >= 2
    assert address_of(stack, phone) is None
    left = json.dumps(stack.items(), default=str, ensure_ascii=False)
    assert secret_of(phone) not in left
    assert phone.removeprefix("+") not in left
    file = agent.read_case(case_id)
    assert {message["body"] for message in file["messages"]} == {""}
    assert file["events"][-1]["kind"] == "content_erased"
    assert admin.get(f"/v1/customers/{customer}/export").status == 404


def test_the_night_applies_the_retention_rules(stack, admin):
    told = admin.get("/v1/retention").json()
    assert told["rules"]["closed_cases"] == "1095d"
    answer = json.loads(stack.invoke("DeletionsFunction", b'{"task": "retention"}'))
    assert answer == {"due": len(told["due"])}
