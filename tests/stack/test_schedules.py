"""Time passes: deadlines and outages, through the functions that the scheduler calls."""

import itertools
import json

from caseweave.cli.outside.http import call_json
from tests.stack.conftest import wait_for

_numbers = itertools.count(50_000_000)


def open_case(stack, agent, body, user="u-1004"):
    token = stack.outside.sign_in(user)
    sent = stack.outside.send_form("contact", {"message": body}, token).json()
    wait_for(lambda: agent.read_case(sent["reference"])["case"]["category"], "triage")
    return sent["reference"]


def test_a_deadline_passes_and_the_case_is_warned_breached_and_escalated_once(stack, agent):
    phone = f"+86135{next(_numbers)}"
    stack.outside.send_sms(phone, "someone logged in, my account was hacked")
    (address,) = [i for i in stack.items() if i["pk"]["S"] == f"ADDR#phone#{phone}"]
    name = address["case_id"]["S"]
    case = wait_for(
        lambda: next((c for c in [agent.read_case(name)["case"]] if c["category"]), None), "triage"
    )
    assert (case["team"], case["priority"]) == ("security", "urgent")
    due = case["due_at"]

    for _ in range(3):
        stack.invoke("SlaFunction", json.dumps({"now": due}).encode())

    file = agent.read_case(name)
    kinds = [e["kind"] for e in file["events"] if e["actor"] == "system:sla"]
    assert kinds.count("sla_breached") == kinds.count("case_escalated") == 1
    assert (file["case"]["level"], file["case"]["team"]) == (2, "seniors")
    (breach,) = [e["data"] for e in file["events"] if e["kind"] == "sla_breached"]
    assert [one["counted"] for one in breach["segments"]] == [True]
    assert breach["budget_seconds"] == 120


def test_a_declared_outage_reaches_whom_it_touches_before_they_ask(stack, agent, lead):
    """u-1004 has an order on the product and no open case; who has none hears nothing."""
    sent = stack.outside.send_form(
        "contact", {"message": "如何修改头像"}, stack.outside.sign_in("u-1004")
    ).json()
    wait_for(lambda: agent.read_case(sent["reference"])["case"]["category"], "triage")
    agent.post(f"/v1/cases/{sent['reference']}/state", {"state": "closed"})
    platform = stack.outside.outputs["PlatformUrl"]
    affected = call_json("POST", f"{platform}/affected", {"product": "game-topup"}).json()
    assert "u-1004" in affected["users"]
    lead.post(
        "/v1/incidents",
        {
            "title": "Top-ups are late",
            "platform_users": affected["users"],
            "notice": {"zh-CN": "充值到账延迟", "en": "Top-ups arrive late"},
        },
    )

    for _ in range(3):
        stack.invoke("OutagesFunction")

    customer = agent.read_case(sent["reference"])["case"]["customer_id"]
    cases = agent.get(f"/v1/cases?customer={customer}").json()["items"]
    notices = [
        m
        for one in cases
        for m in agent.read_case(one["id"])["messages"]
        if m["purpose"] == "notice" and "充值到账延迟" in m["body"]
    ]
    assert len(notices) == 1


def test_the_schedules_run_by_themselves(stack):
    """Every minute, on the scheduler's own account: the log shows a run we did not start."""
    logs = stack.client("logs")

    def has_run():
        return logs.filter_log_events(
            logGroupName="/caseweave/caseweave", filterPattern='"sla swept"', limit=100
        )["events"]

    wait_for(has_run, "the SLA schedule", 75)
