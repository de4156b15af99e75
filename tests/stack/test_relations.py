"""Merging, splitting, linking and presence as deployed, with the function's own rights."""

import itertools

import pytest

from tests.audit import audit
from tests.stack.conftest import wait_for
from tests.stack.numbers import new_phone

BODY = "充值没到账, and my account was hacked"
EXCERPT = "my account was hacked"
_numbers = itertools.count(40_000_000)


@pytest.fixture
def phone():
    return new_phone()


@pytest.fixture
def case(stack, agent, phone):
    """A routed case by SMS whose one message holds two problems, and no event is to come."""
    stack.outside.send_sms(phone, BODY)
    wait_for(lambda: stack.received("twilio", phone), "the acknowledgement")
    (address,) = [i for i in stack.items() if i["pk"]["S"] == f"ADDR#phone#{phone}"]
    case_id = address["case_id"]["S"]

    def is_settled():
        file = agent.read_case(case_id)
        states = [m["delivery"]["state"] for m in file["messages"] if m["delivery"]]
        return file["case"] if states and set(states) == {"delivered"} else None

    return wait_for(is_settled, "the receipts")


def inbound(agent, name):
    return [m for m in agent.read_case(name)["messages"] if m["direction"] == "inbound"]


def split(agent, case, **said):
    said = said or {"message": inbound(agent, case["id"])[0]["id"], "excerpt": EXCERPT}
    return agent.post(f"/v1/cases/{case['id']}/split", said)


def sound(stack, *cases):
    """What the audit finds wrong with the cases of a test; the stack has those of others too."""
    refs = [text for case in cases for text in (case["id"], case["ref"])]
    return [one for one in audit(stack.items()) if any(ref in one for ref in refs)]


def test_a_case_is_split_merged_and_given_back(stack, agent, case, phone):
    reply = split(agent, case)
    assert reply.status == 201, reply.body
    assert (reply.status, reply.headers["ETag"]) == (201, f'"{case["version"] + 1}"')
    new = reply.json()["new"]
    assert (new["category"], new["team"]) == ("account_security", "security")
    assert [one["kind"] for one in agent.read_case(new["ref"])["links"]] == ["split-from"]

    merged = agent.post(f"/v1/cases/{new['id']}/merge", {"into": case["ref"], "reason": "one"})
    assert merged.status == 200
    assert (merged.json()["case"]["id"], merged.json()["case"]["priority"]) == (
        case["id"], "urgent",
    )  # fmt: skip
    file = agent.read_case(new["ref"])
    assert (file["case"]["id"], file["asked_for"]["ref"]) == (case["id"], new["ref"])
    assert {m["case_ref"] for m in file["messages"]} == {case["ref"], new["ref"]}

    said = agent.post(f"/v1/cases/{new['ref']}/messages", {"body": "两件事都在处理"})
    assert said.json()["case"]["id"] == case["id"]
    wait_for(
        lambda: [m for m in stack.received("twilio", phone) if "两件事" in m["body"]],
        "the reply by SMS",
    )
    stack.outside.send_sms(phone, "谢谢")
    assert inbound(agent, new["id"])[-1]["body"] == "谢谢"

    back = agent.post(f"/v1/cases/{new['id']}/unmerge", {"reason": "two after all"})
    assert (back.status, back.json()["case"]["state"]) == (200, "new")
    assert agent.read_case(new["ref"])["case"]["id"] == new["id"]
    assert sound(stack, case, new) == []


def test_messages_move_and_a_redelivery_finds_them(stack, agent, case, phone):
    sid = f"SM{next(_numbers)}"
    stack.outside.send_sms(phone, "另一个问题", sid=sid)
    (second,) = [m for m in inbound(agent, case["id"]) if m["body"] == "另一个问题"]

    new = split(agent, case, messages=[second["id"]], category="dispute").json()["new"]
    assert stack.outside.send_sms(phone, "另一个问题", sid=sid).status == 200

    assert [m["id"] for m in inbound(agent, new["id"])] == [second["id"]]
    assert [m["body"] for m in inbound(agent, case["id"])] == [BODY]
    wait_for(lambda: agent.read_case(new["id"])["case"]["category"] == "dispute", "no triage anew")
    assert sound(stack, case, new) == []


