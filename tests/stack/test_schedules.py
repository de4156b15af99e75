"""Time passes: deadlines and outages, through the functions that the scheduler calls."""

import itertools
import json

from caseweave.cli.outside.customers import write_mail
from caseweave.cli.outside.http import call_json
from tests.stack.conftest import wait_for

_numbers = itertools.count(50_000_000)


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
    stack.outside.deliver_mail(write_mail("siqi.chen@mail.example", "头像", "还想问一下"))
    wait_for(lambda: "email" in agent.read_case(sent["reference"])["case"]["channels"], "her mail")
    agent.post(f"/v1/cases/{sent['reference']}/state", {"state": "closed"})
    platform = stack.outside.outputs["PlatformUrl"]
    affected = call_json("POST", f"{platform}/affected", {"product": "game-topup"}).json()
    assert "u-1004" in affected["users"]
    lead.post(
        "/v1/incidents",
        {
            "title": "Top-ups are late",
            "platform_users": affected["users"],
            "notice": {"zh-CN": "充值通道抖动", "en": "Top-ups arrive late"},
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
        if m["purpose"] == "notice" and "充值通道抖动" in m["body"]
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


def test_who_was_told_of_an_outage_hears_that_it_is_over(stack, agent, lead):
    phone = f"+86133{next(_numbers)}"
    stack.outside.send_sms(phone, "钱包打不开")
    wait_for(lambda: stack.received("twilio", phone), "the acknowledgement")
    declared = lead.post(
        "/v1/incidents",
        {
            "title": "Wallet down",
            "products": ["wallet"],
            "notice": {"zh-CN": "钱包暂不可用", "en": "The wallet is down"},
            "started_at": "2026-01-01T00:00:00Z",
        },
    ).json()
    stack.invoke("OutagesFunction")
    over = {"state": "resolved", "notice": {"zh-CN": "钱包已恢复", "en": "The wallet is back"}}
    path = f"/v1/incidents/{declared['id']}/state"
    assert lead.post(path, over).status == 200
    assert lead.post(path, over).status == 422

    for _ in range(2):
        stack.invoke("OutagesFunction")

    def texts():
        return [m["body"] for m in stack.received("twilio", phone)]

    wait_for(lambda: any("钱包已恢复" in text for text in texts()), "the all-clear")
    assert sum("钱包暂不可用" in text for text in texts()) == 1
    assert sum("钱包已恢复" in text for text in texts()) == 1
    listed = agent.get("/v1/incidents").json()["items"]
    assert declared["id"] in [one["id"] for one in listed if one["state"] == "resolved"]
