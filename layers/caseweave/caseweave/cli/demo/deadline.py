"""Act 4: a promise is about to be missed, and is missed; the desk notices by itself."""

from datetime import timedelta
from typing import Any

from rich.padding import Padding

from caseweave.cli.case_timeline import render_events
from caseweave.cli.demo.arrival import Opened, open_case, wait_page
from caseweave.cli.demo.customer_view import look_without_platform
from caseweave.cli.demo.stage import Stage, require
from caseweave.cli.outside.scheduler import run_schedule
from caseweave.domain.times import from_rfc3339, to_rfc3339

USER = "u-1002"
FORM = {
    "subject": "Someone logged in to my account",
    "message": (
        "I got an alert about an unknown login from another country, and my wallet is being spent. "
        "That is not me. Please freeze the account right now!"
    ),
}
SHOWN = ("case_triaged", "case_assigned", "sla_warned", "sla_breached", "case_escalated")


def play_deadline(stage: Stage) -> Opened:
    stage.act(4, "deadline_act")
    opened = open_case(stage, USER, "account-security", FORM, "report")
    answer = wait_page(stage, opened, opened.ref)["body"]
    stage.tell(answer, "dim")
    case = stage.agent.read_case(opened.ref)["case"]
    require(case["team"] == "security", "team security", case["team"])
    due_at = from_rfc3339(case["due_at"])
    promised = due_at - from_rfc3339(case["opened_at"])
    require(promised == timedelta(minutes=2), "a first reply within 2 minutes", str(promised))
    _tick(stage, opened, to_rfc3339(due_at - timedelta(seconds=30)), "sla_warned")
    file = _tick(stage, opened, to_rfc3339(due_at + timedelta(seconds=1)), "sla_breached")
    _check_escalated(stage, file)
    look_without_platform(stage, opened)
    return opened


def _tick(stage: Stage, opened: Opened, now: str, expected: str) -> dict[str, Any]:
    """Run the schedule as if it were *now*; the case, in which that caused *expected*."""
    with stage.step("schedule", time=now[11:19]):
        run_schedule(stage.outside.outputs, "SlaFunction", {"now": now})
    file = stage.agent.read_case(opened.ref)
    kinds = [event["kind"] for event in file["events"]]
    require(expected in kinds, f"event {expected} in {opened.ref} at {now}", kinds)
    return file


def _check_escalated(stage: Stage, file: dict[str, Any]) -> None:
    breach = next(event for event in file["events"] if event["kind"] == "sla_breached")
    counted = sum(
        (from_rfc3339(span["to"]) - from_rfc3339(span["from"])).total_seconds()
        for span in breach["data"]["segments"]
        if span["counted"]
    )
    budget = breach["data"]["budget_seconds"]
    require(counted == budget, f"{budget} s counted in the breach", counted)
    case = file["case"]
    require(case["team"] == "seniors", "the case with the seniors", case["team"])
    require(case["level"] == 2, "the case at level 2", case["level"])
    shown = [event for event in file["events"] if event["kind"] in SHOWN]
    stage.console.print(Padding(render_events(shown, stage.language), (0, 0, 0, 4)))
    stage.tell_key("escalated", "bold", ref=case["ref"], team=case["team"], level=case["level"])