def test_links_stand_on_both_sides_and_close_no_circle(stack, agent, case):
    new = split(agent, case).json()["new"]
    path, back = f"/v1/cases/{case['id']}/links", f"/v1/cases/{new['id']}/links"

    made = agent.post(path, {"case": new["ref"], "kind": "parent"})

    assert made.status == 200
    assert made.headers["ETag"] == f'"{made.json()["case"]["version"]}"'
    kinds = [one["kind"] for one in agent.get(back).json()["items"]]
    assert sorted(kinds) == ["child", "split-from"]
    circle = agent.post(back, {"case": case["ref"], "kind": "parent"})
    assert (circle.status, circle.json()["errors"][0]["field"]) == (422, "case")
    # Deeper, the store checks the cases above, too.
    third = split(agent, case).json()["new"]
    deeper = agent.post(f"/v1/cases/{third['id']}/links", {"case": case["id"], "kind": "parent"})
    assert deeper.status == 200
    gone = agent.post(path, {"case": new["ref"], "kind": "parent", "remove": True})
    assert "parent" not in [one["kind"] for one in gone.json()["items"]]
    assert sound(stack, case, new, third) == []


def test_agents_see_who_else_looks_at_a_case(agent, lead, case):
    path = f"/v1/cases/{case['ref']}/presence"

    seen = lead.put(path, {"doing": "viewing"})
    again = lead.put(path, {"doing": "viewing"})

    assert (seen.status, again.status) == (200, 200)
    assert again.json()["since"] == seen.json()["since"]
    (other,) = agent.read_case(case["id"])["present"]
    assert (other["doing"], other["since"]) == ("viewing", seen.json()["since"])
    assert lead.read_case(case["id"])["present"] == []
    assert agent.read_case(case["id"])["case"]["version"] == case["version"]
    assert agent.put(path, {"doing": "sleeping"}).status == 422


def test_every_write_of_a_case_is_refused_on_a_stale_version(stack, agent, case):
    other = split(agent, case).json()["new"]
    first = inbound(agent, case["id"])[0]["id"]
    file = {"name": "a.png", "media_type": "image/png", "size": 3, "sha256": "ab" * 32}
    writes = {
        "messages": {"body": "x"},
        "notes": {"body": "x"},
        "assign": {"agent": "wei"},
        "state": {"state": "pending"},
        "uploads": file,
        "merge": {"into": other["id"]},
        "split": {"message": first, "excerpt": EXCERPT},
        "links": {"case": other["id"], "kind": "duplicate"},
    }
    before = agent.get(f"/v1/cases/{case['id']}")
    assert before.headers["ETag"] == f'"{before.json()["case"]["version"]}"'

    stale = {
        name: agent.post(f"/v1/cases/{case['id']}/{name}", said, If_Match=f'"{case["version"]}"')
        for name, said in writes.items()
    }

    assert {name: reply.status for name, reply in stale.items()} == dict.fromkeys(writes, 412)
    assert agent.get(f"/v1/cases/{case['id']}").json()["events"] == before.json()["events"]
    merged = agent.post(f"/v1/cases/{other['id']}/merge", {"into": case["id"]})
    version = merged.json()["merged"]["version"] - 1
    path = f"/v1/cases/{other['id']}/unmerge"
    assert agent.post(path, {}, If_Match=f'"{version}"').status == 412


@pytest.mark.parametrize(
    ("path", "value", "status", "field"),
    [
        ("merge", {}, 422, "into"),
        ("merge", {"into": "C-0000-0000"}, 404, None),
        ("merge", {"into": "ITSELF"}, 422, "into"),
        ("unmerge", {}, 422, "case"),
        ("split", {}, 422, "message"),
        ("split", {"messages": ["x"]}, 422, "messages"),
        ("links", {"case": "ITSELF", "kind": "friend"}, 422, "kind"),
        ("links", {"case": "ITSELF", "kind": "parent"}, 422, "case"),
    ],
)
def test_what_makes_no_sense_says_what_to_write_instead(agent, case, path, value, status, field):
    value = {name: case["ref"] if text == "ITSELF" else text for name, text in value.items()}

    reply = agent.post(f"/v1/cases/{case['id']}/{path}", value)

    problem = reply.json()
    assert (reply.status, problem["status"]) == (status, status)
    assert [one["field"] for one in problem.get("errors", [])] == ([field] if field else [])
