"""The agents' API as deployed: denied by default, honest about versions, errors as problems."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from caseweave.cli.outside.http import call
from tests.stack.conftest import Api, wait_for

PROBLEM = "application/problem+json"
_numbers = itertools.count(30_000_000)


@pytest.fixture(scope="module")
def auditor(stack):
    return stack.api("auditor")


@pytest.fixture
def case(stack, agent):
    """A fresh case by SMS, routed and acknowledged."""
    phone = f"+86137{next(_numbers)}"
    stack.outside.send_sms(phone, "如何提现")
    wait_for(lambda: stack.received("twilio", phone), "the acknowledgement")
    (address,) = [i for i in stack.items() if i["pk"]["S"] == f"ADDR#phone#{phone}"]
    return settle(agent, address["case_id"]["S"])


def settle(agent, name):
    """The case once its deliveries are recorded, so that its version stands still."""

    def is_settled():
        file = agent.read_case(name)
        states = [m["delivery"]["state"] for m in file["messages"] if m["delivery"]]
        return file["case"] if states and set(states) == {"delivered"} else None

    return wait_for(is_settled, "the receipts")


@pytest.mark.parametrize("path", ["/v1/cases", "/v1/cases/C-0000-0000", "/v1/quarantine"])
@pytest.mark.parametrize("token", ["", "rubbish", "eyJhbGciOiJub25lIn0.e30."])
def test_without_a_valid_token_nothing_is_answered(stack, path, token):
    reply = Api(stack.outside.outputs["ApiUrl"], token).get(path)

    assert reply.status == 401
    assert reply.json()["status"] == 401


def test_a_case_is_read_by_id_and_by_reference_as_people_type_it(agent, case):
    by_id = agent.read_case(case["id"])
    typed = case["ref"].replace("-", "").lower()

    assert agent.read_case(case["ref"]) == by_id
    assert agent.read_case(typed) == by_id
    assert list(by_id) == [
        "case", "messages", "events", "merged", "links", "present", "asked_for",
    ]  # fmt: skip
    assert {
        "id",
        "ref",
        "state",
        "category",
        "priority",
        "level",
        "team",
        "assignee",
        "customer_id",
        "channels",
        "subject",
        "language",
        "opened_at",
        "updated_at",
        "due_at",
        "version",
    } <= set(by_id["case"])
    assert {
        "id",
        "direction",
        "channel",
        "provider",
        "provider_id",
        "author",
        "body",
        "quoted",
        "page_url",
        "occurred_at",
        "received_at",
        "attachments",
        "delivery",
    } <= set(by_id["messages"][0])


def test_a_reply_leaves_by_the_channel_last_used(stack, agent, case):
    reply = agent.post(f"/v1/cases/{case['ref']}/messages", {"body": "提现入口在钱包页面"})

    assert reply.status == 201
    assert reply.json()["case"]["state"] == "open"
    phone = agent.read_case(case["ref"])["messages"][0]["author"].removeprefix("phone:")
    wait_for(
        lambda: [m for m in stack.received("twilio", phone) if "钱包" in m["body"]],
        "the reply by SMS",
    )


def test_a_stale_version_is_refused_and_writes_nothing(agent, case):
    path = f"/v1/cases/{case['id']}/notes"
    version = str(case["version"])
    assert agent.post(path, {"body": "first"}, If_Match=version).status == 201

    stale = agent.post(path, {"body": "second"}, If_Match=f'"{version}"')

    assert stale.status == 412
    assert stale.headers["Content-Type"] == PROBLEM
    notes = [m["body"] for m in agent.read_case(case["id"])["messages"] if m["direction"] == "note"]
    assert notes == ["first"]


def test_of_many_agents_with_one_version_exactly_one_writes(agent, case):
    path, version = f"/v1/cases/{case['id']}/assign", str(case["version"])
    with ThreadPoolExecutor(6) as pool:
        replies = list(
            pool.map(lambda n: agent.post(path, {"agent": f"a{n}"}, If_Match=version), range(6))
        )

    assert sorted(reply.status for reply in replies) == [200] + [412] * 5


def test_writes_without_a_version_all_take_place(agent, case):
    path = f"/v1/cases/{case['id']}/notes"
    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(lambda n: agent.post(path, {"body": f"note {n}"}), range(6)))

    assert [reply.status for reply in replies] == [201] * 6
    notes = [m["body"] for m in agent.read_case(case["id"])["messages"] if m["direction"] == "note"]
    assert sorted(notes) == [f"note {n}" for n in range(6)]


def test_states_move_with_their_clocks_and_wake_when_the_customer_writes(stack, agent, case):
    path = f"/v1/cases/{case['id']}/state"
    pending = agent.post(path, {"state": "pending", "reason": "asked for a screenshot"})
    assert pending.json()["case"]["state"] == "pending"
    assert pending.json()["case"]["due_at"] is not None
    phone = agent.read_case(case["id"])["messages"][0]["author"].removeprefix("phone:")

    stack.outside.send_sms(phone, "这是截图")

    wait_for(lambda: agent.read_case(case["id"])["case"]["state"] == "open", "the case to wake")


def test_resolving_asks_the_customer_and_after_closing_a_word_opens_the_case_again(
    stack, agent, case
):
    path = f"/v1/cases/{case['id']}/state"
    phone = agent.read_case(case["id"])["messages"][0]["author"].removeprefix("phone:")
    agent.post(path, {"state": "resolved"})
    wait_for(
        lambda: [m for m in stack.received("twilio", phone) if "是否已解决" in m["body"]],
        "the question whether it is solved",
    )
    closed = agent.post(path, {"state": "closed"})
    assert (closed.status, closed.json()["case"]["due_at"]) == (200, None)

    stack.outside.send_sms(phone, "又有问题")

    page = agent.get(f"/v1/cases?customer={case['customer_id']}").json()
    assert [one["state"] for one in page["items"]] == ["open"]


@pytest.mark.parametrize(
    ("path", "value", "status", "field"),
    [
        ("/v1/cases/{id}/messages", {"body": "  "}, 422, "body"),
        ("/v1/cases/{id}/messages", {}, 422, "body"),
        ("/v1/cases/{id}/messages", {"body": "x", "channel": "fax"}, 422, "channel"),
        ("/v1/cases/{id}/messages", {"body": "x", "channel": "email"}, 422, "channel"),
        ("/v1/cases/{id}/assign", {}, 422, "team"),
        ("/v1/cases/{id}/assign", {"team": "nobody"}, 422, "team"),
        ("/v1/cases/{id}/state", {"state": "gone"}, 422, "state"),
        ("/v1/cases/C-0000-0000/notes", {"body": "x"}, 404, None),
        ("/v1/cases/nothing/notes", {"body": "x"}, 404, None),
    ],
)
def test_a_request_that_makes_no_sense_says_what_to_write_instead(
    agent, case, path, value, status, field
):
    reply = agent.post(path.format(id=case["id"]), value)

    problem = reply.json()
    assert (reply.status, problem["status"]) == (status, status)
    assert reply.headers["Content-Type"] == PROBLEM
    assert [one["field"] for one in problem.get("errors", [])] == ([field] if field else [])


@pytest.mark.parametrize("body", [b"{oops", b"[1]", b"\xff"])
def test_malformed_json_is_400(agent, case, body):
    url = f"{agent.url}/v1/cases/{case['id']}/notes"
    headers = {"Authorization": f"Bearer {agent.token}", "Content-Type": "application/json"}
    reply = call("POST", url, body, headers)

    assert (reply.status, reply.json()["title"]) == (400, "Bad Request")


def test_another_content_type_and_an_unknown_route_are_problems_too(agent, case):
    headers = {"Authorization": f"Bearer {agent.token}", "Content-Type": "text/plain"}
    reply = call("POST", f"{agent.url}/v1/cases/{case['id']}/notes", b"x", headers)
    assert (reply.status, reply.headers["Content-Type"]) == (415, PROBLEM)

    unknown = agent.get("/v1/nothing")
    assert unknown.status in (403, 404)


def test_roles_allow_what_they_should_and_nothing_else(stack, agent, lead, auditor, case):
    note = f"/v1/cases/{case['id']}/notes"
    incident = {
        "title": "t",
        "products": ["wallet"],
        "notice": {"zh-CN": "钱包故障", "en": "wallet down"},
    }
    assert auditor.get(f"/v1/cases/{case['id']}").status == 200
    assert auditor.post(note, {"body": "x"}).status == 403
    assert agent.post("/v1/incidents", incident).status == 403
    assert agent.get("/v1/quarantine").status == 403
    assert lead.get("/v1/quarantine").status == 200
    assert lead.post("/v1/incidents", incident).status == 201


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"title": "x"},
        {"title": "x", "products": "wallet"},
        {"title": "x", "products": ["wallet"], "notice": {"en": "only"}},
        {"products": ["wallet"], "notice": {"en": "a", "zh-CN": "b"}},
        {"title": "x", "products": ["w"], "notice": {"en": "a", "zh-CN": "b"}, "started_at": "now"},
    ],
)
def test_an_incomplete_incident_is_refused(lead, value):
    assert lead.post("/v1/incidents", value).status == 422


def test_worklists_are_paged_without_gaps_or_repeats(agent, case):
    seen, cursor = [], ""
    while True:
        page = agent.get(f"/v1/cases?team=frontline&limit=3&cursor={cursor}").json()
        seen += [one["id"] for one in page["items"]]
        assert len(page["items"]) <= 3
        if page["next"] is None:
            break
        cursor = page["next"]

    assert case["id"] in seen
    assert len(seen) == len(set(seen))
    whole = agent.get("/v1/cases?team=frontline&limit=200").json()
    assert seen == [one["id"] for one in whole["items"]]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=x", "limit=1000", "state=odd", "cursor=rubbish", "cursor=e30"]
)
def test_an_unusable_query_is_refused(agent, query):
    assert agent.get(f"/v1/cases?{query}").status == 422


def test_an_assigned_case_is_in_the_agents_own_list(agent, case):
    agent.post(f"/v1/cases/{case['id']}/assign", {"agent": "mei"})

    page = agent.get("/v1/cases?assignee=mei").json()
    assert case["id"] in [one["id"] for one in page["items"]]
