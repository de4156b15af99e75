"""Who a customer is, over HTTP: a one-time code by SMS, merging, and taking it back."""

import itertools
import re

import pytest

from caseweave.cli.outside.http import call, call_json
from tests.stack.conftest import wait_for

_numbers = itertools.count(61_000_000)


@pytest.fixture
def api(stack):
    return stack.outside.outputs["ApiUrl"]


@pytest.fixture
def known(stack, agent):
    """The phone and the case of a customer who wrote by SMS."""
    phone = f"+86138{next(_numbers)}"
    stack.outside.send_sms(phone, "如何提现")
    wait_for(lambda: stack.received("twilio", phone), "the acknowledgement")
    (address,) = [i for i in stack.items() if i["pk"]["S"] == f"ADDR#phone#{phone}"]
    return phone, agent.read_case(address["case_id"]["S"])["case"]


@pytest.fixture
def chat(api, agent):
    """The session and the case of an anonymous chat."""
    said = call_json("POST", f"{api}/intake/web/chat", {"message": "我换了设备"}).json()
    return f"{api}/intake/web/chat/{said['session']}", agent.read_case(said["reference"])["case"]


def ask_code(session, phone):
    return call_json("POST", f"{session}/verifications", {"channel": "sms", "address": phone})


def wait_for_code(stack, phone):
    def find():
        bodies = [sent["body"] for sent in stack.received("twilio", phone)]
        found = [code for body in bodies for code in re.findall(r"(?<!\d)\d{6}(?!\d)", body)]
        return found[-1] if found else None

    return wait_for(find, "the code by SMS")


def family(agent, customer_id):
    links = agent.get(f"/v1/customers/{customer_id}/links").json()
    return {links["customer_id"], *links["members"]}


def test_a_code_by_sms_said_in_the_chat_makes_two_customers_one_and_two_again(
    stack, agent, known, chat
):
    (phone, case), (session, other) = known, chat
    ann, bob = case["customer_id"], other["customer_id"]
    assert ask_code(session, phone).status == 202
    code = wait_for_code(stack, phone)
    shown = call("GET", f"{session}/messages").json()["items"]
    assert code not in str(shown)
    assert code not in str(agent.read_case(other["ref"]))

    assert call_json("POST", f"{session}/messages", {"message": f"验证码 {code}"}).status == 201

    wait_for(lambda: family(agent, bob) == {ann, bob}, "the merge")
    path = f"/v1/customers/{min(ann, bob)}/unmerge"
    preview = agent.get(f"{path}/{max(ann, bob)}")
    assert preview.status == 200, preview.body
    choices = {
        one["id"]: one["proposed"] for one in preview.json()["written"] if one["needs_choice"]
    }
    parted = agent.post(path, {"member": max(ann, bob), "choices": choices, "reason": "误合并"})
    assert parted.status == 200, parted.body
    assert (family(agent, ann), family(agent, bob)) == ({ann}, {bob})


def test_a_wrong_code_reveals_nothing_and_joins_nobody(stack, agent, known, chat):
    (phone, case), (session, other) = known, chat
    nobody = f"+86138{next(_numbers)}"
    assert ask_code(session, phone).json() == ask_code(session, nobody).json()
    code = wait_for_code(stack, phone)
    guess = f"{(int(code) + 1) % 10**6:06}"
    assert call_json("POST", f"{session}/messages", {"message": guess}).status == 201
    path = f"/v1/customers/{other['customer_id']}"
    assert family(agent, other["customer_id"]) == {other["customer_id"]}
    assert call("GET", stack.outside.outputs["ApiUrl"] + f"{path}/links").status == 401
    assert case["customer_id"] not in str(call("GET", f"{session}/messages").json())


def test_an_agent_merges_and_unmerges_with_what_is_missing_named(agent, known, chat):
    (_, case), (_, other) = known, chat
    path = f"/v1/customers/{case['customer_id']}"
    said = {"customer_id": other["customer_id"], "reason": "同一人"}
    merged = agent.post(f"{path}/merge", said)
    assert merged.json() == {"customer_id": case["customer_id"], "members": [other["customer_id"]]}
    assert agent.post(f"{path}/merge", said).status == 422

    linked = agent.post(f"{path}/links", {"kind": "email", "value": f"{case['id']}@example.com"})
    assert linked.status == 201, linked.body
    removed = {"kind": "email", "value": f"{case['id']}@example.com", "reason": "写错了"}
    assert agent.post(f"{path}/links/remove", removed).status == 200

    wrong = agent.post(f"{path}/unmerge", {"member": other["customer_id"], "choices": {"x": "y"}})
    assert (wrong.status, {one["field"] for one in wrong.json()["errors"]}) == (422, {"choices.x"})
    assert agent.post(f"{path}/unmerge", {"member": other["customer_id"]}).status == 200
    assert agent.get(f"{path}/suggestions").json()["items"] == []
